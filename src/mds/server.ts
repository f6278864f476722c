/**
 * The metadata server: opens what a store holds, and answers every method of
 * rpc/messages.ts. It knows nothing of FUSE, and a client reaches it only here.
 */
import { Errno, errnoOf, FsError } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import { isSymlink } from '../base/mode.js';
import { NAME_BYTES_MAX } from '../base/name.js';
import type { Clock } from '../base/time.js';
import { Log, type Unlogged, type Visibility } from '../feed/log.js';
import { FeedRegistry } from '../feed/registry.js';
import type { Answer, Credentials, Notice, ReintRequest, Service } from '../rpc/messages.js';
import { type DataSync, GroupCommit } from '../store/group-commit.js';
import type { Store } from '../store/store.js';
import { FeedService } from './feed-service.js';
import { type DiskUse, filesystemUse } from './filesystem-use.js';
import { Namespace } from './namespace.js';
import type { ObjectReaper } from './object-work.js';
import { recover } from './recovery.js';
import { reint, usesReserve } from './reint/reint.js';
import { Transaction } from './transaction.js';
import { TransnoCounter } from './transno-counter.js';

type FeedMethod = Extract<keyof Service, `feed${string}`>;
type QueryMethod =
  | 'lookup'
  | 'getattr'
  | 'readlink'
  | 'readdir'
  | 'parent'
  | 'getxattr'
  | 'listxattr'
  | 'statfs';

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

export class MetadataServer {
  readonly commit: GroupCommit;
  readonly namespace: Namespace;
  readonly log: Log;
  readonly feeds: FeedRegistry;
  readonly service: Service;
  readonly #clock: Clock;
  readonly #options: ServerOptions;
  readonly #transnos: TransnoCounter;
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
    const busy = this.commit.tick(nowUs);
    if (!busy && this.feeds.purge.pending && this.feeds.purge.step() > 0) this.commit.note();
    return busy;
  }

  /** Runs one mutation as a transaction. FsError if it is refused: then nothing has changed. */
  transact(request: ReintRequest): ReturnType<typeof reint> {
    this.commit.admit(usesReserve(request.change));
    return this.apply(request);
  }

  /** {@link transact} without asking for room: recovery must not fail on a full disk. */
  apply(request: ReintRequest): ReturnType<typeof reint> {
    const txn = this.#begin(request.who);
    const inode = reint(txn, request.change);
    this.#transnos.used(txn.transno);
    this.commit.note();
    return inode;
  }

  #begin(who: Credentials): Transaction {
    const append = this.recording ? (record: Unlogged) => this.log.append(record) : undefined;
    return new Transaction(this.namespace, this.#transnos.next, this.#clock.now(), who, append);
  }

  #reint(request: ReintRequest, answer: Answer<'reint'>): void {
    const waits = this.commit.saturated || this.#stalled.length > 0;
    // What was deleted a moment ago gives its space back with the next flush.
    const roomComes =
      this.namespace.objects.removing && !this.commit.admits(usesReserve(request.change));
    if (!waits && !roomComes) return answer(0, this.#reintNow(request));
    // The bytes of the request belong to the caller only until this returns.
    const kept = structuredClone(request);
    const later = (): void => this.#answer(answer, () => this.#reintNow(kept));
    if (!waits) return this.commit.whenFlushed(later);
    this.#stalled.push(later);
    // No flush will come after a failure: then they are refused like any other.
    this.commit.whenFlushed((error) => {
      if (error !== undefined) this.#resume();
    });
  }

  #resume(): void {
    // What these lead to joins the end of the queue, and has its turn at once.
    while (this.#stalled.length > 0) this.#stalled.shift()?.();
  }

  #reintNow(request: ReintRequest): { attributes: ReturnType<typeof reint> } {
    const attributes = this.transact(request);
    if (request.change.op === 'create' && request.change.open) this.#opened(attributes.fid);
    return { attributes };
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

  #opened(fid: Fid): void {
    const { opens } = this.namespace;
    opens.set(fid, (opens.get(fid) ?? 0) + 1);
  }

  #closed(fid: Fid): void {
    const { opens, orphans } = this.namespace;
    const count = opens.get(fid) ?? 0;
    if (count > 1) {
      opens.set(fid, count - 1);
      return;
    }
    opens.delete(fid);
    const inode = this.namespace.inodes.get(fid);
    if (inode === undefined || inode.nlink > 0) return;
    orphans.remove(fid);
    this.namespace.destroy(inode);
    this.commit.note();
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
    return { ...this.#queries(), ...this.#changes(), ...feeds.methods };
  }

  /** What asks and changes nothing. */
  #queries(): Pick<Service, QueryMethod> {
    const { namespace } = this;
    return {
      lookup: ({ parent, name }, answer) => {
        namespace.directory(parent);
        // The kernel passes on names of up to 1024 bytes.
        if (name.length > NAME_BYTES_MAX) return answer(Errno.ENAMETOOLONG, undefined);
        const dirent = namespace.dirents.lookup(parent, name);
        if (dirent === undefined) answer(Errno.ENOENT, undefined);
        else answer(0, namespace.inode(dirent.fid as Fid));
      },
      getattr: ({ fid }, answer) => answer(0, namespace.inode(fid)),
      readlink: ({ fid }, answer) => {
        const inode = namespace.inode(fid);
        if (isSymlink(inode.mode)) answer(0, inode.target);
        else answer(Errno.EINVAL, undefined);
      },
      readdir: ({ fid, cookie, attributes, each }, answer) => {
        namespace.directory(fid);
        for (const dirent of namespace.dirents.list(fid, cookie)) {
          const inode = attributes ? namespace.inodes.get(dirent.fid as Fid) : undefined;
          const more = each({
            name: dirent.name,
            fid: dirent.fid as Fid,
            type: dirent.type,
            cookie: dirent.slot,
            attributes: inode,
          });
          if (!more) break;
        }
        answer(0, undefined);
      },
      parent: ({ fid }, answer) => answer(0, namespace.directory(fid).parent as Fid),
      getxattr: ({ fid, name }, answer) => {
        const inode = namespace.inode(fid);
        const value = inode.hasXattrs ? namespace.xattrs.get(fid, name) : undefined;
        if (value === undefined) answer(Errno.ENODATA, undefined);
        else answer(0, value);
      },
      listxattr: ({ fid }, answer) => {
        const inode = namespace.inode(fid);
        answer(0, inode.hasXattrs ? namespace.xattrs.names(fid) : []);
      },
      statfs: (_request, answer) => {
        const { store, diskUse } = this.#options;
        answer(0, filesystemUse(store, diskUse(), namespace.inodeCount));
      },
    };
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
        this.#opened(fid);
        answer(0, { attributes: inode, contents });
      },
      close: ({ fid }, answer) => {
        this.#closed(fid);
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
    do {
      await new Promise<void>((resolve, reject) => {
        this.commit.whenFlushed((error) => (error === undefined ? resolve() : reject(error)));
      });
    } while (this.commit.uncommitted > 0);
  }
}
