/**
 * The metadata server: opens what a store holds, and answers every method of
 * rpc/messages.ts. It knows nothing of FUSE, and a client reaches it only here.
 */
import createDebug from 'debug';
import { type Errno, errnoOf, FsError } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import type { Clock } from '../base/time.js';
import { Log, type Visibility } from '../feed/log.js';
import { FeedRegistry } from '../feed/registry.js';
import type { Answer, Notice, ReintRequest, ReintResult, Service } from '../rpc/messages.js';
import { type DataSync, GroupCommit } from '../store/group-commit.js';
import type { SpaceUse } from '../store/space-use.js';
import type { Store } from '../store/store.js';
import { FeedService } from './feed-service.js';
import type { DiskUse } from './filesystem-use.js';
import type { Inode } from './inode.js';
import { keptRequest } from './kept-request.js';
import { Namespace } from './namespace.js';
import type { ObjectReaper } from './object-work.js';
import { type QueryMethod, queryMethods } from './queries.js';
import { recover } from './recovery.js';
import { reint, spaceOf } from './reint/reint.js';
import { type AppendRecord, Transaction } from './transaction.js';
import { TransnoCounter } from './transno-counter.js';

const debug = createDebug('feedfs:mds');

type FeedMethod = Extract<keyof Service, `feed${string}`>;

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
  readonly service: Service;
  readonly #clock: Clock;
  readonly #options: ServerOptions;
  readonly #transnos: TransnoCounter;
  readonly #append: AppendRecord = (head, body) => this.log.append(head, body);
  /** Mutations that wait until the uncommitted state is smaller; nothing overtakes them. */
  readonly #stalled: (() => void)[] = [];

  constructor(options: ServerOptions) {
    const { store, clock } = options;
    this.#options = options;
    this.#clock = clock;
    this.#transnos = new TransnoCounter(store.tables.meta);
    this.namespace = new Namespace(store.tables, store.identity.fsid, options.reaper);
    this.log = new Log(store.tables, clock, options.visibility);
    this.feeds = new FeedRegistry(store.tables, this.log, clock);
    this.commit = new GroupCommit(store, clock, options.dataSync);
    for (const participant of [this.namespace, this.log, this.feeds, this.#counters()]) {
      this.commit.join(participant);
    }
    this.log.onVisible(() => options.notify({ kind: 'visible' }));
    this.service = this.#service();
    this.namespace.makeRoot(clock, options.owner);
    // The FIDs of this run are reserved before any of them is handed out.
    this.commit.note();
    recover(this, options.unsettled);
    this.commit.run();
  }

  get recording(): boolean {
    return this.feeds.count > 0;
  }

  /** Commits and purges when due; true while a completion is outstanding. */
  tick(nowUs: number): boolean {
    this.#encodeRecords();
    const busy = this.commit.tick(nowUs);
    if (!busy && this.feeds.purge.pending && this.feeds.purge.step() > 0) this.commit.note();
    return busy;
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
    this.commit.admit(spaceOf(this.namespace, request.change));
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
    this.#transnos.used(txn.transno);
    this.commit.note(1, txn.bytes);
    return { attributes, kept: txn.kept };
  }

  #reint(request: ReintRequest, answer: Answer<'reint'>): void {
    const waits = this.commit.saturated || this.#stalled.length > 0;
    const use = spaceOf(this.namespace, request.change);
    if (!waits && !this.#roomComes(use)) return answer(0, this.#reintNow(request));
    const kept = keptRequest(request);
    const later = (): void => this.#answer(answer, () => this.#reintNow(kept));
    if (!waits) return this.#whenRoom(use, later);
    this.#stalled.push(later);
    // No flush will come after a failure: then they are refused like any other.
    this.commit.whenFlushed((error) => {
      if (error !== undefined) this.#resume();
    });
  }

  /** What was deleted a moment ago gives its space back with one of the next flushes. */
  #roomComes(use: SpaceUse): boolean {
    return this.namespace.givesSpaceBack && !this.commit.admits(use);
  }

  /**
   * After the flush of a removal, or, if its object was let go of only meanwhile, after
   * the one that destroys it.
   */
  #whenRoom(use: SpaceUse, next: () => void): void {
    this.commit.whenFlushed(() => {
      if (this.#roomComes(use)) this.commit.whenFlushed(next);
      else next();
    });
  }

  #resume(): void {
    // What these lead to joins the end of the queue, and has its turn at once.
    while (this.#stalled.length > 0) this.#stalled.shift()?.();
  }

  #reintNow(request: ReintRequest): Applied {
    const result = this.transact(request);
    const { change } = request;
    if (change.op === 'create' && change.open) this.namespace.opens.add(result.attributes.fid);
    return result;
  }

  /** For answers outside of the transport's own call: an FsError is an errno. */
  #answer<R>(answer: (errno: Errno | 0, result: R | undefined) => void, work: () => R): void {
    let result: R;
    try {
      result = work();
    } catch (error) {
      // Whoever else waits must not suffer for a fault in one.
      if (!(error instanceof FsError)) console.error('feedfs: a change failed:', error);
      return answer(errnoOf(error), undefined);
    }
    answer(0, result);
  }

  #counters(): { collect(): void; committed(): void; flushed(): void } {
    return {
      collect: () => this.#transnos.collect(),
      committed: () => this.#transnos.committed(),
      flushed: () => {
        if (this.namespace.objects.flushed() > 0) this.commit.note();
        this.#resume();
      },
    };
  }

  #sync(answer: (errno: Errno | 0, result: undefined) => void): void {
    this.commit.whenFlushed((error) => answer(error?.errno ?? 0, undefined));
  }

  #service(): Service {
    const feeds = new FeedService({
      registry: this.feeds,
      log: this.log,
      commit: this.commit,
      notify: this.#options.notify,
    });
    const { store, diskUse } = this.#options;
    const queries = queryMethods(this.namespace, store, diskUse);
    return { ...queries, ...this.#changes(), ...feeds.methods };
  }

  /** Mutations, opens, and waiting for the disk. */
  #changes(): Omit<Service, QueryMethod | FeedMethod> {
    const { namespace } = this;
    return {
      reint: (request, answer) => this.#reint(request, answer),
      open: ({ fid }, answer) => {
        const inode = namespace.inode(fid);
        // Damaged contents refuse the open, which then must not count.
        const contents = inode.layout === 'inline' ? namespace.inline.get(fid) : undefined;
        namespace.opens.add(fid);
        answer(0, { attributes: inode, contents });
      },
      close: ({ fid }, answer) => {
        if (namespace.close(fid)) this.commit.note();
        answer(0, undefined);
      },
      accessed: ({ fid, atime }, answer) => {
        const { inodes } = namespace;
        const inode = inodes.get(fid);
        // Not worth waiting for, nor the last free bytes.
        if (inode !== undefined && !this.commit.saturated && this.commit.admits('takes')) {
          inode.atime = atime;
          inodes.touch(inode);
          this.commit.note();
        }
        answer(0, undefined);
      },
      sync: (_request, answer) => this.#sync(answer),
      intent: ({ fid, generation, durable }, answer) => {
        const announce = (): void => {
          namespace.objects.intent(fid, generation);
          this.commit.note();
          if (durable) this.#sync(answer);
          else answer(0, undefined);
        };
        // A record that waits ends the intents before it, not those behind it.
        if (durable && this.#stalled.length > 0) this.#stalled.push(announce);
        else announce();
      },
      intentOver: ({ fid, generation }, answer) => {
        namespace.objects.settle(fid, generation);
        this.commit.note();
        answer(0, undefined);
      },
    };
  }

  /** Commits and flushes everything, and what that leaves to commit. */
  async settle(): Promise<void> {
    // Once more, if the last commit failed: whoever waits below would only hear of that.
    this.commit.run();
    do {
      await new Promise<void>((resolve, reject) => {
        this.commit.whenFlushed((error) => (error === undefined ? resolve() : reject(error)));
      });
    } while (this.commit.uncommitted > 0);
  }
}
