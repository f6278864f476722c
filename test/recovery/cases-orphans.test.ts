// test-timeout: 300 s
/** Files that are open and have no name: they stay as long as somebody has them, and no longer. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { everyPlace, fidOf, once, textOf } from './case.js';
import { settled } from './everywhere.js';
import type { World } from './world.js';

function exists(world: World, fid: number): boolean {
  return world.server.server.namespace.inodes.get(fid as never) !== undefined;
}

everyPlace(
  11,
  'open, unlink | close: the name is gone, and no orphan is left',
  async (world, a, b) => {
    const fid = fidOf(await world.ok(a.create('f')));
    await world.ok(a.write(fid, 'kept'));
    await world.ok(b.open(fid));
    await world.ok(a.unlink('f'));
    await world.ok(a.call('sync', undefined));
    assert.is(textOf(await world.ok(b.contents(fid))), 'kept');
    await world.ok(b.close(fid));
    await world.rest();
    assert.not.ok(exists(world, fid));
  },
);

everyPlace(
  13,
  'open-create, unlink | same name again, close: the new file stays',
  async (world, a, b) => {
    const old = fidOf(await world.ok(a.create('f', { open: true })));
    await world.ok(a.write(old, 'old'));
    await world.ok(b.unlink('f'));
    const young = fidOf(await world.ok(b.create('f')));
    assert.is(textOf(await world.ok(a.contents(old))), 'old');
    await world.ok(a.close(old));
    assert.is((await world.ok(a.lookup('f'))).value.fid, young);
    await world.rest();
    assert.not.ok(exists(world, old));
  },
);

everyPlace(
  14,
  '| open-create, unlink, touch and unlink another: nothing is left',
  async (world, a, b) => {
    const old = fidOf(await world.ok(a.create('f', { open: true })));
    await world.ok(a.unlink('f'));
    const young = fidOf(await world.ok(b.create('f')));
    await world.ok(b.unlink('f'));
    await world.ok(a.close(old));
    await world.rest();
    assert.not.ok(exists(world, old));
    assert.not.ok(exists(world, young));
  },
);

everyPlace(15, 'open-create, unlink, touch, close, touch, unlink', async (world, a) => {
  const old = fidOf(await world.ok(a.create('f', { open: true })));
  await world.ok(a.unlink('f'));
  await world.ok(a.create('f'));
  await world.ok(a.close(old));
  await world.ok(a.create('g'));
  await world.ok(a.unlink('f'));
  await world.ok(a.lookup('g'));
  await settled(world);
  assert.not.ok(exists(world, old));
});

everyPlace(
  16,
  'what is kept without a name goes when its close comes after a replay',
  async (world, a, b) => {
    const kept = fidOf(await world.ok(a.create('f')));
    const call = await world.ok(a.unlink('f', 1 as never, true));
    assert.is(call.value.kept, kept);
    const made = await world.ok(
      b.reint({ op: 'tmpfile', parent: 1 as never, mode: 0o600, umask: 0, linkable: true }),
    );
    const nameless = fidOf(made);
    await world.ok(a.write(kept, 'kept'));
    assert.is(textOf(await world.ok(a.contents(kept))), 'kept');
    await world.ok(a.close(kept));
    await world.ok(b.link(nameless, 'h'));
    await world.ok(b.close(nameless));
    await world.rest();
    assert.not.ok(exists(world, kept));
    assert.is((await world.ok(a.lookup('h'))).value.fid, nameless);
  },
);

once(
  17,
  'who has an orphan open is evicted: it goes, and nothing else does',
  async (world, [a, b]) => {
    const [one, other] = [must(a, 'a'), must(b, 'b')];
    const orphan = fidOf(await world.ok(other.create('f', { open: true })));
    await world.ok(other.unlink('f'));
    const kept = fidOf(await world.ok(other.create('g', { open: true })));
    await world.ok(other.write(kept, 'data'));
    await world.ok(other.call('sync', undefined));
    world.bury(other);
    world.kill();
    await world.rest();
    assert.not.ok(exists(world, orphan));
    assert.is(textOf(await world.ok(one.open(kept))), 'data');
    await world.ok(one.close(kept));
  },
);

everyPlace(
  18,
  'two opens of what is unlinked, one closed before and one after',
  async (world, a, b) => {
    const fid = fidOf(await world.ok(a.create('f', { open: true })));
    const second = fidOf(await world.ok(b.create('g', { open: true })));
    await world.ok(b.open(fid));
    await world.ok(a.unlink('f'));
    await world.ok(a.close(fid));
    await world.ok(b.unlink('g'));
    await world.ok(b.close(second));
    await world.ok(b.contents(fid));
    await world.ok(b.close(fid));
    await world.rest();
    assert.not.ok(exists(world, fid));
    assert.not.ok(exists(world, second));
  },
);

once(19, 'a close after an eviction ends', async (world, [a, b]) => {
  const [one, other] = [must(a, 'a'), must(b, 'b')];
  const fid = fidOf(await world.ok(other.create('f', { open: true })));
  await world.ok(other.call('sync', undefined));
  world.unreachable.add(other.name);
  world.cut(other);
  await world.elapse(40_000_000);
  world.unreachable.clear();
  const closed = other.close(fid);
  await world.answered([closed]);
  await settled(world);
  assert.is(other.evictions.length, 1);
  assert.ok(closed.outcome === 'EIO' || closed.outcome === 'ok');
  assert.is(world.server.server.namespace.opens.count(fid), 0);
  await world.ok(one.unlink('f'));
  // It is like a new one.
  await world.ok(other.create('g'));
});

once(
  20,
  'a FID that somebody was told is not given again after his changes are lost',
  async (world, [a, b]) => {
    const [one, other] = [must(a, 'a'), must(b, 'b')];
    const told = new Set<number>();
    for (let i = 0; i < 20; i++) told.add(fidOf(await world.ok(other.create(`f${i}`))));
    world.bury(other);
    world.kill();
    for (let i = 0; i < 20; i++) {
      const fid = fidOf(await world.ok(one.create(`g${i}`)));
      assert.not.ok(told.has(fid), `FID ${fid} is given twice`);
    }
  },
  { loses: true },
);

once(
  21,
  'a recovery without somebody who had an orphan and a directory: the orphan goes, closes succeed',
  async (world, [a, b]) => {
    const [one, other] = [must(a, 'a'), must(b, 'b')];
    const fid = fidOf(await world.ok(one.create('f', { open: true })));
    await world.ok(one.write(fid, 'mine'));
    await world.ok(one.mkdir('d'));
    await world.ok(other.open(fid));
    await world.ok(other.unlink('f'));
    await world.ok(other.rmdir('d'));
    await world.ok(other.call('sync', undefined));
    world.bury(other);
    world.kill();
    assert.is(textOf(await world.ok(one.contents(fid))), 'mine');
    await world.ok(one.close(fid));
    await world.rest();
    assert.not.ok(exists(world, fid));
  },
);

everyPlace(
  31,
  'one opens, the other unlinks | the one closes; two opens around a second end',
  async (world, a, b) => {
    const fid = fidOf(await world.ok(a.create('f', { open: true })));
    await world.ok(a.write(fid, 'data'));
    await world.ok(b.open(fid));
    await world.ok(b.unlink('f'));
    world.kill();
    await world.ok(a.close(fid));
    assert.is(textOf(await world.ok(b.contents(fid))), 'data');
    world.kill();
    await world.ok(b.close(fid));
    await world.rest();
    assert.not.ok(exists(world, fid));
  },
);

test.run();
