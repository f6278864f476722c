/** An import and a fake server, between which a test delivers messages and cuts connections. */
import type { Errno } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import type { FileName } from '../../../src/base/name.js';
import { Import, type ImportOptions } from '../../../src/client/import/import.js';
import type { ImportEvents } from '../../../src/client/import-events.js';
import type { Reint, RequestOf } from '../../../src/rpc/messages.js';
import type { ClientId, ClientMessage, ServerMessage } from '../../../src/rpc/session.js';
import { type ChannelPair, channelPair } from '../../../src/rpc/socket/channel-pair.js';
import { FakeClock } from '../../support/fake-clock.js';
import { FakeServer } from './fake-server.js';

export const CLIENT = 'c1'.repeat(16) as ClientId;
const WHO = { uid: 0, gid: 0, pid: 1, jobid: '', nid: '0@lo' };
const STEPS_MAX = 20_000;

export function change(reint: Reint): RequestOf<'reint'> {
  return { who: WHO, change: reint };
}

export function create(name: string, open = false): RequestOf<'reint'> {
  const mode = 0o100644;
  const file = { parent: 1 as Fid, name: name as FileName, mode, umask: 0, rdev: 0, open };
  return change({ op: 'create', ...file });
}

export interface Noted {
  readonly granted: { fids: readonly Fid[]; exclusive: Fid | undefined }[];
  readonly recalled: { fids: readonly Fid[]; want: string; done: () => void }[];
  readonly evicted: string[];
  readonly openLost: Fid[];
  dropAll: number;
  recovered: number;
}

export class World {
  readonly clock = new FakeClock();
  readonly server = new FakeServer();
  readonly log: string[] = [];
  readonly noted: Noted = {
    granted: [],
    recalled: [],
    evicted: [],
    openLost: [],
    dropAll: 0,
    recovered: 0,
  };
  held: ReturnType<ImportEvents['held']> = { cached: [], exclusive: [] };
  readonly import: Import;
  /** False: nobody listens. */
  isUp = true;
  connects: number[] = [];
  /** Sees what is delivered; false cuts the connection in its place. */
  beforeDelivery: (message: ClientMessage | ServerMessage) => boolean = () => true;
  #pair: ChannelPair | undefined;

  constructor(options: Partial<ImportOptions> = {}) {
    this.server.methods.nowSec = () => this.clock.now().sec;
    const { noted } = this;
    this.import = new Import({
      connect: async () => this.#connect(),
      clock: this.clock,
      client: CLIENT,
      name: 'test',
      opens: 'reconstruct',
      log: (line) => this.log.push(line),
      events: {
        granted: (fids, exclusive) => noted.granted.push({ fids, exclusive }),
        recall: (fids, want, done) => noted.recalled.push({ fids, want, done }),
        dropAll: () => noted.dropAll++,
        evicted: (reason) => noted.evicted.push(reason),
        held: () => this.held,
        openLost: (fid) => noted.openLost.push(fid),
        recovered: () => noted.recovered++,
      },
      ...options,
    });
  }

  #connect() {
    this.connects.push(this.clock.us);
    if (!this.isUp) throw new Error('nobody listens');
    const onMessage = (message: ClientMessage | ServerMessage, deliver: () => void): void => {
      if (this.beforeDelivery(message)) deliver();
      else this.cut();
    };
    const pair = channelPair({ onClientMessage: onMessage, onServerMessage: onMessage });
    this.#pair = pair;
    this.server.accept(pair.server);
    return pair.client;
  }

  cut(): void {
    const pair = this.#pair;
    this.#pair = undefined;
    pair?.cut('cut by the test');
  }

  /** What was not committed is gone, also what is on its way. */
  crash(): void {
    this.server.crash();
    this.cut();
  }

  /** Delivers what is under way now; returns how much that was. */
  async turn(): Promise<number> {
    for (let turn = 0; turn < 8; turn++) await Promise.resolve();
    return this.#pair?.pump() ?? 0;
  }

  /** Delivers what is under way, and moves the clock, until `until` holds or nothing is left to happen. */
  async run(until: () => boolean = () => false): Promise<void> {
    for (let step = 0; step < STEPS_MAX; step++) {
      if (until()) return;
      if ((await this.turn()) > 0) continue;
      const due = this.import.dueInUs(this.clock.us);
      // Beyond it nothing is under way but what waits for its time.
      if (due === undefined || (due > 60_000_000 && !this.#isAway)) return;
      this.clock.advance(Math.ceil(due));
      this.import.tick(this.clock.us);
    }
    throw new Error('it does not come to rest');
  }

  get #isAway(): boolean {
    return this.import.stats().state !== 'FULL';
  }

  async started(): Promise<this> {
    const started = this.import.start();
    await this.run(() => this.import.stats().state === 'FULL');
    await started;
    return this;
  }

  /** Calls, and notes the errno when it comes. */
  change(request: RequestOf<'reint'>): { errno: Errno | 0 | undefined; answers: number } {
    const noted: { errno: Errno | 0 | undefined; answers: number } = {
      errno: undefined,
      answers: 0,
    };
    this.import.call('reint', request, (errno) => {
      noted.errno = errno;
      noted.answers++;
    });
    return noted;
  }
}
