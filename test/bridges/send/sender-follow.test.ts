/** A sender that follows: what goes out when, signs of life, and what makes it stop. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { TICK_MS } from '../../../src/bridges/send/limits.js';
import { SendError } from '../../../src/bridges/send/send-error.js';
import { Window } from '../../../src/bridges/send/window.js';
import { FeedError } from '../../../src/consumer/errors.js';
import { FakeLog, fidOf, startPlace, unlink, write } from './fake-log.js';
import { EXTENT, failureOf, short, World } from './sender-world.js';

test('following: each change goes out at once, and the end when it is told to stop', async () => {
  const world = new World();
  world.follow = true;
  let seen = '';
  world.waits.push(
    () => world.log.add(write(1, fidOf(1), EXTENT)),
    (frames) => {
      seen = frames.map(short).join(' ');
      world.log.add(unlink(2, fidOf(1)));
    },
  );
  assert.is(await world.run(), 'stopped');
  assert.is(seen, 'header records1 data commit42');
  assert.is(world.summary(), 'header records1 data commit42 records1 commit43 end');
});

test('following: signs of life while nothing changes, and only then', async () => {
  const world = new World();
  world.follow = true;
  world.waits.push(
    () => world.pass?.(TICK_MS),
    () => {
      world.pass?.(TICK_MS - 1);
      world.log.add(unlink(1, fidOf(1)));
    },
    () => world.pass?.(1),
  );
  await world.run();
  assert.is(world.summary(), 'header idle41 records1 commit42 idle42 end');
});

test('following: how far the log is, also while there is always something', async () => {
  const world = new World();
  world.follow = true;
  world.waits.push(
    () => {
      world.advance(TICK_MS - 1);
      world.log.add(write(1, fidOf(1), EXTENT));
    },
    () => {
      world.advance(1);
      world.log.add(unlink(2, fidOf(1)));
    },
  );
  await world.run();
  assert.is(world.summary(), 'header records1 data commit42 records1 commit43 idle43 end');
});

test('records that somebody took away are', async () => {
  const away: readonly ((world: World) => void)[] = [
    ({ standing }) => {
      standing.acknowledged = { ...startPlace(), index: 44, offset: startPlace().offset + 160 };
    },
    ({ standing }) => {
      standing.gaps = 1;
    },
    ({ standing }) => {
      standing.filter = { op: ['unlink'] };
    },
    ({ standing, log }) => {
      standing.filterFrom = log.end;
    },
  ];
  for (const take of away) {
    // Found by the gap in the indices, before anything behind it goes out.
    const behind = new World();
    behind.waits.push(() => {
      behind.log.skip(3, 160);
      take(behind);
      behind.log.add(unlink(1, fidOf(1)));
    });
    behind.follow = true;
    const error = await failureOf(behind.run());
    assert.instance(error, SendError);
    assert.is((error as SendError).kind, 'incomplete');
    assert.is(behind.summary(), 'header');
    // Found while nothing comes.
    const quiet = new World();
    quiet.follow = true;
    quiet.waits.push(() => {
      quiet.log.skip(3, 160);
      take(quiet);
      quiet.pass?.(TICK_MS);
    });
    assert.instance(await failureOf(quiet.run()), SendError);
    assert.is(quiet.summary(), 'header');
  }
});

test('a gap that closed does not excuse a new one', async () => {
  const world = new World();
  world.follow = true;
  world.standing.gaps = 2;
  world.waits.push(
    () => {
      world.standing.gaps = 0;
      world.pass?.(TICK_MS);
    },
    () => {
      world.standing.gaps = 1;
      world.pass?.(TICK_MS);
    },
  );
  const error = await failureOf(world.run());
  assert.instance(error, SendError);
  assert.match((error as SendError).message, /acknowledged.*--baseline/);
  assert.is(world.summary(), 'header idle41');
});

test('a feed that is removed ends the stream, after what it had', async () => {
  const world = new World();
  world.follow = true;
  const gone = new FeedError('ENOENT', 'backup', 'gone');
  world.waits.push(() => {
    world.log.add(unlink(1, fidOf(1)));
    world.noStanding = gone;
    world.log.finish();
  });
  assert.is(await world.run(), 'removed');
  assert.is(world.summary(), 'header records1 commit42 end');
});

test('whatever a call on a feed that was removed meanwhile says, the stream ends', async () => {
  const gone = new FeedError('ENOENT', 'backup', 'gone');
  const stale = new FeedError('ESTALE', 'backup', 'stale');
  const opening = new World();
  opening.noRecords = new FeedError('ENODEV', 'backup', 'ended');
  opening.noStanding = gone;
  assert.is(await opening.run(), 'removed');
  const waiting = new World();
  waiting.follow = true;
  waiting.waits.push(() => {
    waiting.noStanding = gone;
    throw stale;
  });
  assert.is(await waiting.run(), 'removed');
  const there = new World();
  there.follow = true;
  there.waits.push(() => {
    throw stale;
  });
  assert.is(await failureOf(there.run()), stale, 'of one that is there it is an error');
});

test('a feed that expires breaks it off', async () => {
  const world = new World();
  world.follow = true;
  const expired = new FeedError('EXPIRED', 'backup', 'expired');
  world.waits.push(() => {
    world.noStanding = expired;
    world.log.finish();
  });
  assert.is(await failureOf(world.run()), expired);
  assert.is(world.sent().error?.kind, 'truncated');
});

test('a new epoch: the stream ends, for nobody confirms what was before', async () => {
  const world = new World();
  world.follow = true;
  world.waits.push(() => {
    world.log.add(unlink(1, fidOf(1)));
    world.log.finish();
  });
  assert.is(await world.run(), 'epoch');
  assert.is(world.summary(), 'header records1 commit42 end');
});

test('a new epoch: once all is confirmed the stream goes on there', async () => {
  const world = new World();
  world.follow = true;
  const window = new Window(async () => {
    world.standing.epoch = 1;
  });
  world.window = window;
  world.waits.push(() => {
    world.log.add(unlink(1, fidOf(1)));
    world.log.finish();
    // The receiver takes its time.
    setImmediate(() => window.confirm(world.log.end));
  });
  world.nextLog = new FakeLog();
  world.nextLog.skip(1, 0);
  world.nextLog.add(unlink(2, fidOf(1)));
  world.nextLog.onWait = () => world.stop.abort();
  assert.is(await world.run(), 'stopped');
  assert.is(world.summary(), 'header records1 commit42 records1 commit43 end');
  assert.is(world.sent().error, undefined);
  assert.equal(world.opened, [startPlace(), { epoch: 1, offset: 0, index: 42 }]);
});

test.run();
