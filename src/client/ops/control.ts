/** The same operations on the control tree: feeds as directories, their views as files. */
import { Errno } from '../../base/errno.js';
import type { Handlers } from '../../fuse/api.js';
import { type ClientContext, fidOf } from '../context.js';
import { fidOfNode, nodeOfFid } from '../control/nodes.js';
import type { ControlOpen } from '../control/open.js';
import { ControlOpening, watch } from '../control/opening.js';
import { placeAttributes } from '../control/places.js';
import { type AddEntry, ControlTree } from '../control/tree.js';
import { syncAll } from '../sync-all.js';
import { DT_DIR, dotEntry } from './directories.js';
import { finish } from './namespace.js';

const SEEK_DATA = 3;
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
const DT_REG = 8;

type DirectoryHandlers = Required<
  Pick<
    Handlers,
    | 'lookup'
    | 'getattr'
    | 'setattr'
    | 'readlink'
    | 'mkdir'
    | 'rmdir'
    | 'opendir'
    | 'readdir'
    | 'readdirplus'
    | 'releasedir'
    | 'fsyncdir'
  >
>;
type FileHandlers = Required<
  Pick<
    Handlers,
    | 'open'
    | 'read'
    | 'write'
    | 'release'
    | 'poll'
    | 'lseek'
    | 'fallocate'
    | 'fsync'
    | 'ioctl'
    | 'getxattr'
    | 'listxattr'
  >
>;

export function controlOperations(context: ClientContext): DirectoryHandlers & FileHandlers {
  const tree = new ControlTree(context);
  return { ...directoryOperations(context, tree), ...fileOperations(context) };
}

function directoryOperations(context: ClientContext, tree: ControlTree): DirectoryHandlers {
  const { mds, opens } = context;
  return {
    lookup: ({ nodeId, name }, reply) => tree.lookup(fidOf(nodeId), name, reply),
    getattr: ({ nodeId }, reply) => {
      tree.attr(fidOf(nodeId), (attr) => reply.attr(attr, 0), reply);
    },
    // A setting that is opened to be overwritten is cut first, which has no effect of its own.
    setattr: ({ nodeId, size }, reply) => {
      const fid = fidOf(nodeId);
      const kind = nodeOfFid(fid)?.kind;
      const cuts = (kind === 'setting' || kind === 'changelog') && size === 0;
      if (cuts) tree.attr(fid, (attr) => reply.attr(attr, 0), reply);
      else reply.error(Errno.EPERM);
    },
    readlink: (_request, reply) => reply.data(Buffer.from('../..')),
    mkdir: ({ nodeId, name }, reply) => {
      if (nodeOfFid(fidOf(nodeId))?.kind !== 'feeds') return reply.error(Errno.EPERM);
      mds.call('feedCreate', { name }, (errno, feed) => {
        if (feed === undefined) reply.error(errno === 0 ? Errno.EIO : errno);
        else tree.entry(fidOfNode({ kind: 'feed', id: feed.id }), reply);
      });
    },
    rmdir: ({ nodeId, name }, reply) => {
      if (nodeOfFid(fidOf(nodeId))?.kind !== 'feeds') return reply.error(Errno.EPERM);
      mds.call('feedRemove', { name }, (errno) => (errno === 0 ? reply.ok() : reply.error(errno)));
    },
    opendir: ({ nodeId }, reply) => {
      const fid = fidOf(nodeId);
      reply.open({ fh: opens.add({ kind: 'control-directory', fid }), flags: 0 });
    },
    readdir: ({ nodeId, offset }, reply) => {
      const add: AddEntry = (fid, cookie, directory, name) =>
        reply.add(fid, cookie, directory ? DT_DIR : DT_REG, name);
      tree.list(fidOf(nodeId), offset, add, () => reply.end());
    },
    // Without a lookup: the kernel asks for those that it wants to know.
    readdirplus: ({ nodeId, offset }, reply) => {
      const add: AddEntry = (fid, cookie, directory, name) => {
        const entry = dotEntry(fid);
        const mode = directory ? entry.attr.mode : 0o100000;
        return reply.add({ ...entry, attr: { ...entry.attr, mode } }, cookie, name);
      };
      tree.list(fidOf(nodeId), offset, add, () => reply.end());
    },
    releasedir: ({ fh }, reply) => {
      opens.remove(fh);
      reply.ok();
    },
    fsyncdir: (_request, reply) => syncAll(context, (errno) => finish(errno, reply)),
  };
}

function fileOperations(context: ClientContext): FileHandlers {
  const { opens } = context;
  const opening = new ControlOpening(context);
  const openOf = (fh: number): ControlOpen | undefined => {
    const open = opens.get(fh);
    return open?.kind === 'control' ? open.open : undefined;
  };
  return {
    ...placeAttributes(context),
    open: ({ nodeId, flags, caller }, reply) => opening.open(fidOf(nodeId), flags, caller, reply),
    read: ({ fh, offset, size, flags, caller }, reply) => {
      const open = openOf(fh);
      if (open === undefined) reply.error(Errno.EBADF);
      else open.read(offset, size, flags, reply, caller);
    },
    write: ({ fh, offset, data, caller }, reply) => {
      const open = openOf(fh);
      if (open?.write === undefined) reply.error(Errno.EPERM);
      else open.write(offset, data, reply, caller);
    },
    release: ({ fh }, reply) => {
      const closed = opens.remove(fh);
      if (closed?.kind === 'control') closed.open.close?.();
      watch(context);
      reply.ok();
    },
    poll: ({ fh, kh, scheduleNotify, events, caller }, reply) => {
      const open = openOf(fh);
      if (open?.poll === undefined) reply.events(events & 0x145);
      else open.poll(kh, scheduleNotify, reply, caller);
    },
    lseek: ({ fh, offset, whence }, reply) => {
      const open = openOf(fh);
      if (open?.lseek === undefined) reply.error(Errno.EINVAL);
      else open.lseek(offset, whence === SEEK_DATA ? 'data' : 'hole', reply);
    },
    fallocate: ({ fh, offset, length, mode }, reply) => {
      const open = openOf(fh);
      if (open?.punch === undefined) reply.error(Errno.EPERM);
      else if (mode !== (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)) {
        reply.error(Errno.EOPNOTSUPP);
      } else open.punch(offset, length, reply);
    },
    ioctl: (request, reply) => {
      const open = openOf(request.fh);
      if (open?.ioctl === undefined) reply.error(Errno.ENOTTY);
      else open.ioctl(request, reply);
    },
    fsync: ({ fh }, reply) => {
      const open = openOf(fh);
      if (open?.fsync === undefined) syncAll(context, (errno) => finish(errno, reply));
      else open.fsync(reply);
    },
  };
}
