/** Operations on names: look up, create, link, remove, rename. One metadata RPC each. */
import { Errno } from '../../base/errno.js';
import { ROOT_FID } from '../../base/fid.js';
import { isDirectory, S_IFDIR, S_IFMT, S_IFREG } from '../../base/mode.js';
import type { FileName } from '../../base/name.js';
import type {
  Caller,
  CreateReply,
  CreateRequest,
  EmptyReply,
  Entry,
  EntryReply,
  Handlers,
  LinkRequest,
  RenameRequest,
  Reply,
  TmpfileRequest,
} from '../../fuse/api.js';
import type { Answer, Attributes, Reint } from '../../rpc/messages.js';
import { toAttr, toEntry } from '../attr.js';
import { type ClientContext, fidOf, who } from '../context.js';
import { CONTROL_NAME } from '../control/nodes.js';
import { VALID_MS } from '../limits.js';
import { sealWrites } from '../seal.js';
import { closeFile, OPEN_FLAGS, startFile } from './files.js';

type NamespaceHandlers = Required<
  Pick<
    Handlers,
    | 'lookup'
    | 'symlink'
    | 'mknod'
    | 'mkdir'
    | 'unlink'
    | 'rmdir'
    | 'rename'
    | 'link'
    | 'create'
    | 'tmpfile'
    | 'readlink'
  >
>;

const O_EXCL = 0o200;

/** A name that is known not to exist: nobody but this mount can change that. */
const NEGATIVE: Entry = {
  nodeId: 0,
  generation: 0,
  entryValidMs: VALID_MS,
  attrValidMs: 0,
  attr: {
    ino: 0,
    size: 0,
    blocks: 0,
    atime: { sec: 0, nsec: 0 },
    mtime: { sec: 0, nsec: 0 },
    ctime: { sec: 0, nsec: 0 },
    mode: 0,
    nlink: 0,
    uid: 0,
    gid: 0,
    rdev: 0,
    blksize: 0,
  },
};

export function namespaceOperations(context: ClientContext): NamespaceHandlers {
  const { mds, files } = context;
  return {
    lookup: ({ nodeId, name, caller }, reply) => {
      const parent = fidOf(nodeId);
      mds.call('lookup', { parent, name }, (errno, attributes) => {
        // Its caller waits as long as there is no answer.
        context.accesses.lookedUp(parent, errno, caller);
        if (errno === Errno.ENOENT) {
          reply.entry({ ...NEGATIVE, entryValidMs: context.replica.missingMs(parent, name) });
        } else if (attributes === undefined) reply.error(errno === 0 ? Errno.EIO : errno);
        else reply.entry(context.replica.entry(parent, files.exact(attributes)));
      });
    },
    mkdir: ({ nodeId, name, mode, umask, caller }, reply) => {
      if (reserved(nodeId, name)) return reply.error(Errno.EEXIST);
      const type = S_IFDIR | (mode & 0o7777);
      makeEntry(context, caller, createChange(nodeId, name, type, umask, 0), reply);
    },
    mknod: ({ nodeId, name, mode, umask, rdev, caller }, reply) => {
      if (reserved(nodeId, name)) return reply.error(Errno.EEXIST);
      const type = (mode & S_IFMT) === 0 ? mode | S_IFREG : mode;
      makeEntry(context, caller, createChange(nodeId, name, type, umask, rdev), reply);
    },
    symlink: ({ nodeId, name, target, caller }, reply) => {
      if (reserved(nodeId, name)) return reply.error(Errno.EEXIST);
      makeEntry(context, caller, { op: 'symlink', parent: fidOf(nodeId), name, target }, reply);
    },
    link: (request, reply) => link(context, request, reply),
    create: (request, reply) => create(context, request, reply),
    tmpfile: (request, reply) => tmpfile(context, request, reply),
    unlink: ({ nodeId, name, caller }, reply) => {
      if (reserved(nodeId, name)) return reply.error(Errno.EPERM);
      settle(context, nodeId, name);
      remove(context, caller, { op: 'unlink', parent: fidOf(nodeId), name }, reply);
    },
    rmdir: ({ nodeId, name, caller }, reply) => {
      if (reserved(nodeId, name)) return reply.error(Errno.EPERM);
      remove(context, caller, { op: 'rmdir', parent: fidOf(nodeId), name }, reply);
    },
    rename: (request, reply) => rename(context, request, reply),
    readlink: ({ nodeId }, reply) => {
      context.accessTimes.followed(fidOf(nodeId));
      mds.call('readlink', { fid: fidOf(nodeId) }, (errno, target) => {
        if (target === undefined) reply.error(errno === 0 ? Errno.EIO : errno);
        else reply.data(Buffer.from(target, 'latin1'));
      });
    },
  };
}

/** The control tree's name in the root belongs to feedfs. */
function reserved(parent: number, name: FileName): boolean {
  return parent === ROOT_FID && name === CONTROL_NAME;
}

function createChange(
  parent: number,
  name: FileName,
  mode: number,
  umask: number,
  rdev: number,
): Reint {
  return { op: 'create', parent: fidOf(parent), name, mode, umask, rdev, open: false };
}

function makeEntry(context: ClientContext, caller: Caller, asked: Reint, reply: EntryReply): void {
  context.mds.call('reint', { who: who(context, caller), change: asked }, (errno, result) => {
    if (result === undefined) reply.error(errno === 0 ? Errno.EIO : errno);
    else reply.entry(toEntry(context.files.exact(result.attributes)));
  });
}

/** A change that may take an object's last name: the kernel goes on asking about it by its FID. */
function remove(
  context: ClientContext,
  caller: Caller,
  asked: Reint,
  reply: EmptyReply,
  changed: (attributes: Attributes) => void = () => {},
): void {
  const request = { who: who(context, caller), change: asked, keepsNameless: true };
  context.mds.call('reint', request, (errno, result) => {
    if (result?.kept !== undefined) context.nameless.keep(result.kept);
    if (result !== undefined) changed(result.attributes);
    finish(errno, reply);
  });
}

function rename(context: ClientContext, request: RenameRequest, reply: EmptyReply): void {
  const { nodeId, name, newParent, newName, flags, caller } = request;
  if (reserved(nodeId, name) || reserved(newParent, newName)) return reply.error(Errno.EPERM);
  settle(context, nodeId, name);
  settle(context, newParent, newName);
  sealWrites(context);
  const parent = fidOf(nodeId);
  const asked: Reint = { op: 'rename', parent, name, newParent: fidOf(newParent), newName, flags };
  if (nodeId === newParent) return remove(context, caller, asked, reply);
  const arrived = ({ fid, mode }: Attributes): void => {
    if (isDirectory(mode)) context.listings.moved(fid);
  };
  remove(context, caller, asked, reply, (attributes) => {
    arrived(attributes);
    // What is there now came from the other directory: an exchange, or a whiteout.
    if (flags === 0) return;
    context.mds.call('lookup', { parent, name }, (_errno, other) => {
      if (other !== undefined) arrived(other);
    });
  });
}

export function finish(errno: Errno | 0, reply: EmptyReply): void {
  if (errno === 0) reply.ok();
  else reply.error(errno);
}

function create(context: ClientContext, request: CreateRequest, reply: CreateReply): void {
  const { nodeId, name, mode, umask, caller, flags } = request;
  if (reserved(nodeId, name)) return reply.error(Errno.EEXIST);
  const asked: Reint = {
    op: 'create',
    parent: fidOf(nodeId),
    name,
    mode: S_IFREG | (mode & 0o7777),
    umask,
    rdev: 0,
    open: true,
  };
  context.mds.call('reint', { who: who(context, caller), change: asked }, (errno, result) => {
    if (result === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
    const { attributes } = result;
    const fh = startFile(context, attributes, undefined, flags, caller);
    context.accesses.opened(fh, attributes, flags, caller, (refused) => {
      if (refused === 0) return reply.created(toEntry(attributes), { fh, flags: OPEN_FLAGS });
      closeFile(context, fh);
      reply.error(refused);
    });
  });
}

function link(context: ClientContext, request: LinkRequest, reply: EntryReply): void {
  const { nodeId, oldNodeId, name, caller } = request;
  if (reserved(nodeId, name)) return reply.error(Errno.EEXIST);
  const { mds, files, nameless } = context;
  const fid = fidOf(oldNodeId);
  const asked: Reint = { op: 'link', fid, parent: fidOf(nodeId), name };
  const now = (): void => {
    mds.call('reint', { who: who(context, caller), change: asked }, (errno, result) => {
      if (result === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
      nameless.letGo(fid);
      reply.entry(toEntry(files.exact(result.attributes)));
    });
  };
  sealWrites(context);
  const file = files.find(fid);
  // The first name of a file tells the feeds of its contents, so they are recorded before.
  if (file?.dirty === true) files.record(file, now);
  else now();
}

/** A file without a name: the kernel holds it as it does one that lost its last. */
function tmpfile(context: ClientContext, request: TmpfileRequest, reply: CreateReply): void {
  const { nodeId, mode, umask, caller, flags } = request;
  const linkable = (flags & O_EXCL) === 0;
  const change = { op: 'tmpfile', parent: fidOf(nodeId), mode, umask, linkable } as const;
  const asked = { who: who(context, caller), change, keepsNameless: true };
  context.mds.call('reint', asked, (errno, result) => {
    if (result === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
    const { attributes, kept } = result;
    if (kept !== undefined) context.nameless.keep(kept);
    const fh = startFile(context, attributes, undefined, flags, caller);
    reply.created(toEntry(attributes), { fh, flags: OPEN_FLAGS });
  });
}

/**
 * Before a name goes, or comes to mean something else: what was written to its object is
 * part of its last attributes, and is recorded while filters still find it there. What lies
 * below a directory has its place by it.
 */
function settle({ mds, files }: ClientContext, parent: number, name: FileName): void {
  if (!files.anyDirty) return;
  mds.call('lookup', { parent: fidOf(parent), name }, (_errno, attributes) => {
    if (attributes === undefined) return;
    if (isDirectory(attributes.mode)) return files.recordAll();
    const file = files.find(attributes.fid);
    if (file?.dirty === true) files.record(file);
  });
}

/** Attributes as an answer to getattr and setattr. */
export function answerAttr(
  context: ClientContext,
  reply: Reply & { attr(attr: ReturnType<typeof toAttr>, validMs: number): void },
): Answer<'getattr'> {
  return (errno: Errno | 0, attributes: Attributes | undefined) => {
    if (attributes === undefined) reply.error(errno === 0 ? Errno.EIO : errno);
    else {
      const validMs = context.replica.attrValidMs(attributes);
      reply.attr(toAttr(context.files.exact(attributes)), validMs);
    }
  };
}
