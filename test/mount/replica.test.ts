/** A feedfs that is made the copy of another, message by message. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../src/base/fid.js';
import { setxattr } from '../posix/libc.js';
import { type TestMount, withMount } from '../support/mount.js';
import { until } from '../support/processes.js';
import { essence, Receiver, recordsOf, replicaOf, stateOf } from './replica-receiver.js';

const { O_NOATIME, O_RDONLY, O_TRUNC, O_WRONLY } = fs.constants;
const LARGE = 50_000;

interface Pair {
  readonly source: TestMount;
  readonly copy: TestMount;
  readonly receiver: Receiver;
}

/** A source with feed `f`, and an empty filesystem with a feed of the same name. */
function withPair(use: (pair: Pair) => void | Promise<void>): Promise<void> {
  return withMount((source) =>
    withMount(async (copy) => {
      source.feed('f');
      copy.feed('f');
      const receiver = new Receiver(source, copy);
      try {
        await use({ source, copy, receiver });
      } finally {
        receiver.close();
      }
    }),
  );
}

/** Everything that has happened is in the feed. */
function settle({ mnt }: TestMount): void {
  const fd = fs.openSync(mnt, O_RDONLY);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

function catchUp({ source, receiver }: Pair): void {
  settle(source);
  receiver.apply('f');
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return 'ok';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

test('what changes at the source, readers of the copy see', () =>
  withPair(async (pair) => {
    const { source, copy, receiver } = pair;
    const there = (name: string): string => join(source.mnt, name);
    const here = (name: string): string => join(copy.mnt, name);
    // The kernel remembers for long that there is no such file.
    assert.is(
      codeOf(() => fs.statSync(here('early'))),
      'ENOENT',
    );
    receiver.begin();
    fs.writeFileSync(there('early'), 'early');
    fs.mkdirSync(there('d'));
    fs.writeFileSync(there('d/large'), Buffer.alloc(LARGE, 1));
    catchUp(pair);
    await until(() => fs.existsSync(here('early')), 'the name that was not there');
    assert.is(fs.readFileSync(here('early'), 'utf8'), 'early');
    assert.equal(fs.readdirSync(here('d')), ['large']);
    assert.is(
      codeOf(() => fs.statSync(here('d/new'))),
      'ENOENT',
    );
    const fd = fs.openSync(here('d/large'), O_RDONLY);
    const into = Buffer.alloc(LARGE * 2);
    assert.is(fs.readSync(fd, into, 0, into.length, 0), LARGE);

    fs.writeFileSync(there('d/new'), 'new');
    fs.chmodSync(there('early'), 0o600);
    fs.writeFileSync(there('d/large'), Buffer.alloc(LARGE + 7, 2), { flag: 'r+' });
    catchUp(pair);
    assert.equal(fs.readdirSync(here('d')).sort(), ['large', 'new']);
    assert.is(fs.readFileSync(here('d/new'), 'utf8'), 'new');
    assert.is(fs.statSync(here('early')).mode & 0o777, 0o600);
    const expected = Buffer.alloc(LARGE + 7, 2);
    await until(() => {
      const length = fs.readSync(fd, into, 0, into.length, 0);
      return into.subarray(0, length).equals(expected);
    }, 'the new contents in an open file');

    fs.truncateSync(there('d/large'), 10);
    fs.renameSync(there('d'), there('moved'));
    fs.rmSync(there('early'));
    catchUp(pair);
    await until(() => fs.readSync(fd, into, 0, into.length, 0) === 10, 'the cut in an open file');
    fs.closeSync(fd);
    assert.equal(fs.readdirSync(copy.mnt), ['moved']);
    for (const name of ['moved', 'moved/large', 'moved/new']) {
      const [a, b] = [there(name), here(name)].map((at) => fs.statSync(at, { bigint: true }));
      for (const key of ['ino', 'mode', 'nlink', 'size', 'mtimeNs', 'ctimeNs'] as const) {
        assert.is(b?.[key], a?.[key], `${key} of ${name}`);
      }
    }
  }));

test('nobody but the receiver changes it, until it is promoted', () =>
  withPair((pair) => {
    const { source, copy, receiver } = pair;
    receiver.begin();
    fs.writeFileSync(join(source.mnt, 'file'), 'contents');
    fs.mkdirSync(join(source.mnt, 'd'));
    catchUp(pair);
    const file = join(copy.mnt, 'file');
    const mine = join(copy.mnt, 'mine');
    const refused: Record<string, () => unknown> = {
      create: () => fs.writeFileSync(mine, ''),
      mkdir: () => fs.mkdirSync(mine),
      symlink: () => fs.symlinkSync('x', mine),
      link: () => fs.linkSync(file, mine),
      rename: () => fs.renameSync(file, mine),
      unlink: () => fs.unlinkSync(file),
      rmdir: () => fs.rmdirSync(join(copy.mnt, 'd')),
      chmod: () => fs.chmodSync(file, 0o600),
      chown: () => fs.chownSync(file, 1, 1),
      utimes: () => fs.utimesSync(file, 1, 1),
      truncate: () => fs.truncateSync(file, 0),
      write: () => fs.closeSync(fs.openSync(file, O_WRONLY)),
      cut: () => fs.closeSync(fs.openSync(file, O_RDONLY | O_TRUNC)),
    };
    for (const [what, work] of Object.entries(refused)) assert.is(codeOf(work), 'EROFS', what);
    assert.throws(() => setxattr(file, 'user.a', Buffer.from('1')));
    assert.is(fs.readFileSync(file, 'utf8'), 'contents');
    const last = Math.max(...['file', 'd'].map((name) => fs.statSync(join(source.mnt, name)).ino));
    receiver.send([{ do: 'promote' }]);
    assert.is(stateOf(copy).source, undefined);
    fs.writeFileSync(mine, 'mine');
    assert.ok(fs.statSync(mine).ino > last, 'a FID that nobody had');
    fs.appendFileSync(file, ' and more');
    assert.is(fs.readFileSync(file, 'utf8'), 'contents and more');
    assert.throws(() => receiver.begin(), /EPERM/);
  }));

test('after a promotion nobody reads what the kernel kept from before', () =>
  withPair((pair) => {
    const { source, copy, receiver } = pair;
    receiver.begin();
    const [there, here] = [source, copy].map(({ mnt }) => join(mnt, 'large')) as [string, string];
    fs.writeFileSync(there, Buffer.alloc(LARGE, 1));
    catchUp(pair);
    assert.is(readFirst(here), 1);
    const { atime, mtime } = fs.statSync(there);
    fs.writeFileSync(there, Buffer.alloc(LARGE, 2));
    // The kernel finds no reason by itself.
    fs.utimesSync(there, atime, mtime);
    catchUp(pair);
    receiver.send([{ do: 'promote' }]);
    assert.is(readFirst(here), 2);
  }));

/** By an open for which no access time is due. */
function readFirst(path: string): number {
  const fd = fs.openSync(path, O_RDONLY | O_NOATIME);
  const into = Buffer.alloc(1);
  fs.readSync(fd, into, 0, 1, 0);
  fs.closeSync(fd);
  return into.readUInt8(0);
}

test('killed in between, it goes on where it was, and makes nothing twice', () =>
  withPair(async (pair) => {
    const { source, copy, receiver } = pair;
    receiver.begin();
    for (let round = 0; round < 4; round++) {
      const path = join(source.mnt, `file-${round}`);
      fs.writeFileSync(path, Buffer.alloc(LARGE * (round % 2) + 10, round + 1));
      fs.writeFileSync(path, Buffer.alloc(20, 99), { flag: 'r+' });
      fs.renameSync(path, `${path}-moved`);
      fs.writeFileSync(join(source.mnt, 'same'), Buffer.alloc(LARGE, round + 50));
      settle(source);
      const messages = receiver.messages('f');
      for (const items of messages.slice(0, messages.length - round)) receiver.send(items);
      if (round % 2 === 0) fs.fsyncSync(receiver.fd);
      await copy.kill('SIGKILL');
      receiver.close();
      await copy.mount();
      receiver.apply('f');
      for (const name of fs.readdirSync(source.mnt)) {
        const [a, b] = [source, copy].map(({ mnt }) => fs.readFileSync(join(mnt, name)));
        assert.ok(a !== undefined && b?.equals(a), name);
      }
    }
    settle(copy);
    const told = recordsOf(source, 'f').map(essence);
    // What a start after a crash found half written has a record of nobody's.
    const own = recordsOf(copy, 'f').filter(({ op, pid }) => op !== 'write' || pid !== 0);
    assert.equal(own.map(essence), told);
  }));

test('what was given and not recorded is recorded when the receiver goes', () =>
  withPair(async (pair) => {
    const { source, copy, receiver } = pair;
    receiver.begin();
    fs.writeFileSync(join(source.mnt, 'large'), Buffer.alloc(LARGE, 1));
    catchUp(pair);
    settle(copy);
    const before = recordsOf(copy, 'f').length;
    const fid = fs.statSync(join(copy.mnt, 'large')).ino as Fid;
    receiver.send([{ do: 'data', fid, offset: 100, bytes: Buffer.alloc(10, 2) }]);
    receiver.close();
    settle(copy);
    const more = recordsOf(copy, 'f').slice(before);
    assert.equal(
      more.map(({ op, fid: of }) => [op, of]),
      [['write', fid]],
    );
    const [record] = more;
    assert.equal(record?.op === 'write' && record.extents, [{ offset: 100, length: 10 }]);
    await copy.remount();
    const expected = Buffer.alloc(LARGE, 1).fill(2, 100, 110);
    assert.ok(fs.readFileSync(join(copy.mnt, 'large')).equals(expected));
  }));

test('one receiver at a time, and no message is done by halves unsaid', () =>
  withPair((pair) => {
    const { source, copy, receiver } = pair;
    assert.ok(stateOf(copy).empty);
    receiver.begin();
    assert.is(
      codeOf(() => fs.openSync(replicaOf(copy), 'r+')),
      'EBUSY',
    );
    assert.not.ok(stateOf(copy).empty);
    assert.is(
      codeOf(() => fs.writeSync(receiver.fd, 'rubbish')),
      'EINVAL',
    );
    assert.match(receiver.failure(), /"reason":"it does not begin with/);
    fs.writeFileSync(join(source.mnt, 'file'), 'x');
    fs.mkdirSync(join(source.mnt, 'd'));
    settle(source);
    const items = receiver.messages('f').flat();
    receiver.send(items);
    assert.throws(() => receiver.send(items), /"errno":"ESTALE","item":0,"op":"create"/);
    assert.equal(fs.readdirSync(copy.mnt).sort(), ['d', 'file']);
    receiver.close();
    // Whoever closed it has let go.
    assert.is(
      codeOf(() => fs.closeSync(fs.openSync(replicaOf(copy), 'r+'))),
      'ok',
    );
  }));

test.run();
