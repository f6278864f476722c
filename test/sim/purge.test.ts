/** The purge goes on while one commit follows the other. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { withRetention } from './retention-run.js';

const WHO = { uid: 0, gid: 0, pid: 1, jobid: 'test.0', nid: '0@lo' };
const ROUNDS = 50;

test('what is owed no more is freed although somebody always waits for the disk', () =>
  withRetention(async (run) => {
    const { sim } = run;
    await run.feed('lossy', '{"maxRecords":10,"then":"drop-oldest"}');
    const change = (i: number): void => {
      const name = nameFromText(`d-${i}`);
      const asked = { parent: ROOT_FID, name, umask: 0, rdev: 0, open: false };
      sim.rpc('reint', { who: WHO, change: { op: 'create', mode: 0o040755, ...asked } });
      sim.connection.call('sync', undefined, () => {});
    };
    sim.holdFlushes = true;
    change(0);
    for (let i = 1; i < ROUNDS; i++) {
      change(i);
      assert.ok(sim.flushing, 'there is no moment without a commit under way');
      await sim.finishFlush();
      sim.tick();
    }
    assert.ok(sim.flushing);
    const { freed } = sim.server.feeds.purge;
    assert.ok(freed > ROUNDS - 20, `${freed} blocks were freed`);
  }));

test.run();
