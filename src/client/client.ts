/**
 * One mount: turns the kernel's requests into metadata RPCs and object I/O. Requests
 * about the control tree go to its own operations.
 */
import { must } from '../base/assert.js';
import { Errno } from '../base/errno.js';
import { isControlFid, ROOT_FID } from '../base/fid.js';
import type { Clock } from '../base/time.js';
import type { Handlers, Notifier, Reply, Request } from '../fuse/api.js';
import type { ObjectStore } from '../objects/object-store.js';
import type { ClientStats, Connection, Notice, SessionStats, Stats } from '../rpc/messages.js';
import { AccessRecords } from './access-records.js';
import { type AccessPolicy, AccessTimes } from './access-times.js';
import type { ClientContext } from './context.js';
import { CONTROL_NAME } from './control/nodes.js';
import { lookupControl } from './control/tree.js';
import { FileIo } from './file-io.js';
import { NamelessObjects } from './nameless-objects.js';
import { OpenTable } from './open-table.js';
import { controlOperations } from './ops/control.js';
import { directoryOperations } from './ops/directories.js';
import { fileSpaceOperations } from './ops/file-space.js';
import { fileOperations } from './ops/files.js';
import { namespaceOperations } from './ops/namespace.js';
import { xattrOperations } from './ops/xattrs.js';
import { ReplicaMount } from './replica/replica-mount.js';
import { StaleListings } from './stale-listings.js';
import { Callers } from './who.js';

const NOT_COUNTED: SessionStats = { operations: [], waiting: 0, wakeups: 0, invalidations: 0 };

/** As the offset of an invalidation: the pages stay. */
const ATTRIBUTES_ONLY = -1;

export interface ClientOptions {
  readonly mds: Connection;
  readonly objects: ObjectStore;
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

export class Client {
  readonly handlers: Handlers;
  readonly #files: FileIo;
  readonly #opens = new OpenTable();
  readonly #nameless: NamelessObjects;
  readonly #callers: Callers;
  readonly #accesses: AccessRecords;
  readonly #mds: Connection;
  readonly #stats: () => ClientStats;
  readonly #replica: ReplicaMount;
  #notifier: Notifier | undefined;

  constructor(options: ClientOptions) {
    const { mds, objects, clock, owner, recording, accessTimes = 'relatime' } = options;
    const { stats = () => NOT_COUNTED } = options;
    this.#mds = mds;
    this.#files = new FileIo(mds, objects, clock);
    this.#nameless = new NamelessObjects(mds);
    this.#callers = new Callers(clock);
    this.#callers.recording = recording;
    this.#accesses = new AccessRecords({ mds, clock, callers: this.#callers });
    this.#accesses.active = options.accesses ?? false;
    const { events } = this.#accesses;
    const notifier = this.#laterNotifier();
    const { denied } = this.#accesses;
    const onAsking = (): void => denied.forgetsAll();
    this.#replica = new ReplicaMount({ mds, files: this.#files, notifier, onAsking });
    this.#replica.active = options.replica ?? false;
    this.#stats = () => ({ ...stats(), events: events.snapshot() });
    const context: ClientContext = {
      mds,
      files: this.#files,
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
      listings: new StaleListings(),
      callers: this.#callers,
      replica: this.#replica,
      notifier,
      owner,
      userWatch: options.userWatch ?? false,
      stats: this.#stats,
    };
    mds.onNotice((notice) => this.#notice(notice));
    this.handlers = makeHandlers(context);
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
  }

  /** {@link tick} has something to do soon. */
  get anyDirty(): boolean {
    return this.#files.anyDirty || this.#accesses.pending || this.#replica.view.unsent;
  }

  /**
   * Before the end: everything that was written becomes part of the metadata, and what
   * was kept for the kernel alone goes.
   */
  settle(): void {
    this.#accesses.settle();
    this.#files.recordAll();
    this.#replica.contents.settle(() => {});
    this.#nameless.letGoOfAll();
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
      this.#files.room.watchful = notice.watchful;
      return;
    }
    for (const open of this.#opens.waiters) if (open.waiting === true) open.wake?.();
  }
}

type Operation<Q, R> = ((request: Q, reply: R) => void) | undefined;

/** Sends a request to the control tree or to the ordinary one, by the object it is about. */
function route<Q extends Request, R extends Reply>(
  ordinary: Operation<Q, R>,
  control: Operation<Q, R>,
): (request: Q, reply: R) => void {
  return (request, reply) => {
    const operation = isControlFid(request.nodeId as Parameters<typeof isControlFid>[0])
      ? control
      : ordinary;
    if (operation === undefined) reply.error(Errno.EPERM);
    else operation(request, reply);
  };
}

function makeHandlers(context: ClientContext): Handlers {
  const names = namespaceOperations(context);
  const files = fileOperations(context);
  const space = fileSpaceOperations(context);
  const directories = directoryOperations(context);
  const xattrs = xattrOperations(context);
  const control = controlOperations(context);
  return {
    lookup: route((request, reply) => {
      if (request.nodeId === ROOT_FID && request.name === CONTROL_NAME) {
        context.accesses.lookedUp(ROOT_FID, 0, request.caller);
        lookupControl(context, reply);
      } else names.lookup(request, reply);
    }, control.lookup),
    forget: (items) => {
      context.nameless.forget(items);
      context.replica.forget(items);
    },
    getattr: route(files.getattr, control.getattr),
    setattr: route(files.setattr, control.setattr),
    readlink: route(names.readlink, control.readlink),
    symlink: route(names.symlink, undefined),
    mknod: route(names.mknod, undefined),
    mkdir: route(names.mkdir, control.mkdir),
    unlink: route(names.unlink, undefined),
    rmdir: route(names.rmdir, control.rmdir),
    rename: (request, reply) => {
      // Neither into nor out of the control tree.
      if (isControlFid(request.newParent as Parameters<typeof isControlFid>[0])) {
        reply.error(Errno.EPERM);
      } else route(names.rename, undefined)(request, reply);
    },
    link: (request, reply) => {
      if (isControlFid(request.oldNodeId as Parameters<typeof isControlFid>[0])) {
        reply.error(Errno.EPERM);
      } else route(names.link, undefined)(request, reply);
    },
    open: route(files.open, control.open),
    create: route(names.create, undefined),
    tmpfile: route(names.tmpfile, undefined),
    read: route(files.read, control.read),
    write: route(files.write, control.write),
    release: route(files.release, control.release),
    fsync: route(files.fsync, control.fsync),
    opendir: route(directories.opendir, control.opendir),
    readdir: route(directories.readdir, control.readdir),
    readdirplus: route(directories.readdirplus, control.readdirplus),
    releasedir: route(directories.releasedir, control.releasedir),
    fsyncdir: route(directories.fsyncdir, control.fsyncdir),
    statfs: xattrs.statfs,
    syncfs: xattrs.syncfs,
    setxattr: route(xattrs.setxattr, undefined),
    getxattr: route(xattrs.getxattr, control.getxattr),
    listxattr: route(xattrs.listxattr, control.listxattr),
    removexattr: route(xattrs.removexattr, undefined),
    fallocate: route(space.fallocate, control.fallocate),
    // From a feed the kernel then copies by itself, reading and writing.
    copyFileRange: route(space.copyFileRange, (_request, reply) => reply.error(Errno.EOPNOTSUPP)),
    lseek: route(files.lseek, control.lseek),
    poll: route((request, reply) => reply.events(request.events & 0x145), control.poll),
    ioctl: route((_request, reply) => reply.error(Errno.ENOTTY), control.ioctl),
  };
}
