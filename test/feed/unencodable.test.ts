/** A record that has no encoding: the change that it tells of never reaches the store, nor does any later one. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { attributes, make, reint } from '../mds/reint-fixture.js';
import { withFolder } from '../support/mount.js';
import { owedRecords } from '../support/namespace-model.js';
import { Simulated } from '../support/simulated.js';

const ENOENT = 2;

/** Records of what is called `bad` say something that has no bytes. */
function spoil(sim: Simulated): void {
  const { log } = sim.server;
  const append = log.append.bind(log);
  log.append = (head, body) => {
    const bad = body.op === 'create' && body.name === 'bad';
    append(head, bad ? { ...body, attrs: { ...body.attrs, uid: -1 } } : body);
  };
}

test('nothing of its commit is in the store or in a feed, and every change after it is refused', () =>
  withFolder(async (folder) => {
    const sim = new Simulated(join(folder, '1'), { bootId: 'b' });
    sim.connection.call('feedCreate', { name: nameFromText('f') }, () => {});
    await sim.settle();
    make(sim, ROOT_FID, 'before');
    await sim.settle();
    const { visibleEnd } = sim.server.log;
    const { commits } = sim.server.commit.counters;
    spoil(sim);
    make(sim, ROOT_FID, 'with it');
    make(sim, ROOT_FID, 'bad');
    const behind = make(sim, ROOT_FID, 'behind');
    for (let i = 0; i < 3; i++) {
      sim.clock.advance(1_000_000);
      sim.tick();
      assert.equal(sim.server.log.visibleEnd, visibleEnd);
      assert.is(reint(sim, { op: 'setattr', fid: behind, change: { mode: 0o600 } }), 'EIO');
    }
    assert.is(sim.server.commit.counters.commits, commits);
    assert.is(sim.server.commit.counters.failures, 3);
    assert.is(attributes(sim, behind).mode, 0o100644);
    await sim.crash(join(folder, '2'));
    const after = new Simulated(join(folder, '2'), { bootId: 'b' });
    await after.settle();
    const names = owedRecords(after, 1).map((record) => 'name' in record && record.name);
    assert.equal(names, ['before']);
    for (const name of ['with it', 'bad', 'behind']) {
      assert.is(after.rpc('lookup', { parent: ROOT_FID, name: nameFromText(name) }), ENOENT, name);
    }
    make(after, ROOT_FID, 'again');
    await after.settle();
    assert.is(owedRecords(after, 1).length, 2);
    await after.close();
  }));

test.run();
