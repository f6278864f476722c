/** The operations of a mount: requests about the control tree go to its own. */
import { Errno } from '../base/errno.js';
import { isControlFid, ROOT_FID } from '../base/fid.js';
import type { Handlers, Reply, Request } from '../fuse/api.js';
import { type ClientContext, fidOf } from './context.js';
import { CONTROL_NAME } from './control/nodes.js';
import { lookupControl } from './control/tree.js';
import type { KilledCallers } from './killed-callers.js';
import { controlOperations } from './ops/control.js';
import { directoryOperations } from './ops/directories.js';
import { fileLockOperations } from './ops/file-locks.js';
import { fileSpaceOperations } from './ops/file-space.js';
import { fileOperations } from './ops/files.js';
import { namespaceOperations } from './ops/namespace.js';
import { xattrOperations } from './ops/xattrs.js';

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

/** Every operation of the mount. */
export function makeHandlers(context: ClientContext, killed?: KilledCallers): Handlers {
  const handlers = operations(context);
  return killed === undefined ? handlers : mayBeKilled(handlers, killed);
}

/** Whoever asks for these is told something, and nothing else comes of it. */
const LOOKS: ReadonlySet<keyof Handlers> = new Set<keyof Handlers>([
  'lookup',
  'getattr',
  'readlink',
  'read',
  'readdir',
  'readdirplus',
  'statfs',
  'getxattr',
  'listxattr',
  'lseek',
  'fsync',
  'fsyncdir',
  'syncfs',
  'getlk',
]);

/** What ends with an open is done, whoever was killed. */
const NEVER_GIVEN_UP: ReadonlySet<string> = new Set([
  'forget',
  'release',
  'releasedir',
  'flush',
  'setlk',
  'setlkw',
]);

/** The same operations, which end when their callers do. */
function mayBeKilled(handlers: Handlers, killed: KilledCallers): Handlers {
  const served = Object.entries(handlers).map(([name, operation]) => {
    if (NEVER_GIVEN_UP.has(name)) return [name, operation];
    return [name, killed.serve(operation, LOOKS.has(name as keyof Handlers))];
  });
  return Object.fromEntries(served);
}

function operations(context: ClientContext): Handlers {
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
      if (context.coherence.shared) {
        context.coherence.forgotten(items.map(({ nodeId }) => fidOf(nodeId)));
      }
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
    ...lockHandlers(context),
    poll: route((request, reply) => reply.events(request.events & 0x145), control.poll),
    ioctl: route((_request, reply) => reply.error(Errno.ENOTTY), control.ioctl),
  };
}

/** Files of the control tree are nobody's to lock but this mount's. */
function lockHandlers(
  context: ClientContext,
): Pick<Handlers, 'getlk' | 'setlk' | 'setlkw' | 'flush'> {
  const { getlk, setlk, setlkw, flush } = fileLockOperations(context);
  if (getlk === undefined) return {};
  return {
    getlk: route(getlk, undefined),
    setlk: route(setlk, undefined),
    setlkw: route(setlkw, undefined),
    flush: route(flush, (_request, reply) => reply.ok()),
  };
}
