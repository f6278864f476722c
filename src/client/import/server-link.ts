/**
 * The connection to the server through its states (state.ts): welcome, recovery, service,
 * eviction. What is sent when, and what becomes of what comes.
 */
import createDebug from 'debug';
import { Errno } from '../../base/errno.js';
import type {
  ClientMessage,
  Recall,
  ServerBoot,
  ServerMessage,
  StepBegins,
  Welcome,
} from '../../rpc/session.js';
import type { Kept } from './kept.js';
import { Link } from './link.js';
import type { Notices } from './notices.js';
import type { ImportOptions } from './options.js';
import { Outage } from './outage.js';
import type { CallParts } from './pending-call.js';
import { Recovering } from './recovering.js';
import type { FileLocksHeld } from './recovery-steps.js';
import { Sending } from './sending.js';
import { type ImportEvent, type ImportState, nextState } from './state.js';
import {
  helloOf,
  isGreeting,
  type KnownServer,
  outcomeFor,
  refusesServer,
  tellsOlderStore,
} from './welcome.js';

const debug = createDebug('feedfs:import');

export interface ServerLinkParts extends Omit<ImportOptions, 'encode' | 'onWake'> {
  readonly kept: Kept;
  readonly notices: Notices;
  readonly calls: CallParts;
}

export interface ServerLinkEvents {
  /** Calls were answered, or can be sent. */
  changed(): void;
  /** The connection ended; or all ended. */
  lost(): void;
  /** Something is due earlier than it was. */
  wake(): void;
}

export class ServerLink {
  readonly #parts: ServerLinkParts;
  readonly #events: ServerLinkEvents;
  readonly #link: Link;
  readonly #sending: Sending;
  readonly #recovering: Recovering;
  readonly #outage: Outage;
  #state: ImportState = 'DISCONNECTED';
  /** Whoever waits for the first welcome. */
  #starting: { resolve(welcome: Welcome): void; reject(error: Error): void } | undefined;
  #known: KnownServer | undefined;
  #retryUs: number | undefined;
  #ended: string | undefined;

  constructor(parts: ServerLinkParts, events: ServerLinkEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#outage = new Outage(parts);
    const send = (message: ClientMessage): void => this.#link.send(message);
    this.#sending = new Sending(parts, send);
    this.#recovering = new Recovering(parts, this.#sending, send);
    this.#link = new Link(parts, {
      connecting: () => this.#to('connect'),
      connected: () => {
        this.#link.send(helloOf(parts, this.#known));
        this.#events.wake();
      },
      failed: (reason) => this.#failed(reason),
      message: (message) => this.#message(message),
      lost: (reason) => this.#lost(reason),
    });
  }

  get state(): ImportState {
    return this.#state;
  }

  /** Why there will be no connection any more. */
  get ended(): string | undefined {
    return this.#ended;
  }

  fileLocksFrom(locks: FileLocksHeld): void {
    this.#recovering.fileLocks = locks;
  }

  start(): Promise<Welcome> {
    return new Promise((resolve, reject) => {
      this.#starting = { resolve, reject };
      this.#link.again();
    });
  }

  get wire(): Pick<Link, 'send' | 'poll' | 'polls'> {
    return this.#link;
  }

  /** Sends what may be sent. */
  pump(): void {
    this.#sending.pump();
  }

  tick(nowUs: number): void {
    this.#link.tick(nowUs);
    if (this.#state !== 'FULL') return;
    const renewal = this.#parts.kept.renewals.next();
    if (renewal !== undefined) this.#link.send(renewal);
  }

  dueInUs(nowUs: number): number | undefined {
    if (this.#state === 'FULL') return this.#parts.kept.renewals.dueInUs();
    return this.#link.dueInUs(nowUs);
  }

  /** No connection any more; whoever waits gets EIO. */
  end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#link.end(reason);
    for (const call of this.#parts.kept.calls.takeAll()) call.fail(Errno.EIO);
    this.#starting?.reject(new Error(reason));
    this.#starting = undefined;
    this.#events.lost();
  }

  /** False, and the connection is dropped, where the server must not do that. */
  #to(event: ImportEvent): boolean {
    const next = nextState(this.#state, event);
    if (next === undefined) {
      this.#parts.log(`the server breaks the protocol: ${event} while ${this.#state}`);
      this.#link.drop(`${event} in a wrong state`);
      return false;
    }
    if (debug.enabled) debug('%s: %s -> %s', event, this.#state, next);
    this.#state = next;
    if (next !== 'FULL') this.#sending.shut();
    return true;
  }

  #message(message: ServerMessage): void {
    const { kept, events, notices } = this.#parts;
    if (this.#state === 'CONNECTING' && !isGreeting(message)) {
      this.#parts.log(`the server breaks the protocol: ${message.kind} before welcome`);
      return this.#link.drop('no welcome');
    }
    if (message.kind === 'answer') kept.replays.prune(message.committed);
    if (this.#recovering.took(message)) return;
    switch (message.kind) {
      case 'welcome':
        return this.#welcome(message);
      case 'refused':
        return this.#refused(message.reason, message.retryMs);
      case 'answer':
        this.#sending.answered(message);
        return this.#events.changed();
      case 'step':
        return this.#step(message);
      case 'recall':
        return this.#recall(message);
      case 'renewed':
        kept.renewals.renewed(message);
        return this.#events.wake();
      case 'committed':
        return kept.replays.prune(message.transno);
      case 'key':
        kept.renewals.keyIs(message.key);
        return this.#events.wake();
      case 'drop-all':
        return events.dropAll();
      case 'evicted':
        if (this.#to('evicted')) this.#evict(message.reason);
        return this.#link.drop('evicted');
      case 'notice':
        return notices.tell(message.notice);
      case 'status':
        return;
    }
  }

  #welcome(welcome: Welcome): void {
    const { kept, notices } = this.#parts;
    this.#link.welcomed();
    const refusal = refusesServer(welcome, this.#known) ?? this.#parts.refuses?.(welcome);
    if (refusal !== undefined) return this.#giveUp(refusal);
    const older = tellsOlderStore(welcome, this.#known, kept.replays.committed);
    if (older !== undefined) return this.#backInTime(older);
    const outcome = outcomeFor(welcome, this.#known);
    if (!this.#to(outcome)) return;
    if (outcome === 'evicted') this.#evict('the server has waited too long for this client');
    this.#known = { filesystem: welcome.filesystem, boot: welcome.boot };
    kept.replays.prune(welcome.committed);
    kept.renewals.keyIs(welcome.key);
    notices.welcome(welcome.state);
    this.#starting?.resolve(welcome);
    this.#starting = undefined;
    if (outcome === 'recover') {
      this.#outage.begin();
      return this.#recovering.begin(welcome.boot);
    }
    if (outcome === 'evicted' && !this.#to('anew')) return;
    this.#restore(welcome.boot);
  }

  #step({ step }: StepBegins): void {
    if (!this.#to(step)) return;
    if (step !== 'full') return this.#recovering.step(step);
    const boot = this.#known?.boot;
    if (boot !== undefined) this.#restore(boot);
  }

  /** Consumers go on, before any call that waits does. */
  #restore(boot: ServerBoot): void {
    this.#recovering.restore(boot, () => this.#full());
  }

  #full(): void {
    if (!this.#to('restored')) return;
    this.#link.works();
    this.#recovering.over();
    this.#sending.open();
    this.#outage.end();
    this.#events.changed();
    this.#events.wake();
  }

  /** Answered on the connection that it came by, or not at all: the server asks again. */
  #recall({ id, fids, want }: Recall): void {
    const { connection } = this.#link;
    this.#parts.events.recall(fids, want, () => {
      if (connection !== this.#link.connection) return;
      this.#link.send({ kind: 'recall-done', id });
    });
  }

  #lost(reason: string): void {
    this.#to('lost');
    this.#recovering.lost();
    this.#parts.kept.renewals.reset();
    this.#events.lost();
    // That was the end that it waited for.
    if (this.#ended !== undefined) return;
    if (this.#known !== undefined) {
      this.#outage.begin(`the metadata server is away (${reason}); it is tried again`);
    }
    const retryUs = this.#retryUs;
    this.#retryUs = undefined;
    this.#link.again(retryUs);
    this.#events.wake();
  }

  #failed(reason: string): void {
    if (this.#known === undefined && this.#starting !== undefined) return this.#giveUp(reason);
    this.#lost(reason);
  }

  #refused(reason: string, retryMs: number | undefined): void {
    if (retryMs === undefined) return this.#giveUp(`the server refuses this client: ${reason}`);
    debug('refused for now: %s', reason);
    this.#retryUs = retryMs * 1_000;
    this.#link.drop(reason);
  }

  /** Nothing that is tried later will help. */
  #giveUp(reason: string): void {
    this.#parts.log(reason);
    this.#to('evicted');
    if (this.#known !== undefined) this.#evict(reason);
    this.end(reason);
  }

  /** The store is an older copy of itself: what this client saw and did may be lost. */
  #backInTime(reason: string): void {
    this.#to('evicted');
    this.#evict(reason);
    this.#link.send({ kind: 'bye' });
    this.#link.drop(reason);
  }

  /** What this client had at the server is gone. It has nothing there, until the next welcome. */
  #evict(reason: string): void {
    const { kept, events, log } = this.#parts;
    log(`evicted by the metadata server: ${reason}`);
    this.#outage.begin();
    this.#recovering.evicted();
    if (this.#known !== undefined) this.#known = { ...this.#known, boot: undefined };
    const calls = kept.evicted(0);
    events.evicted(reason);
    for (const call of calls) call.fail(Errno.EIO);
  }
}
