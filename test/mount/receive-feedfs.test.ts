/** A feedfs as the target of a stream of changes: exactly once, whatever the receiver came to. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../src/base/fid.js';
import { S_IFDIR } from '../../src/base/mode.js';
import { itemsOfContents } from '../../src/bridges/receive/feedfs/batch-items.js';
import { CopyReader } from '../../src/bridges/receive/feedfs/copy-reader.js';
import { ReplicaFile, readReplicaState } from '../../src/bridges/receive/feedfs/replica-file.js';
import {
  itemOfAttributes,
  itemOfWrite,
  itemOfXattr,
} from '../../src/bridges/receive/feedfs/step-items.js';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { openFeed } from '../../src/consumer/feeds.js';
import type { ReplicaItem } from '../../src/rpc/replica-message.js';
import { assertIdentical, quiesce, receiveBytes, streamOf } from '../clone/cloning.js';
import { aclOf, DEFAULT } from '../support/acl.js';
import { MAIN, type TestMount } from '../support/mount.js';
import { Random } from '../support/random.js';
import { CHANGES, prepareFor } from './every-change.js';
import { FEED, itemsOf, LAST, told, withPair } from './receive-feedfs-fixture.js';

const SEED = Number(process.env.FEEDFS_SEED ?? 1);

/** The operations that the copy's own feed tells of, but for writes: those may be told again. */
async function operations(path: string): Promise<readonly string[]> {
  const feed = await openFeed(path);
  const found: string[] = [];
  for await (const { op, fid } of feed.records({ follow: false })) {
    if (op !== 'write') found.push(`${op} ${fid}`);
  }
  feed.close();
  return found;
}

test(`a receiver that ended anywhere inside a batch: each change is made once (seed ${SEED})`, () =>
  withPair(async (source, copy) => {
    const { mnt } = source;
    const random = new Random(SEED);
    const all = source.feed('all');
    for (let from = 0; from < CHANGES.length; from += 6) {
      for (const [i, { run }] of CHANGES.slice(from, from + 6).entries()) {
        const folder = join(mnt, `of-${from + i}`);
        fs.mkdirSync(folder);
        prepareFor(folder);
        run(folder);
      }
      quiesce(mnt);
      const stream = await streamOf({ mnt, feed: FEED, args: LAST });
      const items = await itemsOf(stream, copy);
      const file = new ReplicaFile(copy.mnt);
      for (const item of items.slice(0, random.below(items.length))) file.add(item);
      file.send();
      file.close();
      const received = await receiveBytes(stream, copy.mnt);
      assert.is(received.code, 0, told(received));
      await assertIdentical(mnt, copy.mnt);
    }
    const own = join(copy.mnt, '.lustre/feeds/own');
    assert.equal(await operations(own), await operations(all));
    const inode = (root: string) => fs.statSync(join(root, 'of-0/kept')).ino;
    assert.is(inode(copy.mnt), inode(mnt));
  }));

test('two receivers: the second is told so, and the first goes on', () =>
  withPair(async (source, copy) => {
    const { mnt } = source;
    fs.writeFileSync(join(mnt, 'file'), 'x');
    quiesce(mnt);
    const stream = await streamOf({ mnt, feed: FEED, args: LAST });
    const first = spawn(process.execPath, [MAIN, 'receive', copy.mnt, '--json'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    // It says hello before it reads anything.
    await once(first.stdout, 'data');
    const second = await receiveBytes(stream, copy.mnt);
    assert.is(second.code, ExitCode.STREAM_REFUSED, told(second));
    assert.match(second.stderr, /another receiver/);
    const closed = once(first, 'close');
    first.stdout.resume();
    first.stdin.end(stream);
    assert.equal(await closed, [0, null]);
    await assertIdentical(mnt, copy.mnt);
  }));

test('a change that does not fit: the record is named, and nothing behind it is made', () =>
  withPair(async (source, copy) => {
    const { mnt } = source;
    fs.writeFileSync(join(mnt, 'first'), 'x');
    fs.mkdirSync(join(mnt, 'taken'));
    fs.writeFileSync(join(mnt, 'behind'), 'x');
    quiesce(mnt);
    const stream = await streamOf({ mnt, feed: FEED, args: LAST });
    // What no receiver does: something in the copy that the source does not have.
    const items = await itemsOf(stream, copy);
    const taken = items.find(
      (item) => item.do === 'change' && item.change.op === 'create' && item.change.name === 'taken',
    );
    assert.ok(taken?.do === 'change');
    const file = new ReplicaFile(copy.mnt);
    const other = await otherFid(source);
    file.add({ ...taken, verbatim: { ...taken.verbatim, fid: other, applied: undefined } });
    file.send();
    file.close();
    const refused = await receiveBytes(stream, copy.mnt);
    assert.is(refused.code, ExitCode.STREAM_REFUSED, told(refused));
    assert.match(refused.stderr, /create of \[0x.*\(record \d+\) does not fit the copy.*EEXIST/);
    assert.match(refused.stderr, /new baseline/);
    assert.equal(fs.readdirSync(copy.mnt).sort(), ['first', 'taken']);
    const { applied } = readReplicaState(copy.mnt)?.source ?? {};
    const [, named] = /\(record (\d+)\)/.exec(refused.stderr) ?? [];
    assert.is(applied, Number(named));
  }));

/** A FID that the source has for something else, later. */
async function otherFid({ mnt }: TestMount) {
  const path = join(mnt, 'later');
  fs.writeFileSync(path, '');
  return fs.statSync(path).ino as Extract<ReplicaItem, { do: 'hole' }>['fid'];
}

test('what the receiver compares with is what it wrote last, whatever the kernel remembers', () =>
  withPair(async (source, copy) => {
    const { mnt } = source;
    fs.mkdirSync(join(mnt, 'directory'));
    fs.writeFileSync(join(mnt, 'file'), 'one');
    quiesce(mnt);
    const stream = await streamOf({ mnt, feed: FEED, args: LAST });
    assert.is((await receiveBytes(stream, copy.mnt)).code, 0);
    const reader = new CopyReader(copy.mnt);
    const fidOf = (name: string) => fs.statSync(join(copy.mnt, name)).ino as Fid;
    const [file, directory] = [fidOf('file'), fidOf('directory')];
    const replica = new ReplicaFile(copy.mnt);
    const time = { sec: 1_800_000_000, nsec: 1 };
    const acls = [aclOf('u::rwx', 'g::r-x', 'o::r-x'), aclOf('u::rwx', 'g::---', 'o::---')];
    for (let size = 10; size < 30; size++) {
      const bytes = Buffer.alloc(size, size);
      const acl = acls[size % 2];
      for (const item of itemsOfContents({ kind: 'data', fid: file, offset: 0, bytes })) {
        replica.add(item);
      }
      replica.add(itemOfWrite(file, [{ offset: 0, length: size }], size, time, time));
      replica.add(itemOfAttributes(directory, S_IFDIR, { mode: 0o700 + size }, time));
      replica.add(itemOfXattr(directory, { name: DEFAULT, value: acl }, time));
      replica.send();
      assert.is(reader.size(file), size);
      assert.ok(reader.hasContents({ kind: 'data', fid: file, offset: 0, bytes }));
      assert.ok(reader.hasAttributes(directory, { mode: 0o700 + size, ctime: time }));
      assert.ok(reader.hasXattr(directory, DEFAULT, acl), `the list of round ${size}`);
      // And the kernel remembers that.
      fs.lstatSync(join(copy.mnt, 'directory'));
    }
    replica.close();
  }));

test('promoted, it takes no more changes of its source', () =>
  withPair(async (source, copy) => {
    const { mnt } = source;
    fs.writeFileSync(join(mnt, 'file'), 'x');
    quiesce(mnt);
    const stream = await streamOf({ mnt, feed: FEED, args: LAST });
    assert.throws(() => fs.writeFileSync(join(copy.mnt, 'mine'), ''), /EROFS/);
    const promoted = await receiveBytes(Buffer.alloc(0), copy.mnt, ['--promote']);
    assert.is(promoted.code, 0, told(promoted));
    fs.writeFileSync(join(copy.mnt, 'mine'), 'mine');
    const again = await receiveBytes(Buffer.alloc(0), copy.mnt, ['--promote']);
    assert.is(again.code, ExitCode.STREAM_REFUSED, told(again));
    assert.match(again.stderr, /no copy/);
    const refused = await receiveBytes(stream, copy.mnt);
    assert.is(refused.code, ExitCode.STREAM_REFUSED, told(refused));
    assert.equal(fs.readdirSync(copy.mnt), ['mine']);
  }));

test.run();
