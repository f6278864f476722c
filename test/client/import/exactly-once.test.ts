/**
 * Calls of all kinds, cuts, crashes and commits in any order: every call is answered once, and
 * in the end the server has made every change once, in an order that the client can know.
 */
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../../src/base/fid.js';
import type { OpenRecovery } from '../../../src/rpc/session.js';
import { create, World } from './world.js';

const FILE = 200_000 as Fid;

type Step =
  | { do: 'create'; open: boolean }
  | { do: 'open' | 'close' | 'look' | 'commit' }
  /** After so many messages; `crash` with `commit`: what was done until then is on disk. */
  | { do: 'cut' | 'crash' | 'commit-and-crash'; after: number }
  | { do: 'settle' | 'turn' };

const after = fc.integer({ min: 0, max: 12 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('create' as const), open: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constantFrom('open' as const, 'close', 'look', 'commit') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('cut' as const, 'crash', 'commit-and-crash'),
      after,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('settle' as const, 'turn', 'turn') }) },
);

class Play {
  readonly world: World;
  readonly answers: number[] = [];
  names = 0;
  breaks = 0;
  /** Opens that were answered and not closed, by file. */
  readonly open: Fid[] = [];

  constructor(opens: OpenRecovery) {
    this.world = new World({ opens });
  }

  #answered(): () => void {
    const at = this.answers.push(0) - 1;
    return () => {
      this.answers[at] = (this.answers[at] ?? 0) + 1;
    };
  }

  async step(one: Step): Promise<void> {
    const { world } = this;
    const answered = this.#answered.bind(this);
    switch (one.do) {
      case 'create': {
        const done = answered();
        world.import.call('reint', create(`f${this.names++}`, one.open), (_errno, result) => {
          if (one.open && result !== undefined) this.open.push(result.attributes.fid);
          done();
        });
        return;
      }
      case 'open': {
        const done = answered();
        world.import.call('open', { fid: FILE }, () => {
          this.open.push(FILE);
          done();
        });
        return;
      }
      case 'close': {
        const fid = this.open.shift();
        if (fid !== undefined) world.import.call('close', { fid }, answered());
        return;
      }
      case 'look':
        world.import.call('getattr', { fid: FILE }, answered());
        return;
      case 'commit':
        return world.server.commit();
      case 'turn':
        await world.turn();
        return;
      case 'settle':
        return await world.run();
      default:
        return this.#breakAfter(one);
    }
  }

  /** In place of that message which comes so many messages later. */
  #breakAfter({ do: how, after: left }: Extract<Step, { after: number }>): void {
    const { world } = this;
    let rest = left;
    world.beforeDelivery = () => {
      if (rest-- > 0) return true;
      world.beforeDelivery = () => true;
      this.breaks++;
      if (how === 'commit-and-crash') world.server.commit();
      if (how !== 'cut') world.server.crash();
      return false;
    };
  }
}

/** Returns how often something broke. */
async function play(opens: OpenRecovery, steps: readonly Step[]): Promise<number> {
  const plays = new Play(opens);
  const { world } = plays;
  await world.started();
  for (const one of steps) await plays.step(one);
  await world.run();
  assert.equal(world.server.faults, []);
  assert.ok(
    plays.answers.every((count) => count === 1),
    'every call is answered once',
  );
  const done = world.server.state.log.map(({ what }) => what);
  assert.is(done.length, plays.names);
  assert.is(new Set(done).size, plays.names);
  const opened = [...world.server.opens.values()].sort();
  assert.equal(opened, [...plays.open].sort());
  assert.is(world.import.stats().opens, plays.open.length);
  assert.is(world.import.inFlight, 0);
  return plays.breaks;
}

for (const opens of ['reconstruct', 'replay'] as const) {
  test(`whatever happens, each change is made once (${opens})`, async () => {
    let breaks = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
        async (steps) => {
          breaks += await play(opens, steps);
        },
      ),
      { numRuns: 400 },
    );
    assert.ok(breaks > 400, `it broke only ${breaks} times`);
  });
}

test.run();
