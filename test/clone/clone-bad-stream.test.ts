// test-timeout: 300 s
/**
 * Streams that are cut, damaged, foreign, in a wrong order or of another version: each is
 * refused with one message that says where and why, the copy is at a boundary between
 * transactions, and the whole stream afterwards makes it what the source is.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { CHANGES, prepareFor } from '../mount/every-change.js';
import { withMount } from '../support/mount.js';
import { Random } from '../support/random.js';
import { diffTrees, snapshotTree, type Tree } from '../support/snapshot-tree.js';
import { type BadStream, cuts, misordered, withFlippedBit, withVersion } from './bad-streams.js';
import { assertIdentical, quiesce, type Received, receiveBytes, streamOf } from './cloning.js';
import { withMounts } from './targets.js';

const SEED = Number(process.env.FEEDFS_SEED ?? 1);
const FEED = 'copy';
const FLIPS = 24;
const CUTS = 8;
/** Of CHANGES, some that fit after each other. */
const CHOSEN = [
  ...['create and write', 'unlink of a large file', 'rename of a directory', 'chmod'],
  ...['setxattr of another value', 'write that outgrows the inode'],
];

/** A refusal is one message, which says more than that it failed. */
function assertRefused({ code, stderr }: Received, reason: RegExp, what: string): void {
  assert.is(code, ExitCode.STREAM_REFUSED, `${what}: ${stderr}`);
  assert.match(stderr, reason, what);
  assert.not.match(stderr, /this is a bug/, what);
}

function isLike(tree: Tree, folder: string): boolean {
  return diffTrees(tree, snapshotTree(folder)).length === 0;
}

interface Fixture {
  readonly mnt: string;
  readonly folder: string;
  /** A copy that has the baseline, and what it is like. */
  readonly target: string;
  readonly before: Tree;
  /** The changes since the baseline. */
  readonly records: Buffer;
  /** From nothing to the same. */
  readonly baseline: Buffer;
}

function withStreams(use: (fixture: Fixture) => Promise<void>): Promise<void> {
  return withMount(async (mount) => {
    const { mnt, folder } = mount;
    const target = join(folder, 'target');
    fs.mkdirSync(target);
    mount.feed(FEED);
    prepareFor(mnt);
    quiesce(mnt);
    const first = await receiveBytes(await streamOf({ mnt, feed: FEED }), target);
    assert.is(first.code, 0, first.stderr);
    const before = snapshotTree(target);
    for (const { name, run } of CHANGES) if (CHOSEN.includes(name)) run(mnt);
    quiesce(mnt);
    const records = await streamOf({ mnt, feed: FEED, args: ['--from', 'last'] });
    const baseline = await streamOf({ mnt, feed: FEED, args: ['--baseline'] });
    await use({ mnt, folder, target, before, records, baseline });
  });
}

/** The copy is as before, or has all of it; nothing in between. */
function assertWhole({ mnt, target, before }: Fixture, what: string): void {
  const isWhole = isLike(before, target) || isLike(snapshotTree(mnt), target);
  assert.ok(isWhole, `${what}: the copy is between transactions`);
}

test('changes that are cut or put together wrongly', () =>
  withStreams(async (fixture) => {
    const { mnt, target, records } = fixture;
    const random = new Random(SEED);
    const bad: readonly BadStream[] = [
      ...cuts(records, random, CUTS),
      ...misordered(records, random),
    ];
    for (const { what, bytes } of bad) {
      const result = await receiveBytes(bytes, target, ['--no-confirm']);
      assertRefused(result, /byte|frame|empty|no clone stream|end/i, what);
      assertWhole(fixture, what);
    }
    const whole = await receiveBytes(records, target);
    assert.is(whole.code, 0, whole.stderr);
    await assertIdentical(mnt, target);
  }));

test(`${FLIPS} single bits that are flipped (seed ${SEED})`, () =>
  withStreams(async (fixture) => {
    const { mnt, target, records } = fixture;
    const random = new Random(SEED + 1);
    for (let i = 0; i < FLIPS; i++) {
      const bytes = withFlippedBit(records, random);
      const result = await receiveBytes(bytes, target, ['--no-confirm']);
      assertRefused(result, /byte \d+|frame \d+|no clone stream|version/, `flip ${i}`);
      assertWhole(fixture, `flip ${i}`);
    }
    const whole = await receiveBytes(records, target);
    assert.is(whole.code, 0, whole.stderr);
    await assertIdentical(mnt, target);
  }));

test('a baseline that is cut or damaged is gone through again', () =>
  withStreams(async ({ mnt, folder, baseline }) => {
    const random = new Random(SEED + 2);
    const target = join(folder, 'other');
    fs.mkdirSync(target);
    const bad = cuts(baseline, random, 2).map(({ bytes }) => bytes);
    for (let i = 0; i < 4; i++) bad.push(withFlippedBit(baseline, random));
    for (const bytes of bad) {
      const result = await receiveBytes(bytes, target, ['--no-confirm']);
      assertRefused(result, /./, `${bytes.length} bytes of a baseline`);
    }
    const whole = await receiveBytes(baseline, target);
    assert.is(whole.code, 0, whole.stderr);
    await assertIdentical(mnt, target);
  }));

test('a stream of a newer version, and what is no stream', () =>
  withStreams(async (fixture) => {
    const { target, before, records } = fixture;
    const cases: readonly (readonly [string, Buffer, RegExp])[] = [
      ['newer', withVersion(records, 9), /version 9/],
      ['text', Buffer.from('#!/bin/sh\necho this is no stream\n'.repeat(9)), /./],
      ['zeroes', Buffer.alloc(10_000), /./],
      ['nothing', Buffer.alloc(0), /./],
    ];
    for (const [what, bytes, reason] of cases) {
      assertRefused(await receiveBytes(bytes, target), reason, what);
      assert.ok(isLike(before, target), what);
    }
  }));

test('the same stream twice changes nothing the second time', () =>
  withStreams(async ({ mnt, target, records, baseline }) => {
    for (const stream of [records, records, baseline, baseline, records]) {
      const { code, stderr } = await receiveBytes(stream, target);
      assert.is(code, 0, stderr);
      await assertIdentical(mnt, target);
    }
  }));

test('a stream with a gap before it names the way out, which leads out', () =>
  withStreams(async ({ mnt, target, before }) => {
    // Of two streams kept in files the first is lost.
    fs.writeFileSync(join(mnt, 'more'), 'more');
    quiesce(mnt);
    const { nextIndex } = infoOf(mnt);
    fs.writeFileSync(join(mnt, 'last'), 'last');
    quiesce(mnt);
    const second = await streamOf({ mnt, feed: FEED, args: ['--from', nextIndex] });
    const refused = await receiveBytes(second, target);
    assertRefused(refused, /feedfs send/, 'a gap');
    assert.ok(isLike(before, target));
    const [, from = ''] = /--from (\d+)/.exec(refused.stderr) ?? [];
    const args = from === '' ? ['--baseline'] : ['--from', from];
    const { code, stderr } = await receiveBytes(await streamOf({ mnt, feed: FEED, args }), target);
    assert.is(code, 0, stderr);
    await assertIdentical(mnt, target);
  }));

function infoOf(mnt: string): { readonly nextIndex: string } {
  const path = join(mnt, '.lustre', 'feeds', FEED, 'info');
  return JSON.parse(fs.readFileSync(path, 'utf8')) as { nextIndex: string };
}

test('a stream of another filesystem is refused by a directory and by a feedfs', () =>
  withMounts(3, async (source, stranger, copy) => {
    const target = join(source.folder, 'target');
    fs.mkdirSync(target);
    const streams: Buffer[] = [];
    for (const mount of [source, stranger]) {
      const { mnt } = mount;
      mount.feed(FEED);
      fs.writeFileSync(join(mnt, 'file'), mnt);
      quiesce(mnt);
      streams.push(await streamOf({ mnt, feed: FEED }));
    }
    const [ours = Buffer.alloc(0), theirs = Buffer.alloc(0)] = streams;
    for (const at of [target, copy.mnt]) {
      const first = await receiveBytes(ours, at);
      assert.is(first.code, 0, first.stderr);
      assertRefused(await receiveBytes(theirs, at), /filesystem/, at);
      await assertIdentical(source.mnt, at);
    }
  }));

test.run();
