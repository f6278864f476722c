/**
 * Runs a recovery by its tables (decision.ts). Replays of all clients are made in the order of
 * their numbers: the lowest one when every client that has not sent all has one queued. So a
 * number that nobody brings is not waited for, and what depends on its change fails, and its
 * client with it; whatever does not depend on it goes on.
 *
 * Nobody goes on before all of it is on disk (on-disk.ts). Bounded in time: whoever is not back
 * at the end of the window is evicted. A step that goes on beyond it has STEP_US, after which
 * those are evicted that the others wait for, and as much again, after which all are.
 */
import createDebug from 'debug';
import { must } from '../../base/assert.js';
import type { Errno } from '../../base/errno.js';
import type { Timespec } from '../../base/time.js';
import type { ClientId, RecoveryState, RecoveryStatus, RecoveryStep } from '../../rpc/session.js';
import type {
  KnownClient,
  RecoveryCoordinator,
  RecoveryTarget,
  ReplayItem,
} from '../export/parts.js';
import {
  BEGUN_STEP,
  type ClientAction,
  type ClientEvent,
  decideClient,
  decideServer,
  isAwaited,
  isTurn,
  type ServerEvent,
} from './decision.js';
import { REPLAYS_PER_TURN } from './limits.js';
import { madeAgain, notMade } from './made-again.js';
import { OnDisk } from './on-disk.js';
import { type RecoveringClient, RecoveringClients } from './recovering-clients.js';
import { statusOf } from './status.js';
import { StepLimit } from './step-limit.js';

const debug = createDebug('feedfs:recovery');

export interface CoordinatorOptions {
  /** The clients that the store knows: they were connected when the last server ended. */
  readonly known: readonly KnownClient[];
  /** How long a client may be missing. */
  readonly windowUs: number;
}

/** With nobody known it is `inactive` from the start, and does nothing. */
export function createCoordinator(
  target: RecoveryTarget,
  options: CoordinatorOptions,
): RecoveryCoordinator {
  return new Coordinator(target, options);
}

class Coordinator implements RecoveryCoordinator {
  readonly #target: RecoveryTarget;
  readonly #windowUs: number;
  readonly #clients: RecoveringClients;
  readonly #started: Timespec | undefined;
  readonly #startedUs: number;
  #endedUs: number | undefined;
  #state: RecoveryState = 'inactive';
  readonly #limit: StepLimit;
  readonly #onDisk: OnDisk;
  /** There is more to do, for which nothing has to happen. */
  #ready = false;
  #settling = false;
  #goesOnWithout = 0;
  readonly #counts = { reopened: 0, replayed: 0, refused: 0 };

  constructor(target: RecoveryTarget, { known, windowUs }: CoordinatorOptions) {
    this.#target = target;
    this.#windowUs = windowUs;
    this.#startedUs = target.nowUs();
    this.#limit = new StepLimit(this.#startedUs + windowUs);
    this.#onDisk = new OnDisk(target, () => this.#settle());
    this.#clients = new RecoveringClients(known);
    if (known.length === 0) return;
    this.#state = 'waiting';
    this.#started = target.wallClock();
    debug('%d clients are known', known.length);
  }

  get running(): boolean {
    return this.#state !== 'inactive' && this.#state !== 'complete';
  }

  knows(client: ClientId): boolean {
    return (this.#clients.get(client)?.phase ?? 'evicted') !== 'evicted';
  }

  connected(client: ClientId): void {
    const found = this.#clients.get(client);
    if (found === undefined || found.phase === 'evicted') return;
    found.connected = true;
    this.#happened(found, 'connected');
  }

  disconnected(client: ClientId): void {
    const found = this.#clients.get(client);
    if (found !== undefined) this.#left(found, 'disconnected');
  }

  reopening(client: ClientId, count: number): void {
    this.#clients.at(client, 'opens');
    this.#counts.reopened += count;
  }

  replay(client: ClientId, item: ReplayItem, done: (errno: Errno | 0) => void): void {
    const found = this.#clients.at(client, 'replays');
    if (found.queue.wasMade(item.xid)) return done(0);
    const refusal = found.queue.push({ item, done });
    if (refusal === undefined) return this.#settle();
    done(refusal.errno);
    this.#fail(found, refusal.message);
  }

  locking(client: ClientId): void {
    this.#clients.at(client, 'locks');
  }

  stepDone(client: ClientId, step: RecoveryStep): void {
    this.#happened(this.#clients.at(client, step), `${step}-done`);
  }

  gone(client: ClientId): void {
    const found = this.#clients.get(client);
    if (found === undefined) return;
    this.#left(found, 'gone');
    if (!this.running && found.phase !== 'evicted') this.#clients.remove(client);
  }

  tick(nowUs: number): void {
    if (!this.running) return;
    if (this.#limit.leftUs(nowUs) === 0) {
      this.#whole(() => this.#decide('time-over'));
      this.#limit.passed(nowUs);
    }
    this.#settle();
  }

  dueInUs(nowUs: number): number | undefined {
    if (!this.running) return undefined;
    return this.#ready ? 0 : this.#limit.leftUs(nowUs);
  }

  status(): Omit<RecoveryStatus, 'boot' | 'committed' | 'last'> {
    const { running } = this;
    const nowUs = this.#target.nowUs();
    return statusOf({
      state: this.#state,
      started: this.#started,
      durationUs: this.#started === undefined ? 0 : (this.#endedUs ?? nowUs) - this.#startedUs,
      leftUs: running ? this.#limit.leftUs(nowUs) : undefined,
      windowUs: this.#windowUs,
      clients: this.#clients.all,
      ...this.#counts,
    });
  }

  #fail(client: RecoveringClient, why: string): void {
    this.#counts.refused++;
    client.reason ??= why;
    this.#happened(client, 'failed');
  }

  #left(client: RecoveringClient, how: 'disconnected' | 'gone'): void {
    client.connected = false;
    this.#happened(client, how);
  }

  #happened(client: RecoveringClient, event: ClientEvent): void {
    if (this.running) this.#whole(() => this.#apply(client, event));
    this.#settle();
  }

  /** False if that has no row. */
  #apply(client: RecoveringClient, event: ClientEvent): boolean {
    const decision = decideClient(client.phase, event);
    if (decision === undefined) return false;
    debug('%s: %s, %s -> %s', client.known.client, event, client.phase, decision.next);
    client.phase = decision.next;
    // Before any of them: it may lead to the next event.
    for (const action of decision.actions) this.#act(client, action);
    return true;
  }

  #act(client: RecoveringClient, action: ClientAction): void {
    const { client: id } = client.known;
    switch (action) {
      case 'forget':
        return client.queue.forget();
      case 'evict':
        this.#goesOnWithout++;
        this.#onDisk.changed();
        client.connected = false;
        return this.#target.evict(id, client.reason ?? '');
      case 'remove':
        this.#goesOnWithout++;
        this.#onDisk.changed();
        return this.#clients.remove(id);
      default:
        return this.#target.step(id, BEGUN_STEP[action]);
    }
  }

  /** Goes on until something has to happen, or others must have their turn. */
  #settle(): void {
    if (this.#settling || !this.running) return;
    this.#ready = false;
    this.#whole(() => {
      while (this.running && this.#progress());
    });
  }

  /** What it leads to meanwhile has its turn afterwards. */
  #whole(work: () => void): void {
    const outer = this.#settling;
    this.#settling = true;
    try {
      work();
    } finally {
      this.#settling = outer;
    }
  }

  /** One step; false if there is none to take now. */
  #progress(): boolean {
    for (const client of this.#clients.all) {
      if (isTurn(this.#state, client.phase) && this.#apply(client, 'turn')) return true;
    }
    if (this.#state === 'replays') this.#replayAll();
    const event = this.#ready ? undefined : this.#clients.event(this.#state);
    if (event === undefined) return false;
    const ends = decideServer(this.#state, event)?.next === 'complete';
    return (!ends || this.#onDisk.reached) && this.#decide(event);
  }

  /** All that may be made now, or as many as others can wait for. */
  #replayAll(): void {
    for (let count = 0; ; count++) {
      const next = this.#clients.nextReplay();
      if (next === undefined) return;
      if (count === REPLAYS_PER_TURN) {
        this.#ready = true;
        return;
      }
      this.#replayOne(next);
    }
  }

  #decide(event: ServerEvent): boolean {
    const decision = decideServer(this.#state, event);
    if (decision === undefined) return false;
    debug('%s, %s -> %s', event, this.#state, decision.next);
    const nowUs = this.#target.nowUs();
    this.#state = decision.next;
    for (const action of decision.actions) {
      if (action === 'finish') this.#finish(nowUs);
      else if (action === 'evict-late') this.#evictLate();
      else this.#limit.stepBegins(nowUs);
    }
    return true;
  }

  #evictLate(): void {
    const step = this.#state === 'waiting' ? 'opens' : (this.#state as RecoveryStep);
    for (const client of this.#clients.all) {
      // What has come of it may only wait for the others.
      const waits = client.queue.length > 0 && !this.#limit.isLast;
      if (!isAwaited(client.phase, step) || waits) continue;
      const was = client.phase === 'missing' ? 'it did not come back' : 'it did not go on';
      client.reason ??= `${was} in time`;
      this.#apply(client, 'late');
    }
  }

  #replayOne(client: RecoveringClient): void {
    const { item, done } = must(client.queue.take(), 'it is queued');
    const errno = madeAgain(this.#target, client.known.client, item);
    done(errno);
    this.#onDisk.changed();
    if (errno === 0) this.#counts.replayed++;
    // Nothing depends on an open: it was closed, or it is lost.
    else if (item.payload.method === 'open') this.#counts.refused++;
    else this.#fail(client, notMade(item, errno));
  }

  #finish(nowUs: number): void {
    this.#endedUs = nowUs;
    this.#ready = false;
    // Before they go on: some of what they keep may come from changes that are lost.
    if (this.#goesOnWithout > 0) this.#target.dropAll();
    this.#target.destroyOrphans();
    for (const { known, phase, connected } of this.#clients.all) {
      if (phase !== 'evicted' && connected) this.#target.step(known.client, 'full');
    }
  }
}
