/** What becomes of feeds that owe more than they may: each action, with commits that a test controls. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { errnoName } from '../../src/base/errno.js';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { createFile, fsyncOf, releaseOf } from '../support/simulated-files.js';
import { withRetention } from './retention-run.js';

test('expire: a feed that owes too many records ends, the others do not', () =>
  withRetention(async (run) => {
    const id = await run.feed('small', '{"maxRecords":10}');
    const other = await run.feed('other');
    await run.mkdirs(10);
    assert.is((await run.info(id)).state, 'active');
    await run.mkdirs(1);
    const info = await run.info(id);
    assert.is(info.state, 'expired');
    assert.is(info.expired?.why, 'it owed more than 10 records');
    assert.is(info.expired?.records, '11');
    assert.is((await run.info(other)).owedRecords, '11');
    assert.ok(run.sim.server.recording);
  }));

test('expire: open readers see the end, and are woken', () =>
  withRetention(async (run) => {
    const id = await run.feed('read', '{"maxBytes":5000}');
    const ended: number[] = [];
    run.sim.connection.onNotice((notice) => {
      if (notice.kind === 'feed-ended') ended.push(notice.id);
    });
    assert.is(await run.open(id), 'ok');
    await run.mkdirs(60);
    assert.equal(ended, [id]);
    assert.is(await run.read(id), 'end');
    const into = Buffer.alloc(10);
    const at = await run.call('feedAt', { id, view: 'ndjson', epoch: 0, offset: 5, into });
    assert.equal(at, { length: 0, cursor: 5, gone: true, damaged: false });
    const ready = { id, view: 'stream', epoch: 0, cursor: 0 } as const;
    assert.is(await run.call('feedReady', ready), 'ENODEV');
    assert.is(await run.call('feedPunch', { ...ready, offset: 0, length: 10 }), 'ENODEV');
  }));

interface LostLine {
  readonly firstIndex: string;
  readonly lastIndex: string;
  readonly records: string;
  readonly bytes: string;
}

test('drop-oldest: one LOST record stands for exactly what went', () =>
  withRetention(async (run) => {
    const id = await run.feed('lossy', '{"maxRecords":10,"then":"drop-oldest"}');
    let made = 0;
    for (const total of [11, 12, 40]) {
      await run.mkdirs(total - made);
      made = total;
      const info = await run.info(id);
      const lines = await run.lines(id);
      assert.is(lines.length, 10);
      const first = lines[0];
      assert.is(first?.op, 'lost');
      const lost = first?.lost as LostLine;
      const kept = lines.slice(1).map(({ index }) => Number(index));
      assert.is(lost.firstIndex, '1');
      assert.is(Number(lost.lastIndex), (kept[0] ?? 0) - 1);
      assert.is(lost.records, lost.lastIndex);
      assert.equal(
        kept,
        Array.from(kept, (_, i) => (kept[0] ?? 0) + i),
      );
      assert.is(info.state, 'active');
      assert.is(info.owedRecords, '10');
      assert.is(info.lost?.records, lost.records);
      assert.is(info.lost?.why, 'it owed more than 10 records');
    }
  }));

test('drop-oldest: an acknowledged loss is settled, the next one counts anew, also over a restart', () =>
  withRetention(async (run) => {
    const id = await run.feed('lossy', '{"maxRecords":5,"then":"drop-oldest"}');
    await run.mkdirs(20);
    await run.restart('crash');
    assert.is((await run.info(id)).lost?.lastIndex, '16');
    const status = await run.call('feedStatus', { id, view: 'stream' });
    assert.ok(typeof status !== 'string' && status !== undefined);
    await run.acknowledge(id, status.size);
    assert.is((await run.info(id)).lost, null);
    assert.is((await run.info(id)).owedRecords, '0');
    await run.mkdirs(20);
    await run.restart('stop');
    const { lost } = await run.info(id);
    assert.is(lost?.firstIndex, '21');
    assert.is(lost?.records, '16');
    assert.is((await run.lines(id))[0]?.op, 'lost');
  }));

test('drop-oldest: a feed whose oldest records are damaged ends, rather than grow without bound', () =>
  withRetention(async (run) => {
    const id = await run.feed('damaged', '{"maxRecords":1000,"then":"drop-oldest"}');
    await run.mkdirs(20);
    await run.restart('stop');
    const { store } = run.sim;
    const [first] = [...store.tables.log.keys({})];
    assert.ok(first !== undefined);
    store.commit(() => store.tables.log.remove(Buffer.from(first)));
    await run.policy(id, '{"maxRecords":19,"then":"drop-oldest"}');
    const { state, expired } = await run.info(id);
    assert.is(state, 'expired');
    assert.is(expired?.why, 'it owed more than 19 records, and what is to be dropped is damaged');
    await run.mkdirs(1);
  }));

test('drop-oldest by bytes stays below the limit', () =>
  withRetention(async (run) => {
    const id = await run.feed('lossy', '{"maxBytes":"8K","then":"drop-oldest"}');
    await run.mkdirs(200);
    const { owedBytes, lost } = await run.info(id);
    assert.ok(Number(owedBytes) <= 8_192 && Number(owedBytes) > 7_000, owedBytes);
    const lines = await run.lines(id);
    assert.is(Number(lost?.records) + lines.length - 1, 200);
  }));

test('block: what the feed would have to take fails until it is acknowledged', () =>
  withRetention(async (run) => {
    const id = await run.feed('audit', '{"maxRecords":5,"then":"block"}');
    await run.mkdirs(5);
    assert.is(await run.mkdir('refused'), 'ENOSPC');
    assert.is(await run.mkdir('refused'), 'ENOSPC');
    const info = await run.info(id);
    assert.is(info.state, 'active');
    assert.ok(info.full);
    assert.is(info.owedRecords, '5');
    assert.is(
      await run.call('lookup', { parent: ROOT_FID, name: nameFromText('refused') }),
      'ENOENT',
    );
    assert.is(run.sim.server.events.snapshot().changes_blocked, 2);
    await run.restart('crash');
    assert.is(await run.mkdir('refused'), 'ENOSPC');
    const lines = await run.lines(id);
    assert.is(lines.length, 5);
    await run.acknowledge(id, 1_000, 'ndjson');
    assert.not((await run.info(id)).full);
    assert.is(await run.mkdir(), 'ok');
  }));

test('block: another policy, or the end of the feed, lets changes pass', () =>
  withRetention(async (run) => {
    const id = await run.feed('audit', '{"maxRecords":3,"then":"block"}');
    await run.mkdirs(3);
    assert.is(await run.mkdir(), 'ENOSPC');
    await run.policy(id, '{"maxRecords":4,"then":"block"}');
    assert.is(await run.mkdir(), 'ok');
    assert.is(await run.mkdir(), 'ENOSPC');
    assert.is(await run.call('feedRemove', { name: nameFromText('audit') }), undefined);
    assert.is(await run.mkdir(), 'ok');
  }));

test('block: changes that are not visible yet count', () =>
  withRetention(async (run) => {
    await run.feed('audit', '{"maxRecords":3,"then":"block"}');
    run.sim.holdFlushes = true;
    const outcomes: (string | undefined)[] = [];
    for (let i = 0; i < 5; i++) {
      const asked = { parent: ROOT_FID, name: nameFromText(`m-${i}`), umask: 0, rdev: 0 };
      const change = { op: 'create', mode: 0o040755, open: false, ...asked } as const;
      const who = { uid: 0, gid: 0, pid: 1, jobid: '', nid: '0@lo' };
      const result = run.sim.rpc('reint', { who, change });
      outcomes.push(typeof result === 'number' ? errnoName(result) : 'ok');
    }
    assert.equal(outcomes, ['ok', 'ok', 'ok', 'ENOSPC', 'ENOSPC']);
    await run.sim.settle();
  }));

test('block: data are refused before they are written, and recorded once they are', () =>
  withRetention(async (run) => {
    const id = await run.feed('audit', '{"maxRecords":3,"then":"block"}');
    const a = createFile(run.sim, 'a');
    const b = createFile(run.sim, 'b');
    assert.is(await run.write(a), 'ok');
    assert.is(await run.mkdir(), 'ok');
    // Full: what is written already must be recorded, and nothing more may be written.
    assert.is(await run.write(b), 'ENOSPC');
    assert.is(await run.write(a), 'ENOSPC');
    assert.is((await run.sim.answer('fsync', fsyncOf(a))).outcome, 'ok');
    const lines = await run.lines(id);
    assert.equal(
      lines.map(({ op }) => op),
      ['create', 'create', 'mkdir', 'write'],
    );
    run.sim.ask('release', releaseOf(b));
    await run.acknowledge(id, 100_000);
    assert.is(await run.write(a), 'ok');
    run.sim.ask('release', releaseOf(a));
    await run.sim.settle();
    assert.is((await run.info(id)).owedRecords, '1');
  }));

test('block: a feed that is full when the server starts refuses the first write', () =>
  withRetention(async (run) => {
    const a = createFile(run.sim, 'a');
    run.sim.ask('release', releaseOf(a));
    await run.feed('audit', '{"maxRecords":1,"then":"block"}');
    await run.mkdirs(1);
    await run.restart('stop');
    const asked = { nodeId: a.fid, flags: 2, killSuidgid: false };
    const open = run.sim.ask('open', asked);
    assert.is(await run.write({ fid: a.fid, fh: open.got.open?.fh ?? 0 }), 'ENOSPC');
  }));

test('block with a filter: only what the feed asks for is refused', () =>
  withRetention(async (run) => {
    const id = await run.feed('audit', '{"maxRecords":2,"then":"block"}');
    const text = '{"name":"secret*"}';
    assert.is(await run.call('feedSetText', { id, file: 'filter', text }), undefined);
    await run.mkdirs(10);
    assert.is((await run.info(id)).owedRecords, '0');
    assert.is(await run.mkdir('secret-1'), 'ok');
    assert.is(await run.mkdir('secret-2'), 'ok');
    assert.is(await run.mkdir('secret-3'), 'ENOSPC');
    assert.is(await run.mkdir('public'), 'ok');
    const open = createFile(run.sim, 'notes');
    assert.is(await run.write(open), 'ok');
    run.sim.ask('release', releaseOf(open));
  }));

test('a policy that is none changes nothing, and says why', () =>
  withRetention(async (run) => {
    const id = await run.feed('f', '{"maxRecords":10}');
    const before = await run.text(id, 'policy');
    const text = '{"maxRecords":0}';
    assert.is(await run.call('feedSetText', { id, file: 'policy', text }), 'EINVAL');
    const info = await run.info(id);
    assert.is(info.lastError, 'policy: maxRecords must be more than zero');
    assert.is(await run.text(id, 'policy'), before);
    await run.policy(id, '');
    assert.is((await run.info(id)).lastError, null);
    assert.is(await run.text(id, 'policy'), '{"maxIdle":"30d","then":"expire"}\n');
    await run.restart('crash');
    assert.is(await run.text(id, 'policy'), '{"maxIdle":"30d","then":"expire"}\n');
  }));

test('a policy is as it was set after a crash', () =>
  withRetention(async (run) => {
    const id = await run.feed('f', '{"maxRecords":3,"then":"drop-oldest"}');
    await run.restart('crash');
    const text = '{"maxIdle":"30d","maxRecords":3,"then":"drop-oldest"}\n';
    assert.is(await run.text(id, 'policy'), text);
    await run.mkdirs(10);
    assert.is((await run.info(id)).lost?.records, '8');
  }));

test.run();
