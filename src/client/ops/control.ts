/** The same operations on the control tree: feeds as directories, their views as files. */
import { Errno } from '../../base/errno.js';
import type { Handlers } from '../../fuse/api.js';
import { type ClientContext, fidOf } from '../context.js';
import { fidOfNode, nodeOfFid } from '../control-nodes.js';
import { type AddEntry, ControlTree, watch } from '../control-tree.js';
import { DT_DIR, dotEntry } from './directories.js';

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
  Pick<Handlers, 'open' | 'read' | 'write' | 'release' | 'poll' | 'lseek' | 'fallocate' | 'fsync'>
>;

export function controlOperations(context: ClientContext): DirectoryHandlers & FileHandlers {
  const tree = new ControlTree(context);
  return { ...directoryOperations(context, tree), ...fileOperations(context, tree) };
}

function directoryOperations(context: ClientContext, tree: ControlTree): DirectoryHandlers {
  const { mds, opens } = context;
  return {
    lookup: ({ nodeId, name }, reply) => tree.lookup(fidOf(nodeId), name, reply),
    getattr: ({ nodeId }, reply) => {
      tree.attr(fidOf(nodeId), (attr) => reply.attr(attr, 0), reply);
    },
    setattr: (_request, reply) => reply.error(Errno.EPERM),
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
    fsyncdir: (_request, reply) => reply.ok(),
  };
}

function fileOperations(context: ClientContext, tree: ControlTree): FileHandlers {
  const { mds, opens } = context;
  return {
    open: ({ nodeId, flags }, reply) => tree.open(fidOf(nodeId), flags, reply),
    read: ({ fh, offset, size, flags }, reply) => {
      const open = opens.get(fh);
      if (open?.kind === 'feed') open.reader.read(offset, size, flags, reply);
      else if (open?.kind === 'text') reply.data(open.bytes.subarray(offset, offset + size));
      else reply.error(Errno.EBADF);
    },
    write: (_request, reply) => reply.error(Errno.EPERM),
    release: ({ fh }, reply) => {
      const closed = opens.remove(fh);
      if (closed?.kind === 'feed') closed.reader.close();
      watch(context);
      reply.ok();
    },
    poll: ({ fh, kh, scheduleNotify, events }, reply) => {
      const open = opens.get(fh);
      if (open?.kind === 'feed') open.reader.poll(kh, scheduleNotify, reply);
      // Like any ordinary file: always ready.
      else reply.events(events & 0x145);
    },
    lseek: ({ fh, offset, whence }, reply) => {
      const open = opens.get(fh);
      if (open?.kind !== 'feed') return reply.error(Errno.EINVAL);
      const { id, view } = open.reader;
      const what = whence === 3 ? 'data' : 'hole';
      mds.call('feedSeek', { id, view, offset, whence: what }, (errno, found) => {
        if (found === undefined) reply.error(errno === 0 ? Errno.EIO : errno);
        else reply.offset(found);
      });
    },
    fallocate: ({ fh, offset, length, mode }, reply) => {
      const open = opens.get(fh);
      if (open?.kind !== 'feed') return reply.error(Errno.EPERM);
      if (mode !== (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)) {
        return reply.error(Errno.EOPNOTSUPP);
      }
      const { id, view } = open.reader;
      mds.call('feedPunch', { id, view, offset, length }, (errno) =>
        errno === 0 ? reply.ok() : reply.error(errno),
      );
    },
    fsync: (_request, reply) => reply.ok(),
  };
}
