/**
 * A client's end of the connection to a server in another process, as the rest of the client
 * sees it: a {@link Connection} whose calls are answered however often the connection, or the
 * server, goes away meanwhile. state.ts has its states.
 *
 * Whatever was sent and not answered is sent again, with the number that it had; changes that
 * were answered and that the server may have lost are made again as they were; what is open
 * is opened again. Calls wait while that goes on. Only an eviction lets them fail.
 */
import { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import type { Clock } from '../../base/time.js';
import { BATCH_MAX } from '../../rpc/limits.js';
import type { Answer, Connection, Method, Notice, RequestOf } from '../../rpc/messages.js';
import type { Welcome } from '../../rpc/session.js';
import { clientRequest } from '../../rpc/socket/client-request.js';
import type { PendingCall } from './calls.js';
import { Closing } from './closing.js';
import { tellGrants } from './granting.js';
import { Kept } from './kept.js';
import { Notices } from './notices.js';
import type { ImportOptions } from './options.js';
import { type CallParts, ClientCall } from './pending-call.js';
import type { FileLocksHeld } from './recovery-steps.js';
import { ServerLink } from './server-link.js';
import type { ImportState } from './state.js';

export interface ImportStats {
  readonly state: ImportState;
  /** Calls on their way, and calls that wait. */
  readonly sent: number;
  readonly waiting: number;
  /** Changes that would have to be made again, and their bytes. */
  readonly replays: number;
  readonly replayBytes: number;
  /** Opens, and the bytes of requests that are kept for them. */
  readonly opens: number;
  readonly openBytes: number;
  readonly committed: number;
}

export type { ImportOptions } from './options.js';

export class Import implements Connection {
  readonly #clock: Clock;
  readonly #parts: CallParts;
  readonly #kept: Kept;
  readonly #notices = new Notices();
  readonly #link: ServerLink;
  readonly #wake: () => void;
  #closing: Closing | undefined;

  constructor({ encode = clientRequest, onWake, ...options }: ImportOptions) {
    const { clock, events, log } = options;
    this.#clock = clock;
    this.#wake = onWake ?? (() => {});
    const kept = new Kept(clock, options.opens);
    this.#kept = kept;
    const { consumer, opens, releases } = kept;
    const granted: CallParts['granted'] = (message, method, request) =>
      tellGrants(message, method, request, { events, releases });
    this.#parts = { encode, consumer, opens, log, granted };
    this.#link = new ServerLink(
      { ...options, kept, notices: this.#notices, calls: this.#parts },
      {
        changed: () => this.#closing?.look(),
        lost: () => {
          if (this.#closing?.saidBye === true) this.#closing.finish();
          else this.#closing?.look();
          this.#wake();
        },
        wake: () => this.#wake(),
      },
    );
  }

  /**
   * Connects. Somebody has to call {@link tick} meanwhile. Rejects with an Error that says
   * why if there is no server, or none that takes this client; it waits while a server says
   * that it will take it.
   */
  start(): Promise<Welcome> {
    return this.#link.start();
  }

  /** What the last welcome said, and notices have told since. */
  get state(): Welcome['state'] | undefined {
    return this.#notices.state;
  }

  /** Calls are sent at once; not so while there is no connection, or a recovery runs. */
  get isFull(): boolean {
    return this.#link.state === 'FULL';
  }

  /** Calls that are not answered. */
  get inFlight(): number {
    return this.#kept.calls.size;
  }

  call<M extends Method>(method: M, request: RequestOf<M>, answer: Answer<M>): void {
    this.#ask(method, request, answer);
  }

  /** A call, and what tells the server that nobody waits for it any more; it is answered all the same. */
  cancellable<M extends Method>(method: M, request: RequestOf<M>, answer: Answer<M>): () => void {
    const call = this.#ask(method, request, answer);
    return () => {
      if (call !== undefined) this.#cancel(call);
    };
  }

  /** A call that can be taken back for as long as it was not sent. */
  withdrawable<M extends Method>(
    method: M,
    request: RequestOf<M>,
    answer: Answer<M>,
  ): () => boolean {
    const call = this.#ask(method, request, answer);
    return () => call !== undefined && this.#withdraw(call);
  }

  onNotice(listener: (notice: Notice) => void): void {
    this.#notices.listen(listener);
  }

  /** The kernel has forgotten these: nothing is cached of them. */
  released(fids: readonly Fid[]): void {
    const { releases, calls } = this.#kept;
    releases.released(fids, calls.lastXid);
    releases.prune(() => calls.firstGranting());
    if (!this.isFull) return;
    for (let i = 0; i < fids.length; i += BATCH_MAX) {
      this.#link.wire.send({ kind: 'released', fids: fids.slice(i, i + BATCH_MAX) });
    }
  }

  /** Who knows the locks that programs of this mount have on files. */
  fileLocksFrom(locks: FileLocksHeld): void {
    this.#link.fileLocksFrom(locks);
  }

  /** Takes answers that are there, now and not when the event loop turns; true if something came. */
  poll(): boolean {
    return this.#link.wire.poll();
  }

  /** Answers are there to be polled for, or wake whoever waits for the event loop's descriptors. */
  get polls(): boolean {
    return this.isFull && this.#link.wire.polls;
  }

  tick(nowUs: number): void {
    this.#link.tick(nowUs);
    this.#closing?.tick(nowUs);
  }

  /** In microseconds, when {@link tick} has something to do. */
  dueInUs(nowUs: number): number | undefined {
    const link = this.#link.dueInUs(nowUs);
    const closing = this.#closing?.dueInUs(nowUs);
    return link === undefined || closing === undefined
      ? (link ?? closing)
      : Math.min(link, closing);
  }

  stats(): ImportStats {
    const { calls, replays, opens } = this.#kept;
    return {
      state: this.#link.state,
      sent: calls.size - calls.waiting,
      waiting: calls.waiting,
      replays: replays.size,
      replayBytes: replays.bytes,
      opens: opens.size,
      openBytes: opens.bytes,
      committed: replays.committed,
    };
  }

  /** Ends in order, within CLOSE_US_MAX as long as {@link tick} is called. */
  close(): Promise<void> {
    if (this.#closing !== undefined) return this.#closing.over;
    const parts = {
      isFull: () => this.isFull,
      busy: () => this.#kept.calls.busy,
      mayLose: () => this.#kept.replays.size > 0,
      sync: (done: () => void) => this.call('sync', undefined, () => done()),
      bye: () => this.#link.wire.send({ kind: 'bye' }),
      end: () => this.#link.end('the mount ends'),
    };
    this.#closing = new Closing(parts, this.#clock.monotonicUs());
    if (this.#link.ended !== undefined) this.#closing.finish();
    else this.#closing.look();
    this.#wake();
    return this.#closing.over;
  }

  #ask<M extends Method>(
    method: M,
    request: RequestOf<M>,
    answer: Answer<M>,
  ): PendingCall | undefined {
    if (this.#link.ended !== undefined || this.#closing?.saidBye === true) {
      answer(Errno.EIO, undefined);
      return undefined;
    }
    let call: ClientCall<M>;
    try {
      call = new ClientCall(this.#parts, { method, request }, answer);
    } catch (error) {
      this.#parts.log(`a request for ${method} that cannot be sent: ${error}`);
      answer(Errno.EINVAL, undefined);
      return undefined;
    }
    this.#kept.calls.add(call);
    this.#link.pump();
    return call;
  }

  #cancel(call: PendingCall): void {
    if (call.cancelled) return;
    const { calls } = this.#kept;
    if (this.#withdraw(call)) return;
    if (call.xid !== undefined && calls.isSent(call)) {
      call.cancelled = true;
      if (this.isFull) this.#link.wire.send({ kind: 'cancel', xid: call.xid });
    }
  }

  /** False: it was sent. */
  #withdraw(call: PendingCall): boolean {
    if (call.cancelled || !this.#kept.calls.withdraw(call)) return false;
    call.cancelled = true;
    call.forget();
    call.fail(Errno.EINTR);
    this.#link.pump();
    return true;
  }
}
