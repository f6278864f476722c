/** All that an import keeps, so that its client need not know of lost connections and servers. */
import type { Clock } from '../../base/time.js';
import type { Answer, OpenRecovery, Slot } from '../../rpc/session.js';
import { Calls, type PendingCall } from './calls.js';
import { ConsumerState } from './consumer-state.js';
import { OpenList } from './open-list.js';
import { Releases } from './releases.js';
import { Renewals } from './renewals.js';
import { ReplayList } from './replay-list.js';

/** A plain open has no slot; where one has to be named it is this. */
const NO_SLOT = 0 as Slot;

export class Kept {
  readonly calls = new Calls();
  readonly replays = new ReplayList();
  readonly opens = new OpenList();
  readonly consumer = new ConsumerState();
  readonly releases = new Releases();
  readonly renewals: Renewals;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #mode: OpenRecovery;

  constructor(clock: Pick<Clock, 'now'>, mode: OpenRecovery) {
    this.#clock = clock;
    this.#mode = mode;
    this.renewals = new Renewals(this.opens, clock);
  }

  /** Another run of the server: it knows nothing of this client's consumers. */
  serverRestarted(): void {
    this.calls.dropRestores();
    this.consumer.lost(this.#clock.now());
  }

  nowSec(): number {
    return this.#clock.now().sec;
  }

  /** What has to be made again, and what is open, by an answer. */
  answered({ receipt, capability }: Answer, { method, xid, slot, payload }: PendingCall): void {
    const item =
      receipt === undefined || xid === undefined
        ? undefined
        : { xid, slot: slot ?? NO_SLOT, payload, receipt, opened: capability?.fid };
    if (item !== undefined && method === 'reint') this.replays.add(item);
    if (capability === undefined) return;
    this.opens.add(capability, this.#mode === 'replay' ? item : undefined, this.nowSec());
  }

  /**
   * The server keeps nothing of this client: nothing is open or to be made again. Returns the
   * calls that nobody will answer. `committed`: what is on disk, as far as is known.
   */
  evicted(committed: number): PendingCall[] {
    const calls = this.calls.takeAll();
    for (const call of calls) call.forget();
    this.opens.loseAll();
    this.replays.reset(committed);
    this.releases.clear();
    this.renewals.reset();
    this.consumer.lost(this.#clock.now());
    return calls;
  }
}
