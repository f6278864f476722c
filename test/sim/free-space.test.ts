/** Feeds whose policies ask for free space on the disk. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { createFile, releaseOf } from '../support/simulated-files.js';
import { type RetentionRun, withRetention } from './retention-run.js';

const MIB = 2 ** 20;

/** The disk as the test wants it: what is free, of a hundred MiB. */
function giveDisk(run: RetentionRun, freeBytes: () => number): void {
  run.sim.store.space = () => ({ freeBytes: freeBytes(), totalBytes: 100 * MIB });
  run.clock.advance(MIB);
}

test('minFree: the oldest debt gives first, one feed at a time, and no more than is lacking', () =>
  withRetention(async (run) => {
    const young = await run.feed('young', '{"minFree":"10%"}');
    const old = await run.feed('old', '{"minFree":"10M"}');
    await run.mkdirs(50);
    await run.acknowledge(young, 2_000);
    giveDisk(run, () => 10 * MIB);
    await run.mkdirs(1);
    assert.is((await run.info(old)).state, 'active');
    // What the old one owed comes back with the purge.
    giveDisk(run, () => (run.sim.server.feeds.active === 2 ? 10 * MIB - 1 : 10 * MIB));
    await run.mkdirs(1);
    assert.is((await run.info(old)).state, 'expired');
    assert.match((await run.info(old)).expired?.why ?? '', /free space/);
    run.clock.advance(MIB);
    await run.mkdirs(5);
    assert.is((await run.info(young)).state, 'active');
  }));

test('minFree: what an unlimited feed keeps is not taken from the others', () =>
  withRetention(async (run) => {
    const keeper = await run.feed('keeper');
    const id = await run.feed('small', '{"minFree":"10M","then":"drop-oldest"}');
    await run.mkdirs(50);
    giveDisk(run, () => MIB);
    await run.mkdirs(5);
    assert.is((await run.info(id)).lost, null);
    await run.acknowledge(keeper, 100_000);
    run.clock.advance(MIB);
    await run.mkdirs(2);
    assert.ok(Number((await run.info(id)).lost?.records) > 40);
    // Only the LOST record and what came later are left: there is nothing more to give.
    await run.mkdirs(5);
    assert.is((await run.info(id)).state, 'active');
  }));

test('minFree with block: what takes space is refused, deleting and renaming are not', () =>
  withRetention(async (run) => {
    const id = await run.feed('audit', '{"minFree":"10M","then":"block"}');
    const file = createFile(run.sim, 'file');
    let free = 20 * MIB;
    giveDisk(run, () => free);
    assert.is(await run.mkdir('before'), 'ok');
    assert.is(await run.write(file), 'ok');
    free = MIB;
    run.clock.advance(MIB);
    assert.is(await run.mkdir('after'), 'ENOSPC');
    assert.is(await run.write(file), 'ENOSPC');
    run.sim.ask('release', releaseOf(file));
    const who = { uid: 0, gid: 0, pid: 1, jobid: '', nid: '0@lo' };
    const rmdir = { op: 'rmdir', parent: ROOT_FID, name: nameFromText('before') } as const;
    assert.type(await run.call('reint', { who, change: rmdir }), 'object');
    free = 20 * MIB;
    run.clock.advance(MIB);
    assert.is(await run.mkdir('after'), 'ok');
    assert.is((await run.info(id)).state, 'active');
    free = MIB;
    run.clock.advance(MIB);
    assert.is(await run.mkdir('at last'), 'ENOSPC');
    assert.is(await run.call('feedRemove', { name: nameFromText('audit') }), undefined);
    assert.is(await run.mkdir('at last'), 'ok');
  }));

test.run();
