/** Feeds that must not miss a change: that they go on refusing, and only what they would take. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { createFile, fsyncOf, type OpenFile } from '../support/simulated-files.js';
import { type RetentionRun, withRetention } from './retention-run.js';

const MIB = 2 ** 20;
const WHO = { uid: 0, gid: 0, pid: 1, jobid: 'test.0', nid: '0@lo' };
const BLOCK_FIVE = '{"maxRecords":5,"then":"block"}';
/** More than any disk has. */
const BLOCK_SHORT = '{"minFree":"10M","then":"block"}';

/** A disk of a hundred MiB with one free. */
function fillDisk(run: RetentionRun): void {
  run.sim.store.space = () => ({ freeBytes: MIB, totalBytes: 100 * MIB });
  run.clock.advance(MIB);
}

/** One change that is not waited for. */
function mkdirNow({ sim }: RetentionRun, name: string): void {
  const asked = { parent: ROOT_FID, name: nameFromText(name), umask: 0, rdev: 0, open: false };
  sim.rpc('reint', { who: WHO, change: { op: 'create', mode: 0o040755, ...asked } });
}

function access(run: RetentionRun): Promise<unknown> {
  const report = { kind: 'open', flags: 1, errno: 0, repeated: 0, directory: false } as const;
  return run.call('access', { who: WHO, fid: ROOT_FID, ...report });
}

async function writes(run: RetentionRun, file: OpenFile, count: number): Promise<string[]> {
  const outcomes = new Set<string>();
  for (let i = 0; i < count; i++) {
    outcomes.add(await run.write(file));
    await run.sim.answer('fsync', fsyncOf(file));
  }
  return [...outcomes];
}

test('a feed that had room for a moment refuses data as soon as it is full again', () =>
  withRetention(async (run) => {
    const id = await run.feed('audit', BLOCK_FIVE);
    const file = createFile(run.sim, 'file');
    await run.mkdirs(4);
    assert.is(await run.write(file), 'ENOSPC');
    // Room for one, which a write asks for before a flush has told anybody…
    run.sim.holdFlushes = true;
    const record = (run.sim.server.feeds.get(id)?.parts[0]?.span.blocks.blockAt(0, 'offset')
      ?.offsets[1] ?? 0) as number;
    run.sim.connection.call(
      'feedPunch',
      { id, view: 'stream', epoch: 0, offset: 0, length: record },
      () => {},
    );
    assert.is(await run.write(file), 'ok');
    // …and the next change takes.
    mkdirNow(run, 'z');
    await run.sim.settle();
    const { owedRecords, full } = await run.info(id);
    assert.ok(full);
    assert.equal(await writes(run, file, 10), ['ENOSPC']);
    assert.is((await run.info(id)).owedRecords, owedRecords);
  }));

test('a disk that is short refuses what the feed would take, and nothing else', () =>
  withRetention(async (run) => {
    const id = await run.feed('secrets', BLOCK_SHORT);
    await run.call('feedSetText', { id, file: 'filter', text: '{"name":"secret*"}' });
    const other = createFile(run.sim, 'other');
    const secret = createFile(run.sim, 'secret');
    fillDisk(run);
    assert.is(await run.mkdir('public'), 'ok');
    assert.is(await run.write(other), 'ok');
    assert.is(await run.mkdir('secret-2'), 'ENOSPC');
    assert.is(await run.write(secret), 'ENOSPC');
    assert.ok((await run.info(id)).full, 'shown');
  }));

test('of several feeds that the disk is too short for, each refuses its own', () =>
  withRetention(async (run) => {
    const first = await run.feed('first', BLOCK_SHORT);
    const text = '{"name":"never"}';
    assert.is(await run.call('feedSetText', { id: first, file: 'filter', text }), undefined);
    const second = await run.feed('second', BLOCK_SHORT);
    const accesses = '{"ops":["accesses","mkdir"]}';
    const set = await run.call('feedSetText', { id: second, file: 'filter', text: accesses });
    assert.is(set, undefined);
    fillDisk(run);
    assert.is(await access(run), 'ENOSPC');
    assert.is(await run.mkdir('made'), 'ENOSPC');
    assert.is(await run.mkdir('never'), 'ENOSPC');
    await run.call('feedRemove', { name: nameFromText('second') });
    assert.is(await run.mkdir('made'), 'ok');
    assert.is(await run.mkdir('never'), 'ENOSPC');
  }));

test.run();
