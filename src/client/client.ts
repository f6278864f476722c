/**
 * One mount: turns the kernel's requests into metadata RPCs and object I/O (handlers.ts), and
 * does what is due without a request.
 */
import { must } from '../base/assert.js';
import type { Errno } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import type { Clock } from '../base/time.js';
import type { Handlers, Notifier } from '../fuse/api.js';
import type { ObjectStore } from '../objects/object-store.js';
import type { ClientStats, Connection, Notice, SessionStats, Stats } from '../rpc/messages.js';
import { AccessRecords } from './access-records.js';
import { type AccessPolicy, AccessTimes } from './access-times.js';
import { ALONE, type Coherence } from './coherence.js';
import type { ClientContext } from './context.js';
import { FileIo } from './file-io.js';
import { FileLocksHeld } from './file-locks-held.js';
import type { Files } from './files.js';
import { makeHandlers } from './handlers.js';
import { KilledCallers } from './killed-callers.js';
import { NamelessObjects } from './nameless-objects.js';
import { OpenTable } from './open-table.js';
import type { Done } from './recorder.js';
import { ReplicaMount } from './replica/replica-mount.js';
import { StaleListings } from './stale-listings.js';
import { syncAll } from './sync-all.js';
import { ThroughFiles } from './through/through-files.js';
import { Callers } from './who.js';

const NOT_COUNTED: SessionStats = { operations: [], waiting: 0, wakeups: 0, invalidations: 0 };

/** As the offset of an invalidation: the pages stay. */
const ATTRIBUTES_ONLY = -1;

export interface ClientOptions {
  readonly mds: Connection;
  /** Undefined where they are out of reach: the server then reads and writes them. */
  readonly objects: ObjectStore | undefined;
  /** What may be cached beside other mounts. Default: there are none. */
  readonly coherence?: Coherence;
  readonly clock: Clock;
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Ordinary users may open `.lustre/watch`. Default false. */
  readonly userWatch?: boolean;
  /** Whether changes are recorded when the client starts. */
  readonly recording: boolean;
  /** Whether accesses are. Default no. */
  readonly accesses?: boolean;
  /** What the session counts about itself; nothing without one. */
  readonly stats?: () => SessionStats;
  /** Whether this is a copy of another filesystem when the client starts. Default no. */
  readonly replica?: boolean;
  /** Default relatime. */
  readonly accessTimes?: AccessPolicy;
}

/** What other mounts make of the files that this one has in use. */
export interface Cached {
  /** Calls back when all that was written is recorded, and no change is under way. */
  flush(fid: Fid, done: Done): void;
  /** Others change it. */
  stale(fid: Fid): void;
  staleAll(): void;
  /** The server has given up this mount: what is open is of no use any more. */
  lost(reason: string): readonly Fid[];
  /** So is what is open of that file: it could not be opened again. */
  openLost(fid: Fid, errno: Errno): void;
  /** A server that had ended is there again. */
  recovered(): void;
}

export class Client {
  readonly handlers: Handlers;
  /** Beside other mounts: the locks of this mount's programs, for the server that starts again. */
  readonly fileLocks: FileLocksHeld;
  /** Directories whose listings the kernel may not use again. */
  readonly listings = new StaleListings();
  /** There are other mounts. */
  readonly shared: boolean;
  readonly #files: Files;
  readonly #opens = new OpenTable();
  readonly #nameless: NamelessObjects;
  readonly #callers: Callers;
  readonly #accesses: AccessRecords;
  readonly #mds: Connection;
  /** Beside other mounts. */
  readonly #killed: KilledCallers | undefined;
  readonly #stats: () => ClientStats;
  readonly #replica: ReplicaMount;
  #notifier: Notifier | undefined;

  constructor(options: ClientOptions) {
    const { objects, clock, owner, recording, accessTimes = 'relatime' } = options;
    const { stats = () => NOT_COUNTED, coherence = ALONE } = options;
    const killed = coherence.shared ? new KilledCallers(options.mds) : undefined;
    const mds = killed?.connection ?? options.mds;
    this.#killed = killed;
    this.#mds = mds;
    this.shared = coherence.shared;
    const io = objects && new FileIo(mds, objects, clock, coherence);
    this.#files = io ?? new ThroughFiles({ mds, coherence });
    this.fileLocks = new FileLocksHeld(mds);
    this.#nameless = new NamelessObjects(mds);
    this.#callers = new Callers(clock);
    this.#callers.recording = recording;
    this.#accesses = new AccessRecords({ mds, clock, callers: this.#callers });
    this.#accesses.active = options.accesses ?? false;
    const { events } = this.#accesses;
    const notifier = this.#laterNotifier();
    const { denied } = this.#accesses;
    if (coherence.shared) denied.forgetsAll();
    const onAsking = (): void => denied.forgetsAll();
    this.#replica = new ReplicaMount({ mds, files: io, notifier, onAsking });
    this.#replica.active = options.replica ?? false;
    this.#stats = () => ({ ...stats(), events: events.snapshot() });
    const context: ClientContext = {
      mds,
      files: this.#files,
      coherence,
      fileLocks: this.fileLocks,
      accessTimes: new AccessTimes({
        mds,
        files: this.#files,
        clock,
        policy: accessTimes,
        invalidate: (fid) => this.#session().invalidateInode(fid, ATTRIBUTES_ONLY, 0),
      }),
      accesses: this.#accesses,
      opens: this.#opens,
      nameless: this.#nameless,
      listings: this.listings,
      callers: this.#callers,
      replica: this.#replica,
      notifier,
      owner,
      userWatch: options.userWatch ?? false,
      stats: this.#stats,
    };
    mds.onNotice((notice) => this.#notice(notice));
    this.handlers = makeHandlers(context, killed);
  }

  /** The session that serves the handlers. */
  attach(notifier: Notifier): void {
    this.#notifier = notifier;
  }

  /** What this mount and its server count about themselves; undefined if the server cannot tell. */
  stats(done: (stats: Stats | undefined) => void): void {
    this.#mds.call('stats', undefined, (_errno, server) => {
      done(server === undefined ? undefined : { server, client: this.#stats() });
    });
  }

  /** Records what was written and not recorded for too long. */
  tick(nowUs: number): void {
    if (this.#files.anyDirty) this.#files.tick(nowUs);
    if (this.#accesses.pending) this.#accesses.tick(nowUs);
    if (this.#replica.view.unsent) this.#replica.view.flush();
    if (this.#killed?.pending === true) this.#killed.tick();
  }

  /** {@link tick} has something to do soon. */
  get anyDirty(): boolean {
    if (this.#files.anyDirty || this.#accesses.pending) return true;
    return this.#replica.view.unsent || this.#killed?.pending === true;
  }

  /**
   * Before the end: everything that was written becomes part of the metadata, and what
   * was kept for the kernel alone goes.
   */
  settle(): void {
    this.#accesses.settle();
    this.#files.recordAll();
    if (this.#replica.contents.isAble) this.#replica.contents.settle(() => {});
    this.#nameless.letGoOfAll();
  }

  /** Everything that was written is recorded, on disk, and visible in the feeds when it calls back. */
  sync(done: Done): void {
    syncAll({ files: this.#files, mds: this.#mds }, done);
  }

  /** What this mount keeps of files, for whoever knows when others want it (coherence/). */
  get cached(): Cached {
    const files = this.#files;
    return {
      flush: (fid, done) => files.flush(fid, done),
      stale: (fid) => files.stale(fid),
      staleAll: () => files.staleAll(),
      openLost: (fid) => files.lose(fid),
      recovered: () => files.announceAgain(),
      lost: () => {
        const unrecorded = files.lost();
        this.#opens.loseAll();
        this.#nameless.loseAll();
        this.fileLocks.loseAll();
        return unrecorded;
      },
    };
  }

  /** That of the session, which comes after the handlers. */
  #laterNotifier(): Notifier {
    return {
      pollWakeup: (kh) => this.#session().pollWakeup(kh),
      invalidateInode: (nodeId, offset, length) =>
        this.#session().invalidateInode(nodeId, offset, length),
      invalidateEntry: (parent, name) => this.#session().invalidateEntry(parent, name),
      deleteEntry: (parent, child, name) => this.#session().deleteEntry(parent, child, name),
    };
  }

  #session(): Notifier {
    return must(this.#notifier, 'session');
  }

  #notice(notice: Notice): void {
    if (notice.kind === 'recording') {
      this.#callers.recording = notice.recording;
      this.#accesses.active = notice.accesses;
      return;
    }
    if (notice.kind === 'replica') {
      this.#replica.active = notice.replica;
      return;
    }
    if (notice.kind === 'blocked') {
      this.#files.watchful = notice.watchful;
      return;
    }
    for (const open of this.#opens.waiters) if (open.waiting === true) open.wake?.();
  }
}
