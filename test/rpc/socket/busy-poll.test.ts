/** Sockets that are asked on after a message. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BusyPoll } from '../../../src/rpc/socket/busy-poll.js';
import { POLL_SLICE_US } from '../../../src/rpc/socket/limits.js';

const LOOK_US = 5;

class World {
  timeUs = 0;
  turns: (() => void)[] = [];
  yields = 0;
  readonly busyPoll: BusyPoll;

  constructor(us: number) {
    this.busyPoll = new BusyPoll({
      us,
      nowUs: () => this.timeUs,
      soon: (next) => this.turns.push(next),
      yieldCpu: () => {
        this.yields++;
      },
    });
  }

  /** One turn of the event loop. */
  turn(): void {
    for (const next of this.turns.splice(0)) next();
  }

  channel(messages = 0) {
    const channel = {
      messages,
      polls: 0,
      poll: (): boolean => {
        this.timeUs += LOOK_US;
        channel.polls++;
        if (channel.messages === 0) return false;
        channel.messages--;
        this.busyPoll.touched(channel);
        return true;
      },
    };
    return channel;
  }
}

test('for so long after the last message, and then the process may sleep', () => {
  const world = new World(50);
  const channel = world.channel(2);
  world.busyPoll.touched(channel);
  assert.is(channel.polls, 0, 'not within the caller');
  let turns = 0;
  while (world.turns.length > 0) {
    world.turn();
    turns++;
  }
  assert.is(channel.messages, 0);
  assert.is(channel.polls, 2 + 50 / LOOK_US);
  assert.is(turns, Math.ceil((channel.polls * LOOK_US) / POLL_SLICE_US));
  assert.is(world.yields, channel.polls, 'others may run between two looks');
});

test('those that have had nothing lately are left to the event loop', () => {
  const world = new World(50);
  const [first, second] = [world.channel(), world.channel()];
  world.busyPoll.touched(first);
  while (world.turns.length > 0) world.turn();
  world.busyPoll.touched(second);
  const before = first.polls;
  while (world.turns.length > 0) world.turn();
  assert.is(first.polls, before);
  assert.is(second.polls, 50 / LOOK_US);
});

test('a channel that is closed is not asked any more', () => {
  const world = new World(50);
  const [one, other] = [world.channel(), world.channel()];
  world.busyPoll.touched(one);
  world.busyPoll.touched(other);
  world.busyPoll.forget(one);
  while (world.turns.length > 0) world.turn();
  assert.equal([one.polls, other.polls], [0, 50 / LOOK_US]);
});

test('not at all where the time for it is 0', () => {
  const world = new World(0);
  world.busyPoll.touched(world.channel());
  assert.is(world.turns.length, 0);
});

test.run();
