/**
 * The whole filesystem without a kernel: a store in a folder, the metadata server and
 * a client whose handlers a test calls. Nothing happens by itself: the test moves the
 * clock, lets commits start, and says when a flush is done. So it can stop the world
 * between any two steps, and go on from a copy of the folder.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Errno, FsError } from '../../src/base/errno.js';
import type { AccessPolicy } from '../../src/client/access-times.js';
import { Client } from '../../src/client/client.js';
import type { Caller, Handlers, Notifier } from '../../src/fuse/api.js';
import { MetadataServer } from '../../src/mds/server.js';
import { ObjectStore } from '../../src/objects/object-store.js';
import { LocalConnection } from '../../src/rpc/local.js';
import type { Answer, Method, RequestOf, ResultOf } from '../../src/rpc/messages.js';
import { Store } from '../../src/store/store.js';
import { FakeClock } from './fake-clock.js';
import { FakeReply } from './fake-reply.js';
import { LaterConnection, QueuedWire } from './later-connection.js';

export const OWNER = { uid: 0, gid: 0 };
const CALLER: Caller = { uid: 0, gid: 0, pid: 0 };

/** Set: every answer of the server comes after its call has returned (later-answers.test.ts). */
export const LATER_VARIABLE = 'FEEDFS_TEST_LATER';

/** A boot id is a UUID as text. */
const BOOT_ID_BYTES = 36;

type Operation = Exclude<keyof Handlers, 'forget' | 'destroy'>;
type RequestFor<O extends Operation> = Parameters<NonNullable<Handlers[O]>>[0];
/** A request without what every one has. */
export type Asked<O extends Operation> = Omit<RequestFor<O>, 'unique' | 'caller'> & {
  readonly caller?: Caller;
};

type FlushDone = (error: Error | null) => void;

export interface SimulatedOptions {
  readonly clock?: FakeClock;
  /** Another boot than the one before: the page cache is gone. */
  readonly bootId?: string;
  readonly visibility?: 'disk' | 'commit';
  /** What LMDB's file may grow to. */
  readonly mapBytes?: number;
  /** Default noatime: what a test looks at stays as it is. */
  readonly accessTimes?: AccessPolicy;
  /** Ordinary users may have watches. */
  readonly userWatch?: boolean;
  /** A server whose clients outlive it: nothing is destroyed before its recovery is finished. */
  readonly recovers?: boolean;
  /** Flushes wait for {@link Simulated.finishFlush}. */
  readonly holdFlushes?: boolean;
}

export class Simulated {
  readonly path: string;
  readonly clock: FakeClock;
  readonly store: Store;
  readonly objects: ObjectStore;
  readonly server: MetadataServer;
  readonly connection: LocalConnection;
  /** What is on its way between client and server, if answers come later. */
  readonly wire: QueuedWire | undefined;
  readonly client: Client;
  /** Poll handles that the client woke. */
  readonly woken: number[] = [];
  holdFlushes: boolean;
  /** The disk fails the next flush with this. */
  flushError: Error | undefined;
  #held: (() => void) | undefined;
  /** The flush in flight shall not be held. */
  #released = false;
  #onIdle: (() => void)[] = [];
  #flushing = false;

  constructor(path: string, options: SimulatedOptions = {}) {
    this.path = path;
    this.clock = options.clock ?? new FakeClock();
    this.holdFlushes = options.holdFlushes ?? false;
    const bootId = options.bootId?.padEnd(BOOT_ID_BYTES, '.');
    const { mapBytes } = options;
    this.store = Store.open(path, {
      create: true,
      ...(bootId === undefined ? {} : { bootId }),
      ...(mapBytes === undefined ? {} : { mapBytes }),
    });
    this.#interceptFlush();
    this.objects = new ObjectStore(path);
    const { objects, clock, store } = this;
    this.server = new MetadataServer({
      store,
      clock,
      visibility: options.visibility ?? 'disk',
      owner: OWNER,
      userWatch: options.userWatch ?? false,
      recovers: options.recovers ?? false,
      reaper: {
        remove: (fid, generation) => objects.remove({ fid, generation }),
        truncate: (fid, generation, size) => objects.truncate({ fid, generation }, size),
        flushed: () => objects.flushed(),
      },
      unsettled: objects.unsettled(),
      dataSync: (done) => {
        this.#flushing = true;
        objects.sync(done);
      },
      diskUse: () => objects.statfs(),
      notify: (notice) => this.connection.notify(notice),
    });
    this.connection = new LocalConnection(this.server.service);
    const { recording, audience } = this.server;
    const { accesses } = audience;
    const { accessTimes = 'noatime' } = options;
    this.wire = process.env[LATER_VARIABLE] === undefined ? undefined : new QueuedWire();
    const mds = this.wire ? new LaterConnection(this.connection, this.wire) : this.connection;
    const asks = { recording, accesses, replica: this.server.replica.active };
    const { userWatch = false } = options;
    const own = { owner: OWNER, userWatch, accessTimes };
    this.client = new Client({ mds, objects, clock, ...asks, ...own });
    this.client.attach(this.#notifier());
  }

  /** Calls a handler as the session does. The reply may still be pending. */
  ask<O extends Operation>(operation: O, asked: Asked<O>): FakeReply {
    const reply = new FakeReply();
    const request = { unique: 1, caller: CALLER, ...asked };
    const handler = this.client.handlers[operation] as unknown as (
      request: unknown,
      reply: FakeReply,
    ) => void;
    try {
      handler(request, reply);
    } catch (error) {
      // What the dispatcher does.
      if (!(error instanceof FsError) || reply.answered) throw error;
      reply.error(error.errno);
    }
    this.wire?.pump();
    return reply;
  }

  /** Calls a handler and waits for its answer, letting the disk work meanwhile. */
  async answer<O extends Operation>(operation: O, asked: Asked<O>): Promise<FakeReply> {
    const reply = this.ask(operation, asked);
    while (!reply.answered) {
      if (!this.#flushing) throw new Error(`${operation} waits for nothing`);
      await this.#nextFlush();
    }
    return reply;
  }

  /** A metadata RPC that is answered at once: its result, or the errno's name. */
  rpc<M extends Method>(method: M, request: RequestOf<M>): ResultOf<M> | Errno {
    let outcome: ResultOf<M> | Errno | undefined;
    let answered = false;
    const answer: Answer<M> = (errno, result) => {
      answered = true;
      outcome = errno === 0 ? result : errno;
    };
    this.wire?.pump();
    this.connection.call(method, request, answer);
    if (!answered) throw new Error(`${method} was not answered at once`);
    return outcome as ResultOf<M> | Errno;
  }

  tick(): void {
    this.client.tick(this.clock.us);
    this.wire?.pump();
    this.server.tick(this.clock.us);
    this.wire?.pump();
  }

  get flushing(): boolean {
    return this.#flushing;
  }

  /** Lets the held flush happen, and waits until everybody has heard of it. */
  async finishFlush(): Promise<void> {
    if (!this.#flushing) return;
    const idle = this.#nextFlush();
    this.#release();
    await idle;
  }

  /** Commits and flushes until nothing is left to do. */
  async settle(): Promise<void> {
    this.holdFlushes = false;
    this.client.settle();
    for (;;) {
      this.wire?.pump();
      while (this.#flushing) await this.finishFlush();
      if (this.server.commit.uncommitted === 0 && !this.server.feeds.purge.pending) return;
      this.clock.advance(1_000_000);
      this.tick();
    }
  }

  /** The folder as it is now, copied to `path`; this instance is over. */
  async crash(path: string): Promise<void> {
    const skipped = [join(this.path, 'lock'), join(this.path, 'meta', 'lock.mdb')];
    cpSync(this.path, path, { recursive: true, filter: (from) => !skipped.includes(from) });
    await this.#discard();
    rmSync(this.path, { recursive: true });
  }

  /** The end of an instance that cannot settle any more. */
  abandon(): Promise<void> {
    return this.#discard();
  }

  /** An orderly end. */
  async close(): Promise<void> {
    await this.settle();
    await this.#discard();
  }

  async #discard(): Promise<void> {
    this.holdFlushes = false;
    while (this.#flushing) await this.finishFlush();
    this.objects.close();
    await this.store.close();
  }

  #interceptFlush(): void {
    const flush = this.store.flush.bind(this.store);
    this.store.flush = (done: FlushDone) => {
      this.#flushing = true;
      const start = (): void => {
        flush((error) => {
          this.#flushing = false;
          done(this.flushError ?? error);
          this.flushError = undefined;
          this.wire?.pump();
          const waiting = this.#onIdle;
          this.#onIdle = [];
          for (const resume of waiting) resume();
        });
      };
      if (this.holdFlushes && !this.#released) this.#held = start;
      else start();
      this.#released = false;
    };
  }

  #release(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) this.#released = true;
    else held();
  }

  #nextFlush(): Promise<void> {
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  #notifier(): Notifier {
    return {
      pollWakeup: (kh) => void this.woken.push(kh),
      invalidateInode: () => {},
      invalidateEntry: () => {},
      deleteEntry: () => {},
    };
  }
}
