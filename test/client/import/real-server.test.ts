/** An import and the real server: killed with and without what it had committed, and connections cut. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../../src/base/fid.js';
import { Import } from '../../../src/client/import/import.js';
import type { OpenRecovery } from '../../../src/rpc/session.js';
import type { ChannelPair } from '../../../src/rpc/socket/channel-pair.js';
import { World } from '../../mds/export/world.js';
import { Random } from '../../support/random.js';
import { CLIENT, create } from './world.js';

const STEPS = 120;
const TURNS_MAX = 20_000;

class Play {
  readonly server = new World();
  readonly import: Import;
  readonly log: string[] = [];
  readonly evicted: string[] = [];
  /** How often each call was answered with success. */
  readonly answered: number[] = [];
  readonly open: Fid[] = [];
  readonly made: Fid[] = [];
  names = 0;
  #pair: ChannelPair | undefined;

  constructor(opens: OpenRecovery) {
    this.import = new Import({
      connect: async () => {
        this.#pair = this.server.connect();
        return this.#pair.client;
      },
      clock: this.server.clock,
      client: CLIENT,
      name: 'test',
      opens,
      log: (line) => this.log.push(line),
      events: {
        granted: () => {},
        recall: (_fids, _want, done) => done(),
        dropAll: () => {},
        evicted: (reason) => this.evicted.push(reason),
        held: () => ({ cached: [], exclusive: [] }),
      },
    });
  }

  async turn(): Promise<void> {
    for (let i = 0; i < 10; i++) await Promise.resolve();
    this.server.pump();
  }

  /** Until all is answered and on disk. */
  async settle(): Promise<void> {
    for (let i = 0; i < TURNS_MAX; i++) {
      await this.turn();
      this.server.settle();
      this.server.tick();
      const { clock } = this.server;
      if (this.import.stats().state === 'FULL' && this.import.inFlight === 0) return;
      const due = this.import.dueInUs(clock.us);
      if (due !== undefined && due < 5_000_000) clock.advance(due);
      this.import.tick(clock.us);
    }
    throw new Error(`it does not settle: ${this.log.join('; ')}`);
  }

  cut(): void {
    this.#pair?.cut('cut by the test');
  }

  #call(): (errno: number) => void {
    const at = this.answered.push(0) - 1;
    return (errno) => {
      this.answered[at] = (this.answered[at] ?? 0) + (errno === 0 ? 1 : 100);
    };
  }

  change(open: boolean): void {
    const answered = this.#call();
    this.import.call('reint', create(`f${this.names++}`, open), (errno, result) => {
      answered(errno);
      if (result === undefined) return;
      this.made.push(result.attributes.fid);
      if (open) this.open.push(result.attributes.fid);
    });
  }

  /** As the server has it. */
  get openCount(): number {
    const { opens } = this.server.server.namespace;
    return this.made.reduce((sum, fid) => sum + opens.count(fid), 0);
  }

  close(): void {
    const fid = this.open.shift();
    if (fid !== undefined) this.import.call('close', { fid }, this.#call());
  }

  async step(random: Random): Promise<void> {
    const choice = random.below(20);
    if (choice < 8) this.change(choice < 4);
    else if (choice < 11) this.close();
    else if (choice < 16) await this.turn();
    else if (choice < 17) this.server.settle();
    else if (choice < 18) this.cut();
    else if (choice < 19) await this.server.restart();
    else await this.settle();
  }
}

async function play(seed: number, opens: OpenRecovery): Promise<void> {
  const random = new Random(seed);
  const plays = new Play(opens);
  try {
    const started = plays.import.start();
    await plays.settle();
    await started;
    for (let i = 0; i < STEPS; i++) await plays.step(random);
    await plays.settle();
    // With a change that is new the server knows that no older one will come again.
    plays.change(false);
    await plays.settle();
    const about = `seed ${seed}: ${plays.log.join('; ')}`;
    assert.equal(plays.evicted, [], about);
    assert.ok(
      plays.answered.every((times) => times === 1),
      about,
    );
    const names: string[] = [];
    const each = ({ name }: { name: string }): boolean => names.push(name) > 0;
    const request = { fid: 1 as Fid, cookie: 0, attributes: false, each };
    plays.import.call('readdir', request, () => {});
    await plays.settle();
    assert.is(names.length, plays.names, about);
    assert.is(plays.import.stats().opens, plays.open.length, about);
    assert.is(plays.openCount, plays.open.length, about);
    for (const fid of plays.open.splice(0)) plays.import.call('close', { fid }, () => {});
    await plays.settle();
    assert.is(plays.import.stats().opens, 0, about);
    assert.is(plays.openCount, 0, about);
  } finally {
    await plays.server.end();
  }
}

for (const opens of ['reconstruct', 'replay'] as const) {
  for (const seed of [1, 2, 3, 4]) {
    test(`each change is made once, each open is open (${opens}, seed ${seed})`, () =>
      play(seed, opens));
  }
}

test.run();
