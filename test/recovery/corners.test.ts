// test-timeout: 120 s
/** What recoveries have got wrong, one short scene each. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import type { Fid } from '../../src/base/fid.js';
import type { FakeReply } from '../support/fake-reply.js';
import { owedRecords } from '../support/namespace-model.js';
import { fidOf, scene } from './case.js';
import type { Mount } from './mount.js';
import { WINDOW_US, type World } from './world.js';

function openCount(world: World, fid: Fid): number {
  return world.server.server.namespace.opens.count(fid);
}

function writeAt(mount: Mount, fid: Fid, fh: number, offset: number, length: number): FakeReply {
  const data = new Uint8Array(length).fill(65);
  const rest = { flags: 0, fromCache: false, killSuidgid: false, lockOwner: undefined };
  return mount.ask('write', { nodeId: fid, fh, offset, data, ...rest });
}

scene('a replaced file is closed, and the moved one is open: it stays open', async (world, [a]) => {
  const mount = must(a, 'a');
  const moved = fidOf(await world.ok(mount.create('a', { open: true })));
  const replaced = fidOf(await world.ok(mount.create('b')));
  const call = await world.ok(mount.rename('a', 'b', 0, true));
  assert.is(call.value.kept, replaced);
  await world.ok(mount.close(replaced));
  world.kill();
  await world.ok(mount.lookup('b'));
  assert.equal([openCount(world, moved), openCount(world, replaced)], [1, 0]);
  await world.ok(mount.unlink('b'));
  await world.ok(mount.contents(moved));
  await world.ok(mount.close(moved));
});

scene(
  'two servers die one after the other: who was evicted in between has lost, and nobody else',
  async (world, [a, b]) => {
    const [one, other] = [must(a, 'a'), must(b, 'b')];
    await world.rest();
    await world.ok(one.create('of-one'));
    world.unreachable.add(one.name);
    world.kill();
    await world.until(() => world.runs === 2 && other.import.isFull);
    // It has the number of the change that is lost.
    await world.ok(other.create('of-other'));
    world.kill();
    world.unreachable.clear();
    await world.rest();
    assert.equal([one.evictions.length, other.evictions.length], [1, 0]);
    await world.ok(other.lookup('of-other'));
    const lost = other.lookup('of-one');
    await world.answered([lost]);
    assert.is(lost.outcome, 'ENOENT');
  },
  { loses: true },
);

scene(
  'who made an object is gone with its record: the object stays, and the next record is of all of it',
  async (world, [a, b], { feed }) => {
    const [one, other] = [must(a, 'a'), must(b, 'b')];
    const fid = fidOf(await world.ok(one.create('f')));
    await world.ok(one.call('sync', undefined));
    await world.rest();
    const [byOne, byOther] = [await world.opened(one, fid), await world.opened(other, fid)];
    await world.rest();
    await world.ok(writeAt(one, fid, byOne, 0, 65_536));
    const committed = world.server.server.committedTransno;
    await world.ok(writeAt(other, fid, byOther, 65_536, 4_096));
    let isFlushed = false;
    other.client.cached.flush(fid, () => {
      isFlushed = true;
    });
    // The records of both are answered for, and on no disk.
    await world.until(() => isFlushed || world.server.server.lastTransno >= committed + 2);
    world.kill();
    world.bury(one);
    await world.elapse(2 * WINDOW_US);
    await world.rest();
    const records = owedRecords(world.server, feed).filter(({ op }) => op === 'write');
    assert.equal(
      records.map((record) => record.op === 'write' && record.extents),
      [[{ offset: 0, length: 69_632 }]],
    );
    const third = await world.mount('third');
    const handle = await world.opened(third, fid);
    const got = third.ask('read', {
      nodeId: fid,
      fh: handle,
      offset: 0,
      size: 69_632,
      flags: 0,
      lockOwner: undefined,
    });
    await world.ok(got);
    assert.is(got.got.bytes?.length, 69_632);
    await world.ok(third.close(fid));
    await world.ok(other.close(fid));
  },
  { loses: true, kinds: ['reconstruct', 'reconstruct'] },
);

for (const kind of ['reconstruct', 'replay'] as const) {
  scene(
    `a replaced file is open over a restart, its slot used anew (${kind})`,
    async (world, [a]) => {
      const mount = must(a, 'a');
      await world.ok(mount.create('x'));
      const fid = fidOf(await world.ok(mount.create('y')));
      const call = await world.ok(mount.rename('x', 'y', 0, true));
      assert.is(call.value.kept, fid);
      for (let i = 0; i < 5; i++) await world.ok(mount.create(`z${i}`));
      await world.ok(mount.call('sync', undefined));
      await world.rest();
      world.kill();
      await world.ok(mount.contents(fid));
      assert.is(openCount(world, fid), 1);
      await world.ok(mount.close(fid));
    },
    { kinds: [kind] },
  );
}

test.run();
