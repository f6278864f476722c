// test-timeout: 300 s
/** Opens and closes with a fault in every place: opens are there again, once, and end once. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { everyPlace, fidOf, once, textOf } from './case.js';
import { settled } from './everywhere.js';

const XATTR_CREATE = 1;

everyPlace(
  1,
  'what was created and not committed is there again, with its FID',
  async (world, a, b) => {
    const fid = fidOf(await world.ok(a.create('f')));
    assert.is((await world.ok(b.lookup('f'))).value.fid, fid);
  },
);

everyPlace(2, 'nothing is outstanding, and everybody goes on', async (world, a, b) => {
  world.kill();
  await world.rest();
  assert.is(a.import.stats().replays + b.import.stats().replays, 0);
  await world.answered([a.lookup('nothing'), b.lookup('nothing')]);
});

everyPlace(
  3,
  'an exclusive create is made again, and does not find itself',
  async (world, a, b) => {
    const fid = fidOf(await world.ok(a.create('f', { open: true })));
    const again = b.create('f', { open: true });
    await world.answered([again]);
    assert.is(again.outcome, 'EEXIST');
    await world.ok(a.close(fid));
  },
);

everyPlace(4, 'an open that failed is not made again', async (world, a, b) => {
  const fid = fidOf(await world.ok(a.create('f')));
  await world.ok(a.unlink('f'));
  const opens = [a.open(fid), b.open(fid)];
  await world.answered(opens);
  assert.equal(
    opens.map(({ outcome }) => outcome),
    ['ESTALE', 'ESTALE'],
  );
  await world.rest();
  assert.is(a.import.stats().opens + b.import.stats().opens, 0);
});

everyPlace(
  5,
  '220 creates with an open, none committed: all names are there, each open once',
  async (world, a, b) => {
    const calls = Array.from({ length: 220 }, (_, i) => {
      return (i % 2 === 0 ? a : b).create(`f${i}`, { open: true });
    });
    await world.answered(calls);
    const fids = new Set(calls.map(fidOf));
    assert.is(fids.size, 220);
    assert.is(a.import.stats().opens + b.import.stats().opens, 220);
  },
  { places: 4 },
);

everyPlace(7, 'open | close: close works with the open that is made again', async (world, a, b) => {
  const fid = fidOf(await world.ok(a.create('f')));
  for (const mount of [a, b]) {
    await world.ok(mount.open(fid));
    await world.ok(mount.close(fid));
  }
  assert.is(a.import.stats().opens + b.import.stats().opens, 0);
});

everyPlace(
  12,
  'open, chmod 0 | write and close by the open that there was',
  async (world, a, b) => {
    const fid = fidOf(await world.ok(a.create('f', { open: true })));
    await world.ok(b.open(fid));
    await world.ok(a.chmod(fid, 0));
    await world.ok(a.write(fid, 'by a'));
    await world.ok(b.write(fid, 'by b'));
    assert.is(textOf(await world.ok(a.contents(fid))), 'by b');
    await world.ok(a.close(fid));
    await world.ok(b.close(fid));
  },
);

everyPlace(
  22,
  'an open that is sent again leaves one handle',
  async (world, a, b) => {
    const fid = fidOf(await world.ok(a.create('f')));
    await world.answered([a.open(fid), a.open(fid), b.open(fid), b.create('g', { open: true })]);
    await settled(world);
    assert.is(world.server.server.namespace.opens.count(fid), 3);
  },
  { faults: ['cut', 'cut after', 'twice', 'kill'] },
);

everyPlace(
  23,
  'open and close on their way together: request or answer lost, with and without an end of the server',
  async (world, a, b) => {
    const fid = fidOf(await world.ok(a.create('f', { open: true })));
    await world.ok(b.open(fid));
    const calls = [a.open(fid), a.close(fid), b.close(fid), b.open(fid)];
    await world.answered(calls);
    assert.equal(
      calls.map(({ outcome }) => outcome),
      ['ok', 'ok', 'ok', 'ok'],
    );
    await settled(world);
    assert.is(world.server.server.namespace.opens.count(fid), 2);
  },
  { faults: ['cut', 'cut after', 'twice', 'kill', 'power cut'] },
);

everyPlace(25, 'what is no file is not open after it was refused', async (world, a, b) => {
  const at = { parent: 1, name: 'l' } as never as { parent: never; name: never };
  const made = await world.ok(a.reint({ op: 'symlink', ...at, target: 'some/where' }));
  const target = await world.ok(b.call('readlink', { fid: fidOf(made) }));
  assert.is(target.value, 'some/where');
  assert.is(a.import.stats().opens + b.import.stats().opens, 0);
});

everyPlace(26, 'setxattr that must create is made again, and sent again', async (world, a, b) => {
  const fid = fidOf(await world.ok(a.create('f')));
  await world.ok(a.setxattr(fid, 'user.x', 'one', XATTR_CREATE));
  const twice = b.setxattr(fid, 'user.x', 'two', XATTR_CREATE);
  await world.answered([twice]);
  assert.is(twice.outcome, 'EEXIST');
  const value = await world.ok(b.call('getxattr', { fid, name: 'user.x' as never }));
  assert.is(Buffer.from(value.value).toString(), 'one');
});

everyPlace(
  28,
  'a connection lost in the middle of opens that are made again',
  async (world, a, b) => {
    const fid = fidOf(await world.ok(a.create('f')));
    await world.ok(a.open(fid));
    await world.ok(b.open(fid));
    await world.ok(a.call('sync', undefined));
    world.kill();
    await settled(world);
    assert.is(world.server.server.namespace.opens.count(fid), 2);
    await world.ok(a.close(fid));
    await world.ok(b.close(fid));
  },
  { faults: ['cut', 'cut after'], again: 1 },
);

once(
  29,
  'an open that is answered while its client goes leaves nothing open',
  async (world, [a, b]) => {
    if (a === undefined || b === undefined) throw new Error('no mounts');
    const fid = fidOf(await world.ok(a.create('f')));
    b.open(fid);
    b.create('g', { open: true });
    world.after = ({ mount, to }) => {
      if (mount === b.name && to === 'server') world.cut(b);
    };
    await world.step();
    world.bury(b);
    await world.elapse(40_000_000);
    assert.is(world.server.server.namespace.opens.count(fid), 0);
    assert.not.ok(world.server.exports.status().clients.some(({ client }) => client === b.id));
  },
  { loses: true },
);

everyPlace(
  43,
  'a plain open and close change nothing: no record, no transno',
  async (world, a, b) => {
    const fid = fidOf(await world.ok(a.create('f')));
    const { lastTransno } = world.server.server;
    await world.ok(a.open(fid));
    await world.ok(b.open(fid, false));
    await world.ok(b.close(fid));
    await world.ok(a.close(fid));
    assert.is(world.server.server.lastTransno, lastTransno);
  },
);

test.run();
