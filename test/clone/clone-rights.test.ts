// test-timeout: 120 s
/** Files that change together with who may do what with them: the copies have both, in the right order. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fid, formatFid } from '../../src/base/fid.js';
import { ACCESS, aclOf } from '../support/acl.js';
import { CAPABILITY, lsetxattr } from '../support/libc.js';
import { withMount } from '../support/mount.js';
import { assertIdentical, clone, quiesce } from './cloning.js';
import { linesOf } from './records.js';
import { withMounts } from './targets.js';

const FEED = 'copy';
const ALL = 'all';
const CAPABLE = Buffer.from('0100000200040000000000000000000000000000', 'hex');
const LIST = aclOf('u::rw-', 'u:1234:rw-', 'g::---', 'm::rw-', 'o::---');

function setXattr(path: string, name: string, value: Buffer): void {
  lsetxattr(Buffer.from(path), Buffer.from(name), value, 0);
}

function prepare(mnt: string): void {
  for (const name of ['private', 'public']) fs.mkdirSync(join(mnt, name));
  for (const name of ['plain', 'set-id', 'able', 'listed', 'given', 'private/out', 'twice']) {
    fs.writeFileSync(join(mnt, name), `${name} before`);
    fs.chmodSync(join(mnt, name), 0o644);
  }
  fs.linkSync(join(mnt, 'twice'), join(mnt, 'public/twice'));
  for (const name of ['set-id', 'given']) fs.chmodSync(join(mnt, name), 0o4755);
  for (const name of ['able', 'given']) setXattr(join(mnt, name), CAPABILITY, CAPABLE);
  setXattr(join(mnt, 'listed'), ACCESS, LIST);
}

function change(mnt: string): void {
  fs.chmodSync(join(mnt, 'plain'), 0o600);
  fs.chmodSync(join(mnt, 'private'), 0o700);
  fs.writeFileSync(join(mnt, 'private/new'), 'a secret');
  fs.renameSync(join(mnt, 'private/out'), join(mnt, 'public/out'));
  fs.unlinkSync(join(mnt, 'public/twice'));
  fs.chownSync(join(mnt, 'given'), 1000, 1000);
  fs.chmodSync(join(mnt, 'given'), 0o6750);
  fs.chmodSync(join(mnt, 'listed'), 0o600);
  for (const name of ['plain', 'set-id', 'able', 'listed', 'public/out', 'twice']) {
    fs.writeFileSync(join(mnt, name), `${name} after, and a secret`);
  }
  // Writing took it.
  setXattr(join(mnt, 'able'), CAPABILITY, CAPABLE);
  quiesce(mnt);
}

test('a directory: with records, and with a baseline', () =>
  withMount(async (source) => {
    source.feed(FEED);
    prepare(source.mnt);
    const targets = ['records', 'baselines'].map((name) => join(source.folder, name));
    for (const target of targets) {
      fs.mkdirSync(target);
      await clone({ mnt: source.mnt, feed: FEED, args: ['--baseline'] }, { target });
    }
    change(source.mnt);
    for (const [i, args] of [['--from', 'last'], ['--baseline']].entries()) {
      const target = targets[i] ?? '';
      await clone({ mnt: source.mnt, feed: FEED, args }, { target });
      await assertIdentical(source.mnt, target);
    }
  }));

test('another feedfs, with a baseline: its own feeds tell that rights went first', () =>
  withMounts(2, async (source, copy) => {
    source.feed(FEED);
    prepare(source.mnt);
    await clone({ mnt: source.mnt, feed: FEED }, { target: copy.mnt });
    copy.feed(ALL);
    change(source.mnt);
    await clone({ mnt: source.mnt, feed: FEED, args: ['--baseline'] }, { target: copy.mnt });
    await assertIdentical(source.mnt, copy.mnt);
    const records = linesOf(copy.mnt, ALL).map((line) => JSON.parse(line));
    // feedfs makes FIDs inode numbers.
    const { ino } = fs.statSync(join(copy.mnt, 'plain'));
    const [first, ...rest] = records.filter(({ fid }) => fid === formatFid(ino as Fid));
    assert.is(first?.op, 'setattr');
    assert.ok(rest.some(({ op }) => op === 'write'));
  }));

test.run();
