// test-timeout: 300 s
/** Changes with a fault in every place: each is made once, in its order, and answered as it was. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { everyPlace, fidOf, once, textOf } from './case.js';

everyPlace(6, 'mkdir | create in it, in their order', async (world, a, b) => {
  const d = fidOf(await world.ok(a.mkdir('d')));
  await world.ok(b.create('f', { parent: d }));
  await world.ok(a.create('g', { parent: d }));
  await world.ok(b.lookup('g', d));
});

everyPlace(8, 'a FID is not given again when what had it is made again', async (world, a, b) => {
  const fids = new Set<number>();
  for (const name of ['f', 'g', 'h']) {
    fids.add(fidOf(await world.ok(a.create(name))));
    fids.add(fidOf(await world.ok(b.mkdir(`${name} too`))));
  }
  assert.is(fids.size, 6);
});

everyPlace(9, 'create | rename, unlink: neither name comes back', async (world, a, b) => {
  await world.ok(a.create('f'));
  await world.ok(b.rename('f', 'g'));
  await world.ok(a.unlink('g'));
  const looks = [a.lookup('f'), b.lookup('g')];
  await world.answered(looks);
  assert.equal(
    looks.map(({ outcome }) => outcome),
    ['ENOENT', 'ENOENT'],
  );
});

everyPlace(
  10,
  'open, write, rename | the old name again: contents are apart',
  async (world, a, b) => {
    const old = fidOf(await world.ok(a.create('f', { open: true })));
    await world.ok(a.write(old, 'old'));
    await world.ok(a.rename('f', 'g'));
    const young = fidOf(await world.ok(b.create('f', { open: true })));
    await world.ok(b.write(young, 'young'));
    assert.is(textOf(await world.ok(a.contents(old))), 'old');
    assert.is(textOf(await world.ok(b.contents(young))), 'young');
    await world.ok(a.close(old));
    await world.ok(b.close(young));
  },
);

everyPlace(
  24,
  'what was refused is refused in the same way when it is asked again',
  async (world, a, b) => {
    await world.ok(a.create('f'));
    const calls = [b.create('f'), b.unlink('g'), b.mkdir('f'), a.rmdir('f'), a.lookup('h')];
    await world.answered(calls);
    assert.equal(
      calls.map(({ outcome }) => outcome),
      ['EEXIST', 'ENOENT', 'EEXIST', 'ENOTDIR', 'ENOENT'],
    );
  },
);

everyPlace(
  27,
  'a change that is made again, and sent again meanwhile',
  async (world, a, b) => {
    await world.ok(a.create('f'));
    await world.ok(b.mkdir('d'));
    world.kill();
    await world.ok(a.rename('f', 'g'));
    await world.ok(b.lookup('g'));
  },
  { faults: ['cut', 'cut after', 'twice', 'kill'], again: 1 },
);

everyPlace(
  30,
  'several changes on their way: requests lost, answers lost, committed without an answer',
  async (world, a, b) => {
    const calls = Array.from({ length: 12 }, (_, i) => {
      return i % 3 === 0 ? b.mkdir(`d${i}`) : a.create(`f${i}`, { open: i % 2 === 0 });
    });
    await world.answered(calls);
    assert.is(new Set(calls.map(fidOf)).size, 12);
  },
  { faults: ['cut', 'cut after', 'twice', 'kill', 'power cut'] },
);

everyPlace(
  32,
  'a create and an unlink that are sent again after they were made again happen once',
  async (world, a, b) => {
    const fid = fidOf(await world.ok(a.create('f')));
    await world.ok(b.unlink('f'));
    const young = fidOf(await world.ok(a.create('f')));
    assert.is.not(young, fid);
    await world.ok(b.lookup('f'));
  },
  { faults: ['cut', 'cut after', 'kill'], again: 1 },
);

once(35, 'the answer to a create that is gone by now is what it was', async (world, [a, b]) => {
  const [one, other] = [must(a, 'a'), must(b, 'b')];
  let cuts = 0;
  world.faultAt = (event) => {
    const isAnswer = event.kind === 'message' && event.message.kind === 'answer';
    return isAnswer && event.mount === one.name && cuts++ === 0 ? 'cut' : undefined;
  };
  // Both are made when the answers are lost; the first is asked for again when its file is gone.
  const calls = [one.create('f'), one.unlink('f'), one.create('f')];
  await world.answered(calls);
  assert.ok(cuts > 0);
  assert.equal(
    calls.map(({ outcome }) => outcome),
    ['ok', 'ok', 'ok'],
  );
  const [first, , last] = calls.map((call) => must(call, 'call'));
  assert.is.not(fidOf(must(first, 'first')), fidOf(must(last, 'last')));
  assert.is((await world.ok(other.lookup('f'))).value.fid, fidOf(must(last, 'last')));
});

everyPlace(
  36,
  'request or answer of create, chmod, open, rename, link and unlink lost',
  async (world, a, b) => {
    const fid = fidOf(await world.ok(a.create('f')));
    await world.ok(b.chmod(fid, 0o600));
    await world.ok(a.open(fid));
    await world.ok(b.rename('f', 'g'));
    await world.ok(a.link(fid, 'h'));
    await world.ok(b.unlink('g'));
    await world.ok(a.close(fid));
    const found = (await world.ok(b.lookup('h'))).value;
    assert.is(found.fid, fid);
    assert.is(found.mode & 0o7777, 0o600);
    assert.is(found.nlink, 1);
  },
  { faults: ['cut', 'cut after', 'twice', 'kill'] },
);

once(39, 'a late duplicate is not made over something newer', async (world, [a]) => {
  const one = must(a, 'a');
  const fid = fidOf(await world.ok(one.create('f')));
  const late = world.keep(one, ({ kind }) => kind === 'call');
  await world.ok(one.chmod(fid, 0o600));
  await world.ok(one.chmod(fid, 0o644));
  late.deliver?.();
  const { mode } = (await world.ok(one.call('getattr', { fid }))).value;
  assert.is(mode & 0o777, 0o644);
  await world.ok(one.chmod(fid, 0o640));
});

everyPlace(41, 'attributes are what they were, and the feed has all', async (world, a, b) => {
  const fid = fidOf(await world.ok(a.create('f')));
  const change = { uid: 5, gid: 6, mtime: { sec: 7, nsec: 8 }, atime: { sec: 9, nsec: 10 } };
  const set = await world.ok(b.reint({ op: 'setattr', fid, change }));
  world.kill();
  const found = (await world.ok(a.call('getattr', { fid }))).value;
  assert.equal(found, set.value.attributes);
});

test.run();
