/** The queue of a watch against an array. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../src/base/fid.js';
import type { LogOffset, RecordIndex } from '../../src/feed/record.js';
import { type QueuedRecord, WatchQueue } from '../../src/mds/watch-queue.js';
import { Random } from '../support/random.js';

function randomRecord(random: Random, index: number): QueuedRecord {
  return {
    epoch: random.below(3),
    offset: (index * 1000 + random.below(2 ** 30) * 2 ** 20) as LogOffset,
    index: index as RecordIndex,
    flags: random.below(64),
    parents: Array.from({ length: random.below(6) }, () => (1 + random.below(2 ** 31)) as Fid),
  };
}

test('whatever goes in comes out in the same order', () => {
  const random = new Random(9);
  const queue = new WatchQueue();
  const model: QueuedRecord[] = [];
  for (let step = 1; step <= 20_000; step++) {
    // In waves, so that it grows, wraps around and empties.
    if (random.chance(step % 4_000 < 2_000 ? 70 : 30)) {
      const record = randomRecord(random, step);
      const { flags, parents, ...place } = record;
      queue.push(place, { flags, parents });
      model.push(record);
    } else {
      queue.shift();
      model.shift();
    }
    assert.is(queue.length, model.length);
    if (step % 7 === 0) assert.equal(queue.first(), model[0]);
  }
  assert.ok(model.length > 0);
  queue.clear();
  assert.is(queue.first(), undefined);
  queue.shift();
  assert.is(queue.length, 0);
});

test.run();
