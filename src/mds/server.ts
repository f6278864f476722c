/**
 * The metadata server: opens what a store holds, and answers every method of
 * rpc/messages.ts. It knows nothing of FUSE, and a client reaches it only here.
 */
import createDebug from 'debug';
import { EventCounts } from '../base/event-counts.js';
import type { Fid } from '../base/fid.js';
import type { Clock } from '../base/time.js';
import { Log, type Visibility } from '../feed/log.js';
import { FeedRegistry } from '../feed/registry.js';
import type { Notice, ReintRequest, ReintResult, Service } from '../rpc/messages.js';
import { type DataSync, GroupCommit } from '../store/group-commit.js';
import type { Store } from '../store/store.js';
import { AccessService } from './access-service.js';
import { Audience } from './audience.js';
import { BaselineService } from './baseline-service.js';
import { ChangelogService } from './changelog-service.js';
import { FeedControl } from './feed-control.js';
import { FeedService } from './feed-service.js';
import type { DiskUse } from './filesystem-use.js';
import type { Inode } from './inode.js';
import { MutationQueue } from './mutation-queue.js';
import { Namespace } from './namespace.js';
import { objectMethods } from './object-methods.js';
import type { ObjectReaper } from './object-work.js';
import { placesMethods } from './places.js';
import { queryMethods } from './queries.js';
import { recover } from './recovery.js';
import { reint, spaceOf } from './reint/reint.js';
import { RepairMark } from './repair-mark.js';
import { Replica } from './replica.js';
import { ReplicaService } from './replica-service.js';
import { Retention } from './retention.js';
import { SERVER_EVENTS } from './server-events.js';
import { StatsService } from './stats-service.js';
import { type AppendRecord, Transaction } from './transaction.js';
import { TransnoCounter } from './transno-counter.js';
import { unsharedMethods } from './unshared.js';
import { WatchService } from './watch-service.js';

const debug = createDebug('feedfs:mds');

export interface ServerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly visibility: Visibility;
  readonly reaper: ObjectReaper;
  readonly dataSync: DataSync;
  /** Object files made since the last commit, if the last server was killed. */
  readonly unsettled: readonly { readonly fid: Fid; readonly generation: number }[];
  /** Free and total space of the disk that holds the store. */
  readonly diskUse: () => DiskUse;
  /** Owner of a new store's root directory. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Whether ordinary users may have watches. Default false. */
  readonly userWatch?: boolean;
  readonly notify: (notice: Notice) => void;
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

  constructor(options: ServerOptions) {
    const { store, clock } = options;
    this.#options = options;
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
    this.audience = new Audience(this.feeds, this.namespace.links, (wishes) =>
      options.notify({ kind: 'recording', ...wishes }),
    );
    this.watches = new WatchService(this, { clock, forUsers: options.userWatch ?? false });
    this.log.onVisible(() => {
      this.watches.trim();
      options.notify({ kind: 'visible' });
    });
    this.changelog = new ChangelogService({ registry: feeds, log, commit: this.commit });
    this.service = this.#service();
    this.namespace.makeRoot(clock, options.owner);
    // The FIDs of this run are reserved before any of them is handed out.
    this.commit.note();
    mark.tell(clock, log.end.index, this.recording ? this.#append : undefined);
    recover(this, options.unsettled);
    this.commit.run();
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
    return { attributes, kept: txn.kept, transno: txn.transno, time: txn.time };
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
        this.#transnos.flushed();
        if (this.namespace.objects.flushed() > 0) this.commit.note();
        // Under load one commit follows the other, and nothing is ever idle.
        this.#purge();
        this.#queue.resume();
      },
    };
  }

  #service(): Service {
    const { feeds: registry, log, commit, audience, events, retention } = this;
    const policy = retention.setting;
    const control = new FeedControl({ registry, log, commit, audience, events, policy });
    const feeds = new FeedService({
      registry,
      log,
      commit,
      control,
      notify: this.#options.notify,
      clock: this.#clock,
      isFull: (feed) => retention.room.refuses(feed),
      filesystem: this.#options.store.identity.fsid,
    });
    const { store, diskUse } = this.#options;
    const queries = queryMethods(this.namespace, store, diskUse);
    return {
      ...queries,
      ...objectMethods({
        namespace: this.namespace,
        commit,
        queue: this.#queue,
        room: retention.room,
        replica: this.replica,
      }),
      ...new ReplicaService({
        ...{ replica: this.replica, namespace: this.namespace, commit },
        ...{ filesystem: store.identity.fsid, notify: this.#options.notify },
      }).methods,
      ...feeds.methods,
      ...this.changelog.methods,
      ...this.baselines.methods,
      ...placesMethods(this.namespace),
      ...unsharedMethods({
        last: () => this.#transnos.last,
        committed: () => this.#transnos.onDisk,
      }),
      ...this.watches.methods,
      ...new AccessService({
        log,
        commit,
        clock: this.#clock,
        audience,
        room: retention.room,
        events,
        lastTransno: () => this.#transnos.last,
      }).methods,
      ...new StatsService({
        commit: this.commit,
        log: this.log,
        feeds: this.feeds,
        namespace: this.namespace,
        events: this.events,
        clock: this.#clock,
      }).methods,
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
