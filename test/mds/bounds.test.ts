/** What the metadata server keeps in memory, and when it refuses or waits instead. */
import * as assert from 'uvu/assert';
import { type Errno, errnoName } from '../../src/base/errno.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { S_IFLNK } from '../../src/base/mode.js';
import { nameFromText } from '../../src/base/name.js';
import { DEFAULT_ACL } from '../../src/base/xattr-name.js';
import { encodeAcl } from '../../src/mds/acl.js';
import { encodeInode, Inode } from '../../src/mds/inode.js';
import { InodeTable } from '../../src/mds/inode-table.js';
import { keptRequest } from '../../src/mds/kept-request.js';
import { INODE_CACHE_ENTRIES, TARGET_BYTES_MAX } from '../../src/mds/limits.js';
import { INLINE_BYTES_MAX } from '../../src/rpc/limits.js';
import type { AttributeChange, Reint, ReintRequest } from '../../src/rpc/messages.js';
import {
  RESERVE_HARD_BYTES,
  RESERVE_KEEPING_BYTES,
  UNCOMMITTED_BYTES_MAX,
  UNCOMMITTED_CHANGES_MAX,
} from '../../src/store/limits.js';
import type { Table } from '../../src/store/table.js';
import type { Simulated } from '../support/simulated.js';
import { attributes, DIRECTORY, done, make, reint, reintSuite } from './reint-fixture.js';

const test = reintSuite('bounds');
const WHO = { uid: 7, gid: 8, pid: 99, jobid: 'cp.7', nid: '0@lo' };
const TIME = { sec: 3, nsec: 0 };
const NOBODY = 0xffff_ffff;

function writeOf(fid: Fid, contents: Uint8Array): Extract<Reint, { op: 'write' }> {
  const size = contents.length;
  const extents = [{ offset: 0, length: size }];
  const written = { layout: 'inline', generation: 0, blocks: 1, contents, size } as const;
  const rest = { killSuidgid: false, keepIntent: false, mtime: TIME };
  return { op: 'write', fid, extents, ...written, ...rest };
}

function setxattrOf(fid: Fid, name: string, value: Uint8Array): Extract<Reint, { op: 'setxattr' }> {
  return { op: 'setxattr', fid, name: nameFromText(name), value, flags: 0 };
}

/** How many changes are made before one waits. */
function madeUntilOneWaits(sim: Simulated, change: (i: number) => Reint): number {
  for (let i = 0; ; i++) {
    let errno: Errno | 0 | undefined;
    sim.connection.call('reint', { who: WHO, change: change(i) }, (answer) => {
      errno = answer;
    });
    if (errno === undefined) return i;
    assert.is(errno, 0);
  }
}

const MKDIR = { op: 'create', mode: DIRECTORY, umask: 0, rdev: 0, open: false } as const;
/** As many named users as one ACL has room for. */
const LONG_ACL = encodeAcl([
  { tag: 1, permissions: 7, id: NOBODY },
  ...Array.from({ length: 500 }, (_, id) => ({ tag: 2, permissions: 7, id }) as const),
  { tag: 4, permissions: 5, id: NOBODY },
  { tag: 16, permissions: 7, id: NOBODY },
  { tag: 32, permissions: 5, id: NOBODY },
]);

const LARGE: readonly (readonly [string, number, (parent: Fid, file: Fid, i: number) => Reint])[] =
  [
    ['extended attributes', 65_536, (_, file) => setxattrOf(file, 'user.a', Buffer.alloc(65_536))],
    ['small files', INLINE_BYTES_MAX, (_, file) => writeOf(file, Buffer.alloc(INLINE_BYTES_MAX))],
    [
      'inherited ACLs',
      LONG_ACL.length,
      (parent, _, i) => ({ ...MKDIR, parent, name: nameFromText(`${i}`) }),
    ],
  ];

for (const [what, bytes, change] of LARGE) {
  test(`uncommitted ${what} are bounded in bytes`, async ({ sim }) => {
    const parent = make(sim, ROOT_FID, 'd', DIRECTORY);
    done(sim, setxattrOf(parent, DEFAULT_ACL, LONG_ACL));
    const file = make(sim, ROOT_FID, 'f');
    await sim.settle();
    sim.holdFlushes = true;
    done(sim, { op: 'setattr', fid: file, change: { mode: 0o600 } });
    sim.server.commit.run();
    const made = madeUntilOneWaits(sim, (i) => change(parent, file, i));
    assert.ok(made * bytes <= UNCOMMITTED_BYTES_MAX, `${made} of ${bytes} bytes`);
    assert.ok(made > 100, `${made}`);
  });
}

test('a request that waits keeps its own bytes, and no more of the buffer they came in', () => {
  const buffer = Buffer.alloc(1024 * 1024, 5);
  const fid = ROOT_FID;
  const changes: [Reint, (change: Reint) => Uint8Array | undefined][] = [
    [
      setxattrOf(fid, 'user.a', buffer.subarray(100, 110)),
      (change) => (change.op === 'setxattr' ? change.value : undefined),
    ],
    [
      writeOf(fid, buffer.subarray(100, 110)),
      (change) => (change.op === 'write' ? change.contents : undefined),
    ],
  ];
  for (const [change, bytesOf] of changes) {
    const request: ReintRequest = { who: WHO, change, keepsNameless: true };
    const kept = keptRequest(request);
    assert.equal({ ...kept, change: undefined }, { ...request, change: undefined });
    assert.is(bytesOf(kept.change)?.buffer.byteLength, 10);
    buffer.fill(6);
    assert.equal([...(bytesOf(kept.change) ?? [])], new Array(10).fill(5));
    buffer.fill(5);
  }
});

test('while commits fail, removals are refused at the bound, and commits are tried seldom', async ({
  sim,
}) => {
  const count = UNCOMMITTED_CHANGES_MAX + 500;
  for (let i = 0; i < count; i++) {
    make(sim, ROOT_FID, `f${i}`);
    if (i % 1000 === 0) await sim.settle();
  }
  await sim.settle();
  const commit = sim.store.commit.bind(sim.store);
  let tries = 0;
  sim.store.commit = () => {
    tries++;
    throw new Error('MDB_MAP_FULL');
  };
  const answers: Record<string, number> = {};
  for (let i = 0; i < count; i++) {
    const change: Reint = { op: 'unlink', parent: ROOT_FID, name: nameFromText(`f${i}`) };
    sim.connection.call('reint', { who: WHO, change }, (errno) => {
      const name = errno === 0 ? 'done' : errnoName(errno);
      answers[name] = (answers[name] ?? 0) + 1;
    });
    if (i === 10) sim.server.commit.run();
  }
  sim.store.commit = commit;
  assert.equal(answers, { done: UNCOMMITTED_CHANGES_MAX, ENOSPC: 500 });
  assert.is(tries, 1);
});

test('who ends the server is not told of a failure that is over', async ({ sim }) => {
  const commit = sim.store.commit.bind(sim.store);
  sim.store.commit = () => {
    throw new Error('MDB_MAP_FULL');
  };
  make(sim, ROOT_FID, 'a');
  sim.server.commit.run();
  sim.store.commit = commit;
  await sim.server.settle();
  assert.is(sim.server.commit.uncommitted, 0);
});

test('on a full disk attributes change and files shrink, but do not grow', async ({ sim }) => {
  const fid = make(sim, ROOT_FID, 'a');
  done(sim, writeOf(fid, Buffer.alloc(100)));
  await sim.settle();
  const outcome = (free: number, change: AttributeChange): string => {
    sim.store.freeBytes = () => free;
    sim.clock.advance(1_000_000);
    const result = reint(sim, { op: 'setattr', fid, change });
    return typeof result === 'string' ? result : 'done';
  };
  for (const change of [
    { mode: 0o600 },
    { uid: 3, gid: 4 },
    { atime: 'now', mtime: TIME },
  ] as const) {
    assert.is(outcome(RESERVE_KEEPING_BYTES, change), 'done', JSON.stringify(change));
    assert.is(outcome(RESERVE_KEEPING_BYTES - 1, change), 'ENOSPC', JSON.stringify(change));
  }
  assert.is(outcome(RESERVE_KEEPING_BYTES, { size: 101 }), 'ENOSPC');
  assert.is(outcome(RESERVE_KEEPING_BYTES, { size: 100 }), 'done');
  assert.is(outcome(RESERVE_HARD_BYTES, { size: 99 }), 'done');
  assert.is(outcome(RESERVE_HARD_BYTES - 1, { size: 0 }), 'ENOSPC');
  assert.is(attributes(sim, fid).size, 99);
});

/** A table of symlinks without end, which counts how often it is read. */
class Symlinks {
  reads = 0;

  get(key: Buffer): Buffer {
    this.reads++;
    const inode = new Inode(Number(key.readBigUInt64BE(0)) as Fid, S_IFLNK | 0o777, TIME);
    inode.target = 'x'.repeat(TARGET_BYTES_MAX);
    return encodeInode(inode);
  }
}

test('inodes with long targets are kept in smaller number', () => {
  const symlinks = new Symlinks();
  const inodes = new InodeTable(symlinks as unknown as Table);
  const first = 10;
  const last = first + INODE_CACHE_ENTRIES / 2;
  for (let fid = first; fid <= last; fid++) inodes.get(fid as Fid);
  symlinks.reads = 0;
  for (let fid = last - 100; fid <= last; fid++) inodes.get(fid as Fid);
  assert.is(symlinks.reads, 0);
  inodes.get(first as Fid);
  assert.is(symlinks.reads, 1);
});

test.run();
