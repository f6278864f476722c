/** What a sync of everything waits for: the records of what was written to files that are still open. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { type ControlNode, fidOfNode } from '../../src/client/control/nodes.js';
import type { Connection } from '../../src/rpc/messages.js';
import { UNCOMMITTED_CHANGES_MAX } from '../../src/store/limits.js';
import { withFolder } from '../support/mount.js';
import { owedRecords } from '../support/namespace-model.js';
import { Simulated } from '../support/simulated.js';
import {
  bytes,
  createFile,
  type OpenFile,
  releaseOf,
  setattrOf,
  writeOf,
} from '../support/simulated-files.js';

const FEED = 1;

/** Two files with writes that nobody recorded, in a filesystem with a feed. */
function withDirty(use: (sim: Simulated, files: readonly OpenFile[]) => Promise<void>) {
  return withFolder(async (folder) => {
    const sim = new Simulated(join(folder, 'store'));
    sim.connection.call('feedCreate', { name: nameFromText('f') }, () => {});
    await sim.settle();
    const files = ['small', 'large'].map((name) => createFile(sim, name));
    for (const [i, file] of files.entries()) {
      await sim.answer('write', writeOf(file, 0, bytes(i === 0 ? 10 : 50_000, 1)));
    }
    assert.is(writes(sim), 0);
    await use(sim, files);
    for (const file of files) sim.ask('release', releaseOf(file));
    await sim.close();
  });
}

/** Write records that the feed shows. */
function writes(sim: Simulated): number {
  return owedRecords(sim, FEED).filter(({ op }) => op === 'write').length;
}

function fsyncdir(sim: Simulated, nodeId: number) {
  return sim.answer('fsyncdir', { nodeId, fh: 0, dataOnly: false });
}

test('fsync of the root answers when all that was written is in the feeds', () =>
  withDirty(async (sim) => {
    assert.is((await fsyncdir(sim, ROOT_FID)).outcome, 'ok');
    assert.is(writes(sim), 2);
    assert.is((await fsyncdir(sim, ROOT_FID)).outcome, 'ok');
    assert.is(writes(sim), 2, 'once');
  }));

test('also where records have to wait for the disk', () =>
  withDirty(async (sim) => {
    sim.holdFlushes = true;
    const chmod = setattrOf(ROOT_FID, { mode: 0o755 });
    sim.ask('setattr', chmod);
    sim.server.commit.run();
    for (let i = 0; i < UNCOMMITTED_CHANGES_MAX; i++) sim.ask('setattr', chmod);
    assert.ok(sim.server.commit.saturated);
    const sync = sim.ask('fsyncdir', { nodeId: ROOT_FID, fh: 0, dataOnly: false });
    while (!sync.answered) {
      assert.is(writes(sim), 0);
      await sim.finishFlush();
    }
    assert.is(writes(sim), 2);
  }));

test('fsync of another directory is its own affair', () =>
  withDirty(async (sim) => {
    const made = sim.ask('mkdir', {
      nodeId: ROOT_FID,
      name: nameFromText('d'),
      mode: 0o755,
      umask: 0,
    });
    assert.is((await fsyncdir(sim, made.got.entry?.nodeId ?? 0)).outcome, 'ok');
    assert.is(writes(sim), 0);
  }));

test('below .lustre any fsync is one of everything', async () => {
  const nodes: readonly ControlNode[] = [
    { kind: 'info', id: FEED },
    { kind: 'stream', id: FEED, view: 'stream' },
    { kind: 'stream', id: FEED, view: 'ndjson' },
  ];
  for (const node of nodes) {
    await withDirty(async (sim) => {
      const nodeId = fidOfNode(node);
      const opened = await sim.answer('open', { nodeId, flags: 0, killSuidgid: false });
      const fh = opened.got.open?.fh ?? -1;
      assert.is((await sim.answer('fsync', { nodeId, fh, dataOnly: false })).outcome, 'ok');
      assert.is(writes(sim), 2, JSON.stringify(node));
      const release = { nodeId, fh, flags: 0, lockOwner: 0n, unlockFlock: false };
      sim.ask('release', release);
    });
  }
  await withDirty(async (sim) => {
    assert.is((await fsyncdir(sim, fidOfNode({ kind: 'feed', id: FEED }))).outcome, 'ok');
    assert.is(writes(sim), 2);
  });
});

test('what was not recorded is no success', () =>
  withDirty(async (sim) => {
    const call: Connection['call'] = sim.connection.call.bind(sim.connection);
    const refusing: Connection['call'] = (method, request, answer) => {
      if (method === 'reint') answer(Errno.EIO, undefined);
      else call(method, request, answer);
    };
    sim.connection.call = refusing;
    assert.is(sim.ask('fsyncdir', { nodeId: ROOT_FID, fh: 0, dataOnly: false }).outcome, 'EIO');
    sim.connection.call = call;
    assert.is((await fsyncdir(sim, ROOT_FID)).outcome, 'ok');
    assert.is(writes(sim), 2, 'it is recorded later');
  }));

test.run();
