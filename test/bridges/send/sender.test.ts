/** What a sender sends of a feed, a baseline and files, and when it is done. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../../src/base/fid.js';
import { BaselineSource } from '../../../src/bridges/send/baseline-source.js';
import { BASELINE_KEEP_NS } from '../../../src/bridges/send/limits.js';
import { SendError } from '../../../src/bridges/send/send-error.js';
import { bytesOf, endEntry, FakeBaseline, fileEntry, headEntry } from './fake-baseline.js';
import { fidOf, START_INDEX, startPlace, unlink, write } from './fake-log.js';
import { EXTENT, failureOf, World } from './sender-world.js';

test('once: what there is, with its contents, and the end', async () => {
  const world = new World();
  world.log.add(write(1, fidOf(1), EXTENT), write(2, fidOf(1), { offset: 1, length: 3 }));
  assert.is(await world.run(), 'complete');
  assert.is(world.summary(), 'header records2 data commit43 end');
  assert.equal(world.read, [`${fidOf(1)}: 0+4`]);
  const commit = world.sent().received[3]?.frame;
  assert.equal(commit, {
    kind: 'commit',
    from: startPlace(),
    to: world.log.end,
    transno: 2,
    time: '1700000000000000002',
  });
  assert.is(world.sent().error, undefined);
  assert.ok(world.log.closed);
  assert.equal(world.caughtUp, [world.log.end]);
});

test('once: nothing new makes a stream, too', async () => {
  const world = new World();
  assert.is(await world.run(), 'complete');
  assert.is(world.summary(), 'header end');
});

test('once: it ends though the source is never quiet', async () => {
  const world = new World();
  world.log.add(write(1, fidOf(1), EXTENT));
  world.contents = {
    read: async () => {
      world.log.add(write(2, fidOf(1), EXTENT));
    },
  };
  assert.is(await world.run(), 'complete');
  assert.is(world.summary(), 'header records1 commit42 end');
});

test('a baseline, the contents it does not have, and then what changed since', async () => {
  const world = new World();
  const entries = [
    headEntry(startPlace(), 2),
    fileEntry(fidOf(1), 3, Buffer.from('abc')),
    fileEntry(fidOf(2), 9_000, 'elsewhere'),
    endEntry(2),
  ];
  const file = new FakeBaseline(bytesOf(entries));
  world.baseline = await BaselineSource.open(file);
  world.log.add(unlink(41, fidOf(1)));
  assert.is(await world.run(), 'complete');
  assert.is(world.summary(), `header entries data commit${START_INDEX} records1 commit42 end`);
  assert.equal(world.read, [`${fidOf(2)}: 0+9000`]);
  const { received, error } = world.sent();
  assert.is(error, undefined);
  const [header, , , commit] = received.map(({ frame }) => frame);
  assert.ok(header?.kind === 'header' && header.header.kind === 'baseline');
  assert.ok(commit?.kind === 'commit' && commit.from === undefined && commit.transno === 40);
});

test('while contents are sent, the baseline is said to be wanted now and then', async () => {
  const world = new World();
  const fids = [1, 2, 3, 4].map((number) => fidOf(number));
  const entries = [
    headEntry(startPlace(), fids.length),
    ...fids.map((fid) => fileEntry(fid, 9_000, 'elsewhere')),
    endEntry(fids.length),
  ];
  const file = new FakeBaseline(bytesOf(entries));
  world.baseline = await BaselineSource.open(file);
  const kept: number[] = [];
  const { contents } = world;
  world.contents = {
    read: async (fid, ranges, put) => {
      await contents.read(fid, ranges, put);
      kept.push(file.kept);
      world.advance(Number(BASELINE_KEEP_NS / 2_000_000n));
    },
  };
  assert.is(await world.run(), 'complete');
  assert.equal(kept, [1, 1, 2, 2]);
});

test('records of other feeds in between are no reason to stop', async () => {
  const world = new World();
  world.log.skip(3, 160);
  world.log.add(unlink(1, fidOf(1)));
  assert.is(await world.run(), 'complete');
  assert.is(world.summary(), 'header records1 commit45 end');
});

test('contents that cannot be read break the stream off before the commit', async () => {
  const world = new World();
  world.log.add(unlink(1, fidOf(1)));
  const broken = new SendError('contents', 'EIO');
  world.follow = true;
  world.waits.push(() => world.log.add(write(2, fidOf(1), EXTENT)));
  world.contents = { read: () => Promise.reject(broken) };
  assert.is(await failureOf(world.run()), broken);
  assert.is(world.summary(), 'header records1 commit42');
  assert.is(world.sent().error?.kind, 'truncated');
});

test('told to stop inside the baseline it breaks off', async () => {
  const world = new World();
  const entries = [
    headEntry(startPlace(), 2),
    fileEntry(fidOf(1), 9_000, 'elsewhere'),
    fileEntry(fidOf(2), 9_000, 'elsewhere'),
    endEntry(2),
  ];
  world.baseline = await BaselineSource.open(new FakeBaseline(bytesOf(entries)));
  world.contents = {
    read: async (fid: Fid) => {
      world.read.push(`${fid}`);
      world.stop.abort();
    },
  };
  assert.is(await world.run(), 'broken');
  assert.equal(world.read, [`${fidOf(1)}`]);
});

test.run();
