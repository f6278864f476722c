/** Accesses for which there is no room: which are refused, which are recorded all the same, which go without a record. */
import * as assert from 'uvu/assert';
import { Errno, FsError } from '../../src/base/errno.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { ACCESS_INTERVAL_US } from '../../src/client/limits.js';
import { ACCESSES_WAITING_MAX } from '../../src/mds/limits.js';
import type { AccessReport } from '../../src/rpc/messages.js';
import {
  RESERVE_BYTES,
  RESERVE_READING_BYTES,
  UNCOMMITTED_CHANGES_MAX,
} from '../../src/store/limits.js';
import type { Simulated } from '../support/simulated.js';
import {
  ACCESSES,
  accessSuite,
  CALLER,
  flush,
  getxattr,
  makeFeed,
  open,
  ops,
  release,
  setText,
  setxattr,
  WHO,
} from './access-fixture.js';

const test = accessSuite('room for accesses');

const O_RDONLY = 0;
const O_WRONLY = 1;
const O_RDWR = 2;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;

function report(fid: Fid, more: Partial<AccessReport> = {}): AccessReport {
  const rest = { flags: O_RDONLY, errno: 0, directory: false, repeated: 0 };
  return { who: WHO, fid, kind: 'open', ...rest, ...more };
}

/** Lists the root: 'ok', or why not. */
function list(sim: Simulated): string {
  const opened = { nodeId: ROOT_FID, flags: 0o200000, killSuidgid: false, caller: CALLER };
  const reply = sim.ask('opendir', opened);
  const fh = reply.got.open?.fh;
  if (fh === undefined) return reply.outcome;
  const rest = { flags: 0, lockOwner: 0n, unlockFlock: false };
  sim.ask('releasedir', { nodeId: ROOT_FID, fh, ...rest });
  return 'ok';
}

function create(sim: Simulated, name: string): string {
  const flags = O_CREAT | O_WRONLY;
  const asked = { name: nameFromText(name), mode: 0o100644, umask: 0, flags, killSuidgid: false };
  return sim.ask('create', { nodeId: ROOT_FID, ...asked, caller: CALLER }).outcome;
}

function exists(sim: Simulated, name: string): boolean {
  return typeof sim.rpc('lookup', { parent: ROOT_FID, name: nameFromText(name) }) === 'object';
}

function unlink(sim: Simulated, name: string): string {
  return sim.ask('unlink', { nodeId: ROOT_FID, name: nameFromText(name) }).outcome;
}

/** A feed of accesses that must not miss any, and is full. */
async function fullFeed(sim: Simulated, filter = ACCESSES): Promise<number> {
  const audit = await makeFeed(sim, 'audit', filter);
  await setText(sim, audit, 'policy', '{"maxRecords":1,"then":"block"}');
  list(sim);
  await sim.settle();
  return audit;
}

/** So many accesses that the next one waits for the disk. */
function saturate(sim: Simulated, file: Fid): void {
  const { commit } = sim.server;
  const room = UNCOMMITTED_CHANGES_MAX - commit.uncommitted;
  for (let i = 0; i < room; i++) sim.connection.call('access', report(file), () => {});
  assert.ok(commit.saturated);
}

/** …and those after it, too: the disk is busy with others. */
function saturateTwice(sim: Simulated, file: Fid): void {
  sim.holdFlushes = true;
  saturate(sim, file);
  sim.server.commit.run();
  saturate(sim, file);
}

test('a full feed that must not miss anything refuses what may change something', async ({
  sim,
  file,
}) => {
  setxattr(sim, file);
  await fullFeed(sim);
  for (const flags of [O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC]) {
    assert.is(open(sim, file, flags), 'ENOSPC', `flags ${flags}`);
  }
  assert.is(getxattr(sim, file, 100), 'ENOSPC');
  assert.is(sim.server.events.snapshot().accesses_blocked, 4);
  setxattr(sim, file);
});

test('and takes more than its limit of what reads, or happens all the same', async ({
  sim,
  file,
}) => {
  const audit = await fullFeed(sim);
  assert.is(list(sim), 'ok');
  release(sim, file, open(sim, file));
  const denied = report(file, { kind: 'denied', errno: Errno.EACCES, flags: O_RDWR });
  assert.is(sim.rpc('access', denied), undefined);
  assert.is(unlink(sim, 'file'), 'ok');
  const reads = ['open', 'close', 'open', 'close', 'open', 'close'];
  assert.equal(await ops(sim, audit), [...reads, 'denied']);
});

test('one that asks for more free space than there is does the same', async ({ sim, file }) => {
  const audit = await makeFeed(sim, 'audit', '{"ops":["changes","accesses"]}');
  await setText(sim, audit, 'policy', '{"minFree":"99%","then":"block"}');
  sim.store.space = () => ({ freeBytes: RESERVE_BYTES * 2, totalBytes: 2 ** 40 });
  sim.clock.advance(ACCESS_INTERVAL_US);
  assert.is(open(sim, file, O_WRONLY), 'ENOSPC');
  assert.is(create(sim, 'new'), 'ENOSPC');
  assert.is(list(sim), 'ok');
  assert.is(unlink(sim, 'file'), 'ok');
  assert.equal(await ops(sim, audit), ['open', 'close', 'unlink']);
});

test('reading takes no more of the reserve than leaves some for deleting', async ({
  sim,
  file,
}) => {
  const audit = await fullFeed(sim);
  sim.store.freeBytes = () => RESERVE_READING_BYTES;
  sim.clock.advance(ACCESS_INTERVAL_US);
  assert.not.equal(open(sim, file, O_RDONLY), 'ENOSPC');
  sim.store.freeBytes = () => RESERVE_READING_BYTES - 1;
  sim.clock.advance(ACCESS_INTERVAL_US);
  assert.is(list(sim), 'ENOSPC');
  assert.is(open(sim, file, O_RDONLY), 'ENOSPC');
  assert.is(unlink(sim, 'file'), 'ok');
  assert.is((await ops(sim, audit)).length, 3);
});

test('what happens without a record, for lack of space, is told of when there is room', async ({
  sim,
  file,
}) => {
  const audit = await fullFeed(sim);
  const fh = open(sim, file);
  const { freeBytes } = sim.store;
  sim.store.freeBytes = () => 0;
  sim.clock.advance(ACCESS_INTERVAL_US);
  release(sim, file, fh);
  sim.store.freeBytes = freeBytes;
  sim.clock.advance(ACCESS_INTERVAL_US);
  sim.tick();
  assert.equal(await ops(sim, audit), ['open', 'close', 'open', 'close x1']);
});

test('a file that could not be opened is not made', async ({ sim }) => {
  const audit = await fullFeed(sim);
  assert.is(create(sim, 'new'), 'ENOSPC');
  assert.not(exists(sim, 'new'));
  assert.is(sim.server.events.snapshot().changes_blocked, 1);
  await setText(sim, audit, 'filter', '{"ops":["open"],"name":"*.log"}');
  assert.is(create(sim, 'new'), 'ok', 'the feed would not take it');
  assert.is(create(sim, 'new.log'), 'ENOSPC');
});

test('with room for the creation alone the feed takes the open, too', async ({ sim }) => {
  const audit = await makeFeed(sim, 'audit', '{"ops":["create","open"]}');
  await setText(sim, audit, 'policy', '{"maxRecords":1,"then":"block"}');
  assert.is(create(sim, 'new'), 'ok');
  assert.is(create(sim, 'other'), 'ENOSPC');
  assert.equal(await ops(sim, audit), ['create', 'open']);
});

test('the open of a new file, which was admitted with it, does not wait', async ({ sim, file }) => {
  const audit = await makeFeed(sim, 'audit', ACCESSES);
  await setText(sim, audit, 'policy', '{"maxRecords":100000,"then":"block"}');
  saturateTwice(sim, file);
  const opened = report(file, { flags: O_CREAT | O_RDWR });
  assert.is(sim.rpc('access', opened), undefined);
  assert.is((await ops(sim, audit)).length > 0, true);
});

test('an open that was refused leaves nothing open and nothing truncated', async ({
  sim,
  file,
}) => {
  const size = { size: 5, killSuidgid: false };
  sim.rpc('reint', { who: WHO, change: { op: 'setattr', fid: file, change: size } });
  await fullFeed(sim);
  assert.is(open(sim, file, O_WRONLY | O_TRUNC), 'ENOSPC');
  const attributes = sim.rpc('getattr', { fid: file });
  assert.is(typeof attributes === 'object' && attributes?.size, 5);
  assert.not(sim.server.namespace.opens.has(file));
});

test('on a store that cannot be written everybody may still read, unless a feed must not miss it', async ({
  sim,
  file,
}) => {
  const audit = await makeFeed(sim, 'audit', ACCESSES);
  setxattr(sim, file);
  saturate(sim, file);
  const commit = sim.store.commit.bind(sim.store);
  sim.store.commit = () => {
    throw new FsError(Errno.ENOSPC, 'the disk is full');
  };
  try {
    release(sim, file, open(sim, file, O_WRONLY));
    assert.is(list(sim), 'ok');
    assert.is(getxattr(sim, file, 100), 'ok');
    assert.is(sim.server.events.snapshot().accesses_dropped, 5);
    const { room } = sim.server.retention;
    room.hasBlocker = (feeds) => feeds.includes(audit);
    assert.is(open(sim, file, O_RDWR), 'ENOSPC');
  } finally {
    sim.store.commit = commit;
    sim.clock.advance(ACCESS_INTERVAL_US);
    await flush(sim);
  }
});

test('a fault in one that waited is its own answer, and nobody else suffers', async ({
  sim,
  file,
}) => {
  await makeFeed(sim, 'audit', ACCESSES);
  saturateTwice(sim, file);
  const answers: (Errno | 0)[] = [];
  const ask = (): void =>
    sim.connection.call('access', report(file), (errno) => answers.push(errno));
  ask();
  ask();
  const { log } = sim.server;
  const append = log.append.bind(log);
  log.append = () => {
    log.append = append;
    throw new FsError(Errno.EFBIG, 'no record is that long');
  };
  await flush(sim);
  assert.equal(answers, [Errno.EFBIG, 0]);
});

test('not more than a bounded number waits; what comes then goes without a record', async ({
  sim,
  file,
}) => {
  await makeFeed(sim, 'audit', ACCESSES);
  const before = sim.server.log.end.index;
  saturateTwice(sim, file);
  let answers = 0;
  const ask = (): void => sim.connection.call('access', report(file), () => answers++);
  for (let i = 0; i < ACCESSES_WAITING_MAX; i++) ask();
  assert.is(answers, 0);
  ask();
  assert.is(answers, 1);
  assert.is(sim.server.events.snapshot().accesses_dropped, 1);
  await flush(sim);
  assert.is(answers, 1 + ACCESSES_WAITING_MAX);
  assert.is(sim.server.log.end.index - before, 2 * UNCOMMITTED_CHANGES_MAX + ACCESSES_WAITING_MAX);
});

test.run();
