/** Nothing is acknowledged that was not confirmed, one at a time, and not too much is under way. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WINDOW_BYTES, WINDOW_MARK_BYTES } from '../../../src/bridges/send/limits.js';
import { SendError } from '../../../src/bridges/send/send-error.js';
import { Window } from '../../../src/bridges/send/window.js';
import type { LogPlace } from '../../../src/rpc/baseline.js';

function place(index: number): LogPlace {
  return { epoch: 0, offset: index * 100, index };
}

/** Acknowledgements that end when the test says so. */
class Acknowledged {
  readonly indices: number[] = [];
  #end: (() => void) | undefined;
  #refuse: ((why: Error) => void) | undefined;

  readonly begin = ({ index }: LogPlace): Promise<void> => {
    this.indices.push(index);
    return new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#refuse = reject;
    });
  };

  async end(): Promise<void> {
    this.#end?.();
    await settled();
  }

  refuse(why: Error): void {
    this.#refuse?.(why);
  }
}

/** All that can happen without anything from outside has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function failureOf(work: Promise<void>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error;
  }
}

test('what is confirmed is acknowledged, and of several only the last', async () => {
  const acknowledged = new Acknowledged();
  const window = new Window(acknowledged.begin);
  for (let index = 1; index <= 5; index++) window.sent(place(index), index * 10);
  assert.equal(acknowledged.indices, []);
  window.confirm(place(1));
  window.confirm(place(2));
  window.confirm(place(4));
  assert.equal(acknowledged.indices, [1]);
  await acknowledged.end();
  assert.equal(acknowledged.indices, [1, 4]);
  await acknowledged.end();
  assert.equal(window.acknowledged, place(4));
  // Again, or earlier, is nothing new.
  window.confirm(place(3));
  window.confirm(place(4));
  await window.settled();
  assert.equal(acknowledged.indices, [1, 4]);
});

test('what was not sent cannot be confirmed', () => {
  const acknowledged = new Acknowledged();
  const window = new Window(acknowledged.begin);
  assert.throws(
    () => window.confirm(place(1)),
    (error: unknown) => error instanceof SendError,
  );
  window.sent(place(3), 10);
  assert.throws(() => window.confirm(place(4)), /record 3, which was not sent/);
  assert.throws(() => window.confirm({ epoch: 1, offset: 0, index: 3 }), /was not sent/);
  window.confirm({ epoch: 0, offset: 250, index: 2 });
  assert.equal(acknowledged.indices, [2]);
});

test('whoever confirms is waited for when too much is under way', async () => {
  const acknowledged = new Acknowledged();
  const window = new Window(acknowledged.begin);
  window.sent(place(1), 0);
  // Nobody has confirmed anything: perhaps nobody ever will.
  await window.room(10 * WINDOW_BYTES);
  window.confirm(place(1));
  window.sent(place(2), WINDOW_MARK_BYTES);
  await window.room(WINDOW_MARK_BYTES + WINDOW_BYTES);
  window.sent(place(3), WINDOW_MARK_BYTES + WINDOW_BYTES + 1);
  let hasRoom = false;
  const room = window.room(WINDOW_MARK_BYTES + WINDOW_BYTES + 1).then(() => {
    hasRoom = true;
  });
  await settled();
  assert.not.ok(hasRoom);
  window.confirm(place(2));
  await room;
  assert.ok(hasRoom);
});

test('all is confirmed when the last commit is', async () => {
  const acknowledged = new Acknowledged();
  const window = new Window(acknowledged.begin);
  window.sent(place(2), 10);
  let isDrained = false;
  const drained = window.drained().then(() => {
    isDrained = true;
  });
  window.confirm(place(1));
  await acknowledged.end();
  assert.not.ok(isDrained);
  window.confirm(place(2));
  await settled();
  assert.not.ok(isDrained, 'it is not on disk');
  await acknowledged.end();
  await drained;
});

test('when nobody confirms any more, nobody waits any more', async () => {
  const window = new Window(new Acknowledged().begin);
  window.sent(place(2), 10);
  const drained = failureOf(window.drained());
  const why = new Error('gone');
  window.fail(why);
  assert.is(await drained, why);
  assert.is(await failureOf(window.room(0)), why);
  // But what was confirmed counts.
  assert.is(await failureOf(window.settled()), undefined);
});

test('an acknowledgement that fails is told', async () => {
  const acknowledged = new Acknowledged();
  const window = new Window(acknowledged.begin);
  window.sent(place(2), 10);
  window.confirm(place(2));
  const why = new Error('EIO');
  acknowledged.refuse(why);
  assert.is(await failureOf(window.settled()), why);
  assert.is(window.acknowledged, undefined);
});

test.run();
