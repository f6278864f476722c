/** The same operations on the control tree: feeds as directories, their views as files. */
import { Errno } from '../../base/errno.js';
import { type Fid, isControlFid, parseFid, ROOT_FID } from '../../base/fid.js';
import { isDirectory } from '../../base/mode.js';
import { type FileName, NAME_BYTES_MAX } from '../../base/name.js';
import { type Timespec, ZERO_TIME } from '../../base/time.js';
import type { Attr, Entry, EntryReply, Handlers, OpenReply, Reply } from '../../fuse/api.js';
import { FOPEN_DIRECT_IO } from '../../fuse/wire/abi.js';
import { toAttr } from '../attr.js';
import { type ClientContext, fidOf } from '../context.js';
import { fidOfNode, fixedEntries, modeOfNode, nodeOfFid } from '../control-nodes.js';
import { FeedReader } from '../feed-reader.js';
import { DOT_COOKIE, DOT_DOT_COOKIE, DT_DIR, dotEntry } from './directories.js';

const O_TRUNC = 0o1000;
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
const DT_REG = 8;

/** What differs from node to node; the rest of the attributes is fixed. */
interface Variable {
  readonly size: number;
  readonly blocks: number;
  readonly mtime: Timespec;
}

const NOTHING: Variable = { size: 0, blocks: 0, mtime: ZERO_TIME };

type ControlHandlers = Required<
  Pick<
    Handlers,
    | 'lookup'
    | 'getattr'
    | 'setattr'
    | 'readlink'
    | 'mkdir'
    | 'rmdir'
    | 'open'
    | 'read'
    | 'write'
    | 'release'
    | 'poll'
    | 'lseek'
    | 'fallocate'
    | 'fsync'
    | 'opendir'
    | 'readdir'
    | 'readdirplus'
    | 'releasedir'
    | 'fsyncdir'
  >
>;

export function controlOperations(context: ClientContext): ControlHandlers {
  const { mds, opens } = context;
  const tree = new ControlTree(context);
  const list = (nodeId: number, offset: number, add: AddEntry, end: () => void): void => {
    tree.list(fidOf(nodeId), offset, add, end);
  };
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
    opendir: ({ nodeId }, reply) => {
      const fid = fidOf(nodeId);
      reply.open({ fh: opens.add({ kind: 'control-directory', fid }), flags: 0 });
    },
    readdir: ({ nodeId, offset }, reply) => {
      const add: AddEntry = (fid, cookie, directory, name) =>
        reply.add(fid, cookie, directory ? DT_DIR : DT_REG, name);
      list(nodeId, offset, add, () => reply.end());
    },
    // Without a lookup: the kernel asks for those that it wants to know.
    readdirplus: ({ nodeId, offset }, reply) => {
      const add: AddEntry = (fid, cookie, directory, name) => {
        const entry = dotEntry(fid);
        const mode = directory ? entry.attr.mode : 0o100000;
        return reply.add({ ...entry, attr: { ...entry.attr, mode } }, cookie, name);
      };
      list(nodeId, offset, add, () => reply.end());
    },
    releasedir: ({ fh }, reply) => {
      opens.remove(fh);
      reply.ok();
    },
    fsyncdir: (_request, reply) => reply.ok(),
  };
}

/** While a feed file is open somebody waits for changes, or will in a moment. */
function watch({ mds, opens }: ClientContext): void {
  mds.call('feedWatch', { waiting: opens.feeds.size > 0 }, () => {});
}

/** Attributes of `.lustre` itself, for its lookup in the root. */
export function lookupControl(context: ClientContext, reply: EntryReply): void {
  new ControlTree(context).entry(fidOfNode({ kind: 'top' }), reply);
}

type AddEntry = (fid: Fid, cookie: number, directory: boolean, name: string) => boolean;

class ControlTree {
  readonly #context: ClientContext;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  lookup(parent: Fid, name: FileName, reply: EntryReply): void {
    const node = nodeOfFid(parent);
    if (node === undefined) return reply.error(Errno.ENOENT);
    // The kernel passes on names of up to 1024 bytes.
    if (name.length > NAME_BYTES_MAX) return reply.error(Errno.ENAMETOOLONG);
    const fixed = fixedEntries(node).find(([entry]) => entry === name);
    if (fixed !== undefined) return this.entry(fidOfNode(fixed[1]), reply);
    if (node.kind === 'fids') return this.#lookupFid(name, reply);
    if (node.kind !== 'feeds') return reply.error(Errno.ENOENT);
    this.#context.mds.call('feedLookup', { name }, (errno, feed) => {
      if (feed === undefined) reply.error(errno === 0 ? Errno.EIO : errno);
      else this.entry(fidOfNode({ kind: 'feed', id: feed.id }), reply);
    });
  }

  #lookupFid(name: FileName, reply: EntryReply): void {
    const fid = parseFid(name);
    if (fid === undefined || isControlFid(fid)) return reply.error(Errno.ENOENT);
    if (fid === ROOT_FID) return this.entry(fidOfNode({ kind: 'root-link' }), reply);
    const { mds, files } = this.#context;
    mds.call('getattr', { fid }, (errno, attributes) => {
      if (attributes === undefined || attributes.nlink === 0) {
        return reply.error(errno === 0 || errno === Errno.ESTALE ? Errno.ENOENT : errno);
      }
      reply.entry(uncached(fid, toAttr(files.exact(attributes))));
    });
  }

  entry(fid: Fid, reply: EntryReply): void {
    this.attr(fid, (attr) => reply.entry(uncached(fid, attr)), reply);
  }

  attr(fid: Fid, done: (attr: Attr) => void, reply: Reply): void {
    const node = nodeOfFid(fid);
    if (node === undefined) return reply.error(Errno.ENOENT);
    const { owner, mds } = this.#context;
    const give = ({ size, blocks, mtime }: Variable): void => {
      const mode = modeOfNode(node);
      const times = { atime: mtime, mtime, ctime: mtime };
      const nlink = isDirectory(mode) ? 2 : 1;
      done({ ino: fid, size, blocks, ...times, mode, nlink, ...owner, rdev: 0, blksize: 65_536 });
    };
    switch (node.kind) {
      case 'stream':
        return mds.call('feedStatus', { id: node.id, view: node.view }, (_errno, status) => {
          if (status === undefined) return reply.error(Errno.ENOENT);
          const blocks = Math.ceil(status.owed / 512);
          give({ size: status.size, blocks, mtime: status.mtime });
        });
      case 'feed':
        return mds.call('feedStatus', { id: node.id, view: 'stream' }, (_errno, status) => {
          if (status === undefined) return reply.error(Errno.ENOENT);
          give({ ...NOTHING, mtime: status.created });
        });
      case 'info':
        return mds.call('feedInfo', { id: node.id }, (_errno, text) => {
          if (text === undefined) return reply.error(Errno.ENOENT);
          give({ ...NOTHING, size: Buffer.byteLength(text) });
        });
      default:
        return give(node.kind === 'root-link' ? { ...NOTHING, size: 5 } : NOTHING);
    }
  }

  open(fid: Fid, flags: number, reply: OpenReply): void {
    const node = nodeOfFid(fid);
    if ((flags & O_TRUNC) !== 0) return reply.error(Errno.EPERM);
    const { mds, opens, notifier } = this.#context;
    if (node?.kind === 'stream') {
      const { id, view } = node;
      return mds.call('feedStatus', { id, view }, (_errno, status) => {
        if (status === undefined) return reply.error(Errno.ENOENT);
        const reader = new FeedReader(id, view, mds, notifier);
        reply.open({ fh: opens.add({ kind: 'feed', fid, reader }), flags: FOPEN_DIRECT_IO });
        watch(this.#context);
      });
    }
    if (node?.kind === 'info') {
      return mds.call('feedInfo', { id: node.id }, (_errno, text) => {
        if (text === undefined) return reply.error(Errno.ENOENT);
        const bytes = Buffer.from(text);
        reply.open({ fh: opens.add({ kind: 'text', fid, bytes }), flags: FOPEN_DIRECT_IO });
      });
    }
    reply.error(node === undefined ? Errno.ENOENT : Errno.EISDIR);
  }

  list(fid: Fid, offset: number, add: AddEntry, end: () => void): void {
    const node = nodeOfFid(fid);
    const entries: (readonly [Fid, string])[] = [
      [fid, '.'],
      [node?.kind === 'top' ? ROOT_FID : fidOfNode({ kind: 'top' }), '..'],
    ];
    for (const [name, child] of node === undefined ? [] : fixedEntries(node)) {
      entries.push([fidOfNode(child), name]);
    }
    if (node?.kind === 'feeds') {
      this.#context.mds.call('feedList', undefined, (_errno, feeds) => {
        for (const { id, name } of feeds ?? [])
          entries.push([fidOfNode({ kind: 'feed', id }), name]);
      });
    }
    // A feed's place in the listing is its id, so that it stays while others come and go.
    for (const [i, [child, name]] of entries.entries()) {
      const cookie =
        node?.kind === 'feeds' && i >= DOT_DOT_COOKIE ? cookieOfFeed(child) : i + DOT_COOKIE;
      if (cookie <= offset) continue;
      const directory =
        i < DOT_DOT_COOKIE || isDirectory(modeOfNode(nodeOfFid(child) ?? { kind: 'top' }));
      if (!add(child, cookie, directory, name)) break;
    }
    end();
  }
}

function cookieOfFeed(fid: Fid): number {
  const node = nodeOfFid(fid);
  return DOT_DOT_COOKIE + (node?.kind === 'feed' ? node.id : 0);
}

/** Control entries come and go without the kernel's help: it asks each time. */
function uncached(fid: Fid, attr: Attr): Entry {
  return { nodeId: fid, generation: 0, entryValidMs: 0, attrValidMs: 0, attr };
}
