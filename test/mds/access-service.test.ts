/** Access records from the client's handlers to a feed, without a kernel: when there are any. */
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { ACCESS_INTERVAL_US } from '../../src/client/limits.js';
import type { AccessReport, Stats } from '../../src/rpc/messages.js';
import { UNCOMMITTED_CHANGES_MAX } from '../../src/store/limits.js';
import { Simulated } from '../support/simulated.js';
import {
  ACCESSES,
  accessSuite,
  CALLER,
  getxattr,
  makeFeed,
  open,
  ops,
  records,
  release,
  setxattr,
  WHO,
} from './access-fixture.js';

const test = accessSuite('access service');

test('a record says who, what and how; its transno is that of the last change', async ({
  sim,
  file,
}) => {
  const audit = await makeFeed(sim, 'audit', ACCESSES);
  setxattr(sim, file);
  const fh = open(sim, file, 0o100002);
  release(sim, file, fh);
  getxattr(sim, file, 100);
  const [opened, closed, read] = await records(sim, audit);
  assert.ok(opened?.op === 'open' && closed?.op === 'close' && read?.op === 'getxattr');
  const access = { flags: 0o100002, errno: 0, repeated: 0, directory: false };
  assert.equal([opened.access, closed.access], [access, access]);
  assert.equal([opened.fid, opened.uid, opened.gid, opened.nid], [file, 7, 8, '0@lo']);
  assert.equal([opened.transno, closed.transno, read.transno], [2, 2, 2]);
  assert.equal(read.access, { errno: 0, repeated: 0, directory: false });
  assert.is(read.xattr.name, 'user.a');
});

test('while nobody asks nothing is logged, and a feed of changes takes none', async ({
  sim,
  file,
}) => {
  const changes = await makeFeed(sim, 'changes');
  release(sim, file, open(sim, file));
  assert.equal(await ops(sim, changes), []);
  const before = sim.server.log.end.index;
  const audit = await makeFeed(sim, 'audit', ACCESSES);
  release(sim, file, open(sim, file));
  assert.equal(await ops(sim, audit), ['open', 'close']);
  setxattr(sim, file);
  assert.equal(await ops(sim, changes), ['setxattr']);
  assert.is(sim.server.log.end.index, before + 3);
  sim.connection.call('feedRemove', { name: nameFromText('audit') }, () => {});
  await sim.settle();
  release(sim, file, open(sim, file));
  await sim.settle();
  assert.is(sim.server.log.end.index, before + 3);
});

test('an access that passes no filter is not logged', async ({ sim, file }) => {
  const audit = await makeFeed(sim, 'audit', '{"ops":["open"],"uid":4711}');
  const before = sim.server.log.end.index;
  release(sim, file, open(sim, file));
  assert.equal(await ops(sim, audit), []);
  assert.is(sim.server.log.end.index, before);
});

test('directories, and an open that only begins when somebody asks', async ({ sim, file }) => {
  const early = open(sim, file);
  const audit = await makeFeed(sim, 'audit', ACCESSES);
  release(sim, file, early);
  const opened = sim.ask('opendir', {
    nodeId: ROOT_FID,
    flags: 0o200000,
    killSuidgid: false,
    caller: CALLER,
  });
  const fh = opened.got.open?.fh ?? 0;
  const rest = { flags: 0, lockOwner: 0n, unlockFlock: false };
  sim.ask('releasedir', { nodeId: ROOT_FID, fh, ...rest });
  const found = await records(sim, audit);
  const told = found.map((one) => ('access' in one ? [one.op, one.access.directory] : one.op));
  assert.equal(told, [
    ['open', true],
    ['close', true],
  ]);
});

test('a length that is asked for, a buffer too small and an ACL are no reads', async ({
  sim,
  file,
}) => {
  const audit = await makeFeed(sim, 'audit', ACCESSES);
  setxattr(sim, file);
  assert.is(getxattr(sim, file, 0), 'ok');
  getxattr(sim, file, 2);
  assert.is(getxattr(sim, file, 100, 'user.none'), 'ENODATA');
  assert.is(getxattr(sim, file, 4096, 'system.posix_acl_access'), 'ENODATA');
  assert.equal(await ops(sim, audit), []);
});

test('equal accesses are counted, and told of when their interval is over', async ({
  sim,
  file,
}) => {
  const audit = await makeFeed(sim, 'audit', ACCESSES);
  for (let i = 0; i < 100; i++) release(sim, file, open(sim, file));
  sim.clock.advance(ACCESS_INTERVAL_US);
  assert.ok(sim.client.anyDirty, 'somebody has to look');
  sim.tick();
  sim.clock.advance(ACCESS_INTERVAL_US);
  sim.tick();
  assert.not(sim.client.anyDirty);
  assert.equal(await ops(sim, audit), ['open', 'close', 'open x99', 'close x99']);
});

test('what was counted when the last feed stops asking is lost, and that is counted', async ({
  sim,
  file,
}) => {
  await makeFeed(sim, 'audit', ACCESSES);
  for (let i = 0; i < 4; i++) release(sim, file, open(sim, file));
  sim.connection.call('feedRemove', { name: nameFromText('audit') }, () => {});
  const stats = await new Promise<Stats | undefined>((done) => sim.client.stats(done));
  assert.is(stats?.client.events.accesses_lost, 6);
  assert.not(sim.client.anyDirty);
});

test('while too much is uncommitted an access waits', async ({ sim, file }) => {
  const audit = await makeFeed(sim, 'audit', ACCESSES);
  sim.holdFlushes = true;
  const report: AccessReport = {
    ...{ who: WHO, fid: file, kind: 'open', flags: 0, errno: 0, directory: false, repeated: 0 },
  };
  let answers = 0;
  const ask = () => sim.connection.call('access', report, () => answers++);
  for (let i = 0; i < UNCOMMITTED_CHANGES_MAX; i++) ask();
  assert.is(answers, UNCOMMITTED_CHANGES_MAX);
  ask();
  assert.is(answers, UNCOMMITTED_CHANGES_MAX);
  await sim.settle();
  assert.is(answers, UNCOMMITTED_CHANGES_MAX + 1);
  const status = sim.rpc('feedPlaces', { id: audit });
  assert.is(typeof status === 'object' && status?.nextIndex, UNCOMMITTED_CHANGES_MAX + 2);
});

test('after a restart what was asked for is asked for', async (context) => {
  const { sim, file, folder } = context;
  const audit = await makeFeed(sim, 'audit', ACCESSES);
  await sim.crash(join(folder, 'again'));
  context.sim = new Simulated(join(folder, 'again'));
  release(context.sim, file, open(context.sim, file));
  assert.equal(await ops(context.sim, audit), ['open', 'close']);
});

test.run();
