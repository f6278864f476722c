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
import type { Connection, Notice } from '../rpc/messages.js';
import { type AccessPolicy, AccessTimes } from './access-times.js';
import type { ClientContext } from './context.js';
import { CONTROL_NAME } from './control-nodes.js';
import { lookupControl } from './control-tree.js';
import { FileIo } from './file-io.js';
import { NamelessObjects } from './nameless-objects.js';
import { OpenTable } from './open-table.js';
import { controlOperations } from './ops/control.js';
import { directoryOperations } from './ops/directories.js';
import { fileSpaceOperations } from './ops/file-space.js';
import { fileOperations } from './ops/files.js';
import { namespaceOperations } from './ops/namespace.js';
import { xattrOperations } from './ops/xattrs.js';
import { StaleListings } from './stale-listings.js';
import { Callers } from './who.js';

/** As the offset of an invalidation: the pages stay. */
const ATTRIBUTES_ONLY = -1;

export interface ClientOptions {
  readonly mds: Connection;
  readonly objects: ObjectStore;
  readonly clock: Clock;
  readonly owner: { readonly uid: number; readonly gid: number };
  /** Whether changes are recorded when the client starts. */
  readonly recording: boolean;
  /** Default relatime. */
  readonly accessTimes?: AccessPolicy;
}

export class Client {
  readonly handlers: Handlers;
  readonly #files: FileIo;
  readonly #opens = new OpenTable();
  readonly #nameless: NamelessObjects;
  readonly #callers: Callers;
  #notifier: Notifier | undefined;

  constructor(options: ClientOptions) {
    const { mds, objects, clock, owner, recording, accessTimes = 'relatime' } = options;
    this.#files = new FileIo(mds, objects, clock);
    this.#nameless = new NamelessObjects(mds);
    this.#callers = new Callers(clock);
    this.#callers.recording = recording;
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
      opens: this.#opens,
      nameless: this.#nameless,
      listings: new StaleListings(),
      callers: this.#callers,
      notifier: {
        pollWakeup: (kh) => this.#session().pollWakeup(kh),
        invalidateInode: (nodeId, offset, length) =>
          this.#session().invalidateInode(nodeId, offset, length),
        invalidateEntry: (parent, name) => this.#session().invalidateEntry(parent, name),
        deleteEntry: (parent, child, name) => this.#session().deleteEntry(parent, child, name),
      },
      owner,
    };
    mds.onNotice((notice) => this.#notice(notice));
    this.handlers = makeHandlers(context);
  }

  /** The session that serves the handlers. */
  attach(notifier: Notifier): void {
    this.#notifier = notifier;
  }

  /** Records what was written and not recorded for too long. */
  tick(nowUs: number): void {
    if (this.#files.anyDirty) this.#files.tick(nowUs);
  }

  get anyDirty(): boolean {
    return this.#files.anyDirty;
  }

  /**
   * Before the end: everything that was written becomes part of the metadata, and what
   * was kept for the kernel alone goes.
   */
  settle(): void {
    this.#files.recordAll();
    this.#nameless.letGoOfAll();
  }

  #session(): Notifier {
    return must(this.#notifier, 'session');
  }

  #notice(notice: Notice): void {
    if (notice.kind === 'recording') {
      this.#callers.recording = notice.recording;
      return;
    }
    for (const reader of this.#opens.feeds) {
      if (notice.kind === 'visible' || reader.id === notice.id) {
        if (reader.waiting) reader.wake();
      }
    }
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
        lookupControl(context, reply);
      } else names.lookup(request, reply);
    }, control.lookup),
    forget: (items) => context.nameless.forget(items),
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
    getxattr: route(xattrs.getxattr, (_request, reply) => reply.error(Errno.ENODATA)),
    listxattr: route(xattrs.listxattr, (_request, reply) => reply.value(new Uint8Array(0))),
    removexattr: route(xattrs.removexattr, undefined),
    fallocate: route(space.fallocate, control.fallocate),
    // From a feed the kernel then copies by itself, reading and writing.
    copyFileRange: route(space.copyFileRange, (_request, reply) => reply.error(Errno.EOPNOTSUPP)),
    lseek: route(files.lseek, control.lseek),
    poll: route((request, reply) => reply.events(request.events & 0x145), control.poll),
  };
}
