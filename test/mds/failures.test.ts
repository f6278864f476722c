/** What the metadata server answers and keeps when the store cannot take it. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { COMMIT_DELAY_US, UNCOMMITTED_CHANGES_MAX } from '../../src/store/limits.js';
import { Store } from '../../src/store/store.js';
import { withFolder } from '../support/mount.js';
import { owedRecords } from '../support/namespace-model.js';
import { Simulated } from '../support/simulated.js';
import {
  bytes,
  createFile,
  openFile,
  releaseOf,
  setattrOf,
  writeOf,
} from '../support/simulated-files.js';

const ENOSPC = 28;
const NAME = nameFromText('f');

/** Runs `use` with a store that refuses commits while `full()` says so. */
function withRefusal(
  use: (sim: Simulated, refuse: (refused: boolean) => void) => Promise<void>,
): Promise<void> {
  return withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'));
    await sim.settle();
    const commit = sim.store.commit.bind(sim.store);
    await use(sim, (refused) => {
      sim.store.commit = refused
        ? () => {
            throw Object.assign(new Error('MDB_MAP_FULL'), { code: -30_792 });
          }
        : commit;
    });
    await sim.close();
  });
}

test('a feed whose making is refused is not there, and can be made later', () =>
  withRefusal(async (sim, refuse) => {
    refuse(true);
    let errno = -1;
    sim.connection.call('feedCreate', { name: NAME }, (failed) => {
      errno = failed;
    });
    assert.is(errno, ENOSPC);
    assert.is(sim.rpc('feedLookup', { name: NAME }), 2, 'ENOENT');
    assert.not.ok(sim.server.recording);
    refuse(false);
    await sim.settle();
    sim.connection.call('feedCreate', { name: NAME }, (failed) => {
      errno = failed;
    });
    await sim.settle();
    assert.is(errno, 0);
  }));

test('changes wait for a store that is full, new ones are refused, and all reach it later', () =>
  withRefusal(async (sim, refuse) => {
    sim.connection.call('feedCreate', { name: NAME }, () => {});
    await sim.settle();
    const file = createFile(sim, 'a');
    refuse(true);
    sim.clock.advance(COMMIT_DELAY_US);
    sim.tick();
    const refused = sim.ask('setattr', setattrOf(file.fid, { mode: 0o600 }));
    assert.is(refused.outcome, 'ENOSPC');
    assert.is(
      (await sim.answer('fsyncdir', { nodeId: ROOT_FID, fh: 0, dataOnly: false })).outcome,
      'ENOSPC',
    );
    refuse(false);
    sim.clock.advance(1_000_000);
    sim.tick();
    await sim.settle();
    sim.ask('release', releaseOf(file));
    assert.equal(
      owedRecords(sim, 1).map(({ op }) => op),
      ['create'],
    );
    assert.is(sim.ask('setattr', setattrOf(file.fid, { mode: 0o600 })).outcome, 'ok');
  }));

test('changes that wait for a saturated store are refused when the disk fails', () =>
  withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'));
    await sim.settle();
    sim.holdFlushes = true;
    const chmod = setattrOf(ROOT_FID, { mode: 0o755 });
    sim.ask('setattr', chmod);
    sim.server.commit.run();
    for (let i = 0; i < UNCOMMITTED_CHANGES_MAX; i++) sim.ask('setattr', chmod);
    const waits = sim.ask('setattr', chmod);
    assert.is(waits.outcome, 'pending');
    sim.flushError = new Error('lost');
    await sim.finishFlush();
    assert.is(waits.outcome, 'EIO');
    await sim.abandon();
  }));

test('changes that wait for a saturated store are refused when it is full', () =>
  withRefusal(async (sim, refuse) => {
    const chmod = setattrOf(ROOT_FID, { mode: 0o755 });
    for (let i = 0; i < UNCOMMITTED_CHANGES_MAX; i++) sim.ask('setattr', chmod);
    refuse(true);
    assert.is(sim.ask('setattr', chmod).outcome, 'ENOSPC');
    refuse(false);
  }));

test('a store on a full disk is opened after a crash, whatever was in progress', () =>
  withFolder(async (folder) => {
    const sim = new Simulated(join(folder, '1'), { bootId: 'b' });
    await sim.settle();
    const file = createFile(sim, 'a');
    await sim.answer('write', writeOf(file, 0, bytes(20_000, 1)));
    sim.ask('release', releaseOf(file));
    await sim.settle();
    const again = openFile(sim, file.fid);
    await sim.answer('write', writeOf(again, 0, bytes(10, 2)));
    await sim.crash(join(folder, '2'));
    const { freeBytes } = Store.prototype;
    Store.prototype.freeBytes = () => 0;
    try {
      const after = new Simulated(join(folder, '2'), { bootId: 'b' });
      await after.settle();
      assert.is([...after.store.tables.object.keys({})].length, 0);
      await after.close();
    } finally {
      Store.prototype.freeBytes = freeBytes;
    }
  }));

test('an object that was announced and is empty is recovered like any other', () =>
  withFolder(async (folder) => {
    const sim = new Simulated(join(folder, '1'), { bootId: 'b' });
    sim.connection.call('feedCreate', { name: NAME }, () => {});
    await sim.settle();
    const { fid } = createFile(sim, 'a');
    sim.rpc('intent', { fid, generation: 1, durable: false });
    const who = { uid: 0, gid: 0, pid: 0, jobid: '', nid: '0@lo' };
    const written = { layout: 'object', generation: 1, blocks: 0, contents: undefined } as const;
    const more = { size: 0, extents: [], mtime: { sec: 3, nsec: 0 }, killSuidgid: false };
    const change = { op: 'write', fid, ...written, ...more, keepIntent: true } as const;
    assert.type(sim.rpc('reint', { who, change }), 'object');
    sim.server.commit.run();
    await sim.crash(join(folder, '2'));
    const after = new Simulated(join(folder, '2'), { bootId: 'b' });
    await after.settle();
    const extents = owedRecords(after, 1).flatMap((record) =>
      record.op === 'write' ? record.extents : [],
    );
    assert.equal(extents, []);
    await after.close();
  }));

test('an object file that is missing does not keep the store from being opened', () =>
  withFolder(async (folder) => {
    const sim = new Simulated(join(folder, '1'), { bootId: 'b', holdFlushes: true });
    await sim.finishFlush();
    const file = createFile(sim, 'a');
    await sim.answer('write', writeOf(file, 0, bytes(20_000, 1)));
    sim.ask('release', releaseOf(file));
    sim.ask('setattr', setattrOf(file.fid, { size: 10_000 }));
    sim.clock.advance(COMMIT_DELAY_US);
    sim.tick();
    // The cut is committed and not done when the world ends, and then somebody removes the file.
    sim.objects.remove({ fid: file.fid, generation: 1 });
    await sim.crash(join(folder, '2'));
    const after = new Simulated(join(folder, '2'), { bootId: 'b' });
    await after.settle();
    const found = after.rpc('getattr', { fid: file.fid });
    assert.is(typeof found, 'object', `errno ${found}`);
    await after.close();
  }));

test.run();
