// test-timeout: 300 s
/** Recoveries in which somebody is missing, that are interrupted, or that cannot succeed. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { everyPlace, fidOf, once, textOf } from './case.js';
import { WINDOW_US } from './world.js';

once(
  33,
  'nobody comes back, or one never does: the recovery ends in bounded time',
  async (world, [a, b]) => {
    const [one, other] = [must(a, 'a'), must(b, 'b')];
    await world.ok(one.create('f'));
    await world.ok(other.create('g'));
    for (const mount of [one, other]) world.unreachable.add(mount.name);
    world.kill();
    await world.elapse(2 * WINDOW_US);
    assert.is(world.server.exports.status().state, 'complete');
    world.unreachable.clear();
    await world.rest();
    assert.is(one.evictions.length, 1);
    assert.is(other.evictions.length, 1);
    // One of them is dead.
    await world.ok(one.create('h'));
    world.bury(other);
    world.kill();
    const since = world.clock.us;
    await world.rest();
    assert.ok(world.clock.us - since < 2 * WINDOW_US, 'it ends with its window');
    await world.ok(one.lookup('h'));
  },
  { loses: true },
);

everyPlace(
  34,
  'the server ends again in the middle of a recovery',
  async (world, a, b) => {
    const fid = fidOf(await world.ok(a.create('f', { open: true })));
    await world.ok(a.write(fid, 'data'));
    await world.ok(b.open(fid));
    const [mine, other] = [await world.opened(a, fid), await world.opened(b, fid)];
    await world.ok(b.flock(fid, other, 'exclusive'));
    await world.ok(b.unlink('f'));
    world.kill();
    await world.ok(a.create('f'));
    assert.is(textOf(await world.ok(b.contents(fid))), 'data');
    const refused = a.flock(fid, mine, 'exclusive');
    await world.answered([refused]);
    assert.is(refused.outcome, 'EAGAIN');
    await world.ok(b.flock(fid, other, 'none'));
    await world.ok(a.flock(fid, mine, 'exclusive'));
    await world.ok(b.close(fid));
    await world.ok(a.close(fid));
  },
  { faults: ['kill', 'power cut'], again: 1 },
);

once(
  37,
  'a server that comes back older than it was seen is found out, and nothing hangs',
  async (world, [a, b]) => {
    const [one, other] = [must(a, 'a'), must(b, 'b')];
    await world.ok(one.call('sync', undefined));
    await world.rest();
    const data = join(world.path, 'meta', 'data.mdb');
    copyFileSync(data, `${data}.old`);
    copyFileSync(join(world.path, 'flushed'), join(world.path, 'flushed.old'));
    const fid = fidOf(await world.ok(one.create('f', { open: true })));
    await world.ok(one.call('sync', undefined));
    world.restarts = false;
    world.kill();
    const closed = one.close(fid);
    while (world.isKilled) await world.step();
    copyFileSync(`${data}.old`, data);
    copyFileSync(join(world.path, 'flushed.old'), join(world.path, 'flushed'));
    world.restarts = true;
    await world.start();
    await world.answered([closed]);
    await world.rest();
    assert.is(one.evictions.length, 1, 'the one that saw more is told');
    assert.match(one.evictions.join(), 'back in time');
    await world.answered([other.lookup('f')]);
  },
  { loses: true },
);

once(
  38,
  'an eviction while an open is answered; an answer lost before the server starts again',
  async (world, [a, b]) => {
    const [one, other] = [must(a, 'a'), must(b, 'b')];
    const fid = fidOf(await world.ok(one.create('f')));
    world.after = ({ mount, to }) => {
      if (mount !== other.name || to !== 'server') return;
      world.unreachable.add(other.name);
      world.cut(other);
    };
    const opened = other.open(fid);
    await world.elapse(40_000_000);
    world.after = () => {};
    world.unreachable.clear();
    await world.answered([opened]);
    await world.rest();
    // Whether it was evicted with it or asked again after that: it has what the server has.
    const isOpen = opened.errno === 0 ? 1 : 0;
    assert.is(world.server.server.namespace.opens.count(fid), isOpen);
    world.after = ({ mount, to, message }) => {
      if (mount === one.name && to === 'server' && message.kind === 'call') world.kill();
    };
    const again = one.open(fid);
    await world.until(() => !world.isUp);
    world.after = () => {};
    await world.ok(again);
    assert.is(world.server.server.namespace.opens.count(fid), 1 + isOpen);
  },
);

everyPlace(
  40,
  'a mount that ends during a recovery does not hold it up',
  async (world, a, b) => {
    const fid = fidOf(await world.ok(a.create('f', { open: true })));
    await world.ok(b.open(fid));
    await world.ok(b.unlink('f'));
    world.kill();
    await world.unmount(b);
    assert.is((await world.ok(a.contents(fid))).value.attributes.fid, fid);
    await world.ok(a.close(fid));
    // Its goodbye may have been lost.
    await world.elapse(40_000_000);
  },
  { faults: ['kill', 'cut'] },
);

once(
  42,
  'the changes of who is missing are lost: what depends on them ends one client, and no other',
  async (world, [a, b, c]) => {
    const [gone, dependent, free] = [must(a, 'a'), must(b, 'b'), must(c, 'c')];
    await world.ok(free.call('sync', undefined));
    const d = fidOf(await world.ok(gone.mkdir('d')));
    await world.ok(dependent.create('in d', { parent: d }));
    const own = fidOf(await world.ok(free.create('f', { open: true })));
    await world.ok(free.write(own, 'independent'));
    world.bury(gone);
    world.kill();
    await world.rest();
    assert.is(dependent.evictions.length, 1);
    assert.equal(free.evictions, []);
    assert.is(textOf(await world.ok(free.contents(own))), 'independent');
    const looks = [free.lookup('d'), dependent.lookup('f')];
    await world.answered(looks);
    assert.equal(
      looks.map(({ outcome }) => outcome),
      ['ENOENT', 'ok'],
    );
  },
  { loses: true, kinds: ['reconstruct', 'reconstruct', 'replay'] },
);

test.run();
