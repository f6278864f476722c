/**
 * The metadata server: opens what a store holds, and answers every method of
 * rpc/messages.ts. It knows nothing of FUSE, and a client reaches it only here.
 */
import createDebug from 'debug';
import { Errno, FsError } from '../base/errno.js';
import { EventCounts } from '../base/event-counts.js';
import type { Fid } from '../base/fid.js';
import type { Clock } from '../base/time.js';
import { Log, type Visibility } from '../feed/log.js';
import { FeedRegistry } from '../feed/registry.js';
import type { Notice, ReintRequest, ReintResult, Service } from '../rpc/messages.js';
import { type DataSync, GroupCommit } from '../store/group-commit.js';
import type { Store } from '../store/store.js';
import { Audience } from './audience.js';
import { BaselineService } from './baseline-service.js';
import { ChangelogService } from './changelog-service.js';
import type { DiskUse } from './filesystem-use.js';
import type { Inode } from './inode.js';
import { MutationQueue } from './mutation-queue.js';
import { Namespace } from './namespace.js';
import type { ObjectReaper } from './object-work.js';
import { AbortedClients } from './recovery/aborted-clients.js';
import { Cleanup, type UnsettledObject } from './recovery/cleanup.js';
import { checkTime } from './reint/numbers.js';
import { reint, spaceOf } from './reint/reint.js';
import { RepairMark } from './repair-mark.js';
import { Replica } from './replica.js';
import { Retention } from './retention.js';
import { SERVER_EVENTS } from './server-events.js';
import { serviceOf } from './services.js';
import { type AppendRecord, Transaction } from './transaction.js';
import { TransnoCounter } from './transno-counter.js';
import { WatchService } from './watch-service.js';

const debug = createDebug('feedfs:mds');

export interface ServerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly visibility: Visibility;
  readonly reaper: ObjectReaper;
  readonly dataSync: DataSync;
  /** Object files made since the last commit, if the last server was killed. */
  readonly unsettled: readonly UnsettledObject[] | (() => readonly UnsettledObject[]);
  /** Free and total space of the disk that holds the store. */
  readonly diskUse: () => DiskUse;
  /** Owner of a new store's root directory. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Whether ordinary users may have watches. Default false. */
  readonly userWatch?: boolean;
  readonly notify: (notice: Notice) => void;
  /**
   * Clients outlive it, and tell what they have open: nothing is destroyed before
   * {@link MetadataServer.finishRecovery}. Default false: it embeds its only client.
   */
  readonly recovers?: boolean;
}

/** What a mutation leads to. */
export interface Applied extends ReintResult {
  readonly attributes: Inode;
}

export class MetadataServer {
  readonly commit: GroupCommit;
  readonly namespace: Namespace;
  readonly log: Log;
  readonly feeds: FeedRegistry;
  readonly audience: Audience;
  readonly retention: Retention;
  readonly changelog: ChangelogService;
  readonly baselines: BaselineService;
  readonly replica: Replica;
  readonly watches: WatchService;
  readonly service: Service;
  readonly events = new EventCounts(SERVER_EVENTS);
  readonly #clock: Clock;
  readonly #options: ServerOptions;
  readonly #transnos: TransnoCounter;
  readonly #append: AppendRecord = (head, body) =>
    this.log.append(head, body, this.audience.takers(head, body));
  readonly #queue: MutationQueue<Applied>;
  readonly #cleanup: Cleanup;
  readonly #recovers: boolean;
  #onCommitted: (transno: number) => void = () => {};

  constructor(options: ServerOptions) {
    const { store, clock, unsettled } = options;
    this.#options = options;
    this.#recovers = options.recovers ?? false;
    this.#clock = clock;
    this.#transnos = new TransnoCounter(store.tables.meta);
    this.replica = new Replica(store.tables.meta, this.#transnos);
    this.namespace = new Namespace(store.tables, store.identity.fsid, options.reaper);
    this.log = new Log(store.tables, clock, options.visibility);
    this.feeds = new FeedRegistry(store.tables, this.log, clock);
    this.commit = new GroupCommit(store, clock, options.dataSync);
    const reintNow = (request: ReintRequest) => this.#reintNow(request);
    this.#queue = new MutationQueue(this.commit, this.namespace, reintNow);
    this.retention = new Retention({
      ...{ registry: this.feeds, log: this.log, commit: this.commit, clock, store },
      ...{ surroundings: this.namespace.links, events: this.events, notify: options.notify },
    });
    this.baselines = new BaselineService({
      ...{ registry: this.feeds, commit: this.commit, store, clock },
      namelessCount: () => this.namespace.orphans.storedCount,
    });
    const { namespace, log, feeds, retention, replica, baselines } = this;
    const mark = new RepairMark(store.tables.meta);
    const participants = [namespace, log, feeds, retention, mark, replica, baselines];
    for (const participant of [...participants, this.#counters()]) this.commit.join(participant);
    this.#cleanup = new Cleanup(
      this,
      typeof unsettled === 'function' ? unsettled : () => unsettled,
    );
    this.audience = new Audience(this.feeds, this.namespace.links, (wishes) =>
      options.notify({ kind: 'recording', ...wishes }),
    );
    this.watches = new WatchService(this, { clock, forUsers: options.userWatch ?? false });
    this.log.onVisible(() => {
      this.watches.trim();
      options.notify({ kind: 'visible' });
    });
    this.changelog = new ChangelogService({ registry: feeds, log, commit: this.commit });
    this.service = serviceOf({
      ...{ server: this, store, clock, queue: this.#queue, transnos: this.#transnos },
      ...{ diskUse: options.diskUse, notify: options.notify, shared: this.#recovers },
    });
    this.namespace.makeRoot(clock, options.owner);
    // The FIDs of this run are reserved before any of them is handed out.
    this.commit.note();
    mark.tell(clock, log.end.index, this.recording ? this.#append : undefined);
    if (this.#recovers) this.namespace.hold();
    this.namespace.objects.load();
    if (!this.#recovers) this.#recoverAlone();
    this.commit.run();
  }

  /** Whoever had something open is gone. */
  #recoverAlone(): void {
    const clients = new AbortedClients(this.#options.store.tables.client);
    if (clients.found) {
      console.error('feedfs: clients of a server were connected to this store: they are evicted');
      this.commit.join(clients);
    }
    this.#cleanup.begin(() => false, true);
    while (this.#cleanup.pending) this.#cleanup.step();
  }

  /** Nothing is destroyed. */
  get recovering(): boolean {
    return this.namespace.held;
  }

  /** Of the last change; 0 before the first. */
  get lastTransno(): number {
    return this.#transnos.last;
  }

  /** Of the last change that is on disk. */
  get committedTransno(): number {
    return this.#transnos.onDisk;
  }

  /** Called with that number when it has grown. */
  onCommitted(listener: (transno: number) => void): void {
    this.#onCommitted = listener;
  }

  /**
   * Makes a change again that a server before this one made, as it was: `request.replay` says
   * when. It is not refused for want of room, and leaves nothing open: what it made or took the
   * last name of stays until {@link finishRecovery}. FsError(ESTALE) if it was made already, or
   * is about another object now; and those of the change.
   */
  replay(request: ReintRequest): Applied {
    const { replay } = request;
    if (replay === undefined || !this.recovering) {
      throw new FsError(Errno.EPERM, 'changes are made again in a recovery only');
    }
    checkTime(replay.time);
    if (!Number.isSafeInteger(replay.transno) || replay.transno <= this.lastTransno) {
      throw new FsError(Errno.ESTALE, `change ${replay.transno} comes after ${this.lastTransno}`);
    }
    this.replica.admit(request);
    return this.apply(request);
  }

  /**
   * Who has what open is known: what nobody has goes. `isHeld`: a client writes to that file,
   * and will record what it announced.
   */
  finishRecovery(isHeld: (fid: Fid) => boolean): void {
    if (this.recovering) this.#cleanup.begin(isHeld, false);
    this.#purge();
  }

  /** Records what clients that are gone wrote and did not record. */
  resolveIntents(isHeld: (fid: Fid) => boolean): void {
    if (!this.recovering && this.#cleanup.resolveIntents(isHeld) > 0) this.commit.note();
  }

  get recording(): boolean {
    return this.audience.recording;
  }

  /** Commits and purges when due; true while a completion is outstanding. */
  tick(nowUs: number): boolean {
    this.#encodeRecords();
    // Its readers ask again, as they do when a record becomes visible.
    if (this.changelog.takeUnfinished()) this.#options.notify({ kind: 'visible' });
    this.baselines.tick();
    if (this.feeds.takeUsesToStore()) this.commit.note();
    const busy = this.commit.tick(nowUs);
    if (!busy) this.#purge();
    return busy;
  }

  #purge(): void {
    const { purge } = this.feeds;
    if (this.#cleanup.pending) this.#cleanup.step();
    if (purge.pending && purge.step() > 0) this.commit.note();
  }

  /** While whoever made a change goes on with its answer. */
  #encodeRecords(): void {
    try {
      this.log.encode();
    } catch (error) {
      // The commit that needs the record fails the same way, and says so.
      debug('a record has no encoding: %o', error);
    }
  }

  /** Runs one mutation as a transaction. FsError if it is refused: then nothing has changed. */
  transact(request: ReintRequest): Applied {
    if (request.replay !== undefined) throw new FsError(Errno.EPERM, 'this is no recovery');
    this.replica.admit(request);
    const use = spaceOf(this.namespace, request.change);
    this.commit.admit(use);
    this.retention.room.admit(request, use);
    return this.apply(request);
  }

  /** {@link transact} without asking for room: recovery must not fail on a full disk. */
  apply(request: ReintRequest): Applied {
    const txn = new Transaction(
      this.namespace,
      this.#transnos.next,
      this.#clock.now(),
      request,
      this.recording ? this.#append : undefined,
    );
    const attributes = reint(txn, request.change);
    this.replica.applied(request);
    this.#transnos.used(txn.transno);
    this.commit.note(1, txn.bytes);
    this.retention.room.tell();
    const { kept, made, transno, time } = txn;
    return { attributes, kept, made, transno, time };
  }

  #reintNow(request: ReintRequest): Applied {
    const result = this.transact(request);
    const { change } = request;
    if (change.op === 'create' && change.open) this.namespace.opens.add(result.attributes.fid);
    return result;
  }

  #counters(): { collect(): void; committed(): void; flushed(): void } {
    return {
      collect: () => this.#transnos.collect(),
      committed: () => this.#transnos.committed(),
      flushed: () => {
        if (this.#transnos.flushed()) this.#onCommitted(this.#transnos.onDisk);
        if (this.namespace.objects.flushed() > 0) this.commit.note();
        // Under load one commit follows the other, and nothing is ever idle.
        this.#purge();
        this.#queue.resume();
      },
    };
  }

  /** Commits and flushes everything, and what that leaves to commit. */
  async settle(): Promise<void> {
    this.baselines.closeAll();
    this.retention.keepIdleTimes();
    // Once more, if the last commit failed: whoever waits below would only hear of that.
    this.commit.run();
    do {
      await new Promise<void>((resolve, reject) => {
        this.commit.whenFlushed((error) => (error === undefined ? resolve() : reject(error)));
      });
    } while (this.commit.uncommitted > 0);
  }
}
