/** Objects that another client has just taken the last name of. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import { LINGER_US, LINGERING_MAX } from '../../../src/mds/export/limits.js';
import { lookup } from './comes-back.js';
import { type TestClient, unlinkOf } from './test-client.js';
import { World } from './world.js';

const test = suite<{ world: World }>('objects that lost their name');
test.before.each((context) => {
  context.world = new World();
});
test.after.each(({ world }) => world.end());

/** As a mount does it whose kernel forgets the object at once. */
function remove(by: TestClient, name: string): void {
  const { kept } = by.reint(unlinkOf(name), {}, true).result as { kept?: Fid };
  if (kept !== undefined) by.ask('close', { fid: kept });
}

test('whoever found one by its name may still look at it and open it', ({ world }) => {
  const [one, two] = [world.welcome(1), world.welcome(2)];
  const fid = one.fid(one.create('a'));
  assert.is(lookup(two, 'a'), 0);
  remove(one, 'a');
  assert.is(lookup(two, 'a'), Errno.ENOENT);
  assert.is(two.ask('getattr', { fid }).errno, 0);
  assert.is(two.ask('open', { fid }).errno, 0);
  world.tick(2 * LINGER_US);
  assert.is(two.ask('getattr', { fid }).errno, 0, 'it is open');
  assert.is(two.ask('close', { fid }).errno, 0);
  assert.is(two.ask('getattr', { fid }).errno, Errno.ESTALE);
  assert.is(world.server.namespace.orphans.size, 0);
});

test('for a moment, and only so many', ({ world }) => {
  const [one, two] = [world.welcome(1), world.welcome(2)];
  const fids: Fid[] = [];
  for (let i = 0; i <= LINGERING_MAX; i++) {
    fids.push(one.fid(one.create('a')));
    remove(one, 'a');
    world.tick();
  }
  const errnoOf = (fid: Fid | undefined) => two.ask('getattr', { fid: fid as Fid }).errno;
  assert.equal([errnoOf(fids[0]), errnoOf(fids[1])], [Errno.ESTALE, 0]);
  assert.ok((world.exports.dueInUs(world.clock.us) ?? Infinity) <= LINGER_US);
  world.tick(LINGER_US);
  assert.is(errnoOf(fids.at(-1)), Errno.ESTALE);
  assert.is(world.server.namespace.orphans.size, 0);
});

test('where there is one client nothing stays', ({ world }) => {
  const one = world.welcome(1);
  const fid = one.fid(one.create('a'));
  remove(one, 'a');
  assert.is(one.ask('getattr', { fid }).errno, Errno.ESTALE);
});

test.run();
