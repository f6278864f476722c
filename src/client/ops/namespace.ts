/** Operations on names: look up, create, link, remove, rename. One metadata RPC each. */
import { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { isDirectory, S_IFDIR, S_IFMT, S_IFREG } from '../../base/mode.js';
import type { FileName } from '../../base/name.js';
import type {
  Caller,
  EmptyReply,
  EntryReply,
  Handlers,
  LinkRequest,
  RenameRequest,
  Reply,
} from '../../fuse/api.js';
import type { Answer, Attributes, Reint } from '../../rpc/messages.js';
import { toAttr } from '../attr.js';
import { type ClientContext, fidOf, who } from '../context.js';
import { sealWrites } from '../seal.js';
import { attributesMs, entryOf, missingEntry } from '../validity.js';
import { create, tmpfile } from './create.js';
import { refusalOf, reserved } from './in-directory.js';

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

type Rename = Reint & { readonly op: 'rename' };

export function namespaceOperations(context: ClientContext): NamespaceHandlers {
  const { mds, files } = context;
  return {
    lookup: ({ nodeId, name, caller }, reply) => {
      const parent = fidOf(nodeId);
      mds.call('lookup', { parent, name }, (errno, attributes) => {
        // Its caller waits as long as there is no answer.
        context.accesses.lookedUp(parent, errno, caller);
        if (errno === Errno.ENOENT) {
          reply.entry(missingEntry(context, parent, name));
        } else if (attributes === undefined) reply.error(refusalOf(errno));
        else reply.entry(entryOf(context, parent, files.exact(attributes)));
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
      const parent = fidOf(nodeId);
      settle(context, parent, name, () =>
        remove(context, caller, { op: 'unlink', parent, name }, reply),
      );
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

function createChange(
  parent: number,
  name: FileName,
  mode: number,
  umask: number,
  rdev: number,
): Reint & { readonly op: 'create' } {
  return { op: 'create', parent: fidOf(parent), name, mode, umask, rdev, open: false };
}

function makeEntry(
  context: ClientContext,
  caller: Caller,
  asked: Reint & { readonly parent: Fid },
  reply: EntryReply,
): void {
  const { parent } = asked;
  context.mds.call('reint', { who: who(context, caller), change: asked }, (errno, result) => {
    if (result === undefined) reply.error(refusalOf(errno));
    else reply.entry(entryOf(context, parent, context.files.exact(result.attributes)));
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
    if (result === undefined) return reply.error(refusalOf(errno));
    changed(result.attributes);
    reply.ok();
  });
}

function rename(context: ClientContext, request: RenameRequest, reply: EmptyReply): void {
  const { nodeId, name, newParent, newName, flags, caller } = request;
  if (reserved(nodeId, name) || reserved(newParent, newName)) return reply.error(Errno.EPERM);
  const parent = fidOf(nodeId);
  const asked: Rename = { op: 'rename', parent, name, newParent: fidOf(newParent), newName, flags };
  settle(context, parent, name, () => {
    settle(context, asked.newParent, newName, () => {
      sealWrites(context);
      if (nodeId === newParent) remove(context, caller, asked, reply);
      else move(context, caller, asked, reply);
    });
  });
}

/** A rename from one directory to another. */
function move(context: ClientContext, caller: Caller, asked: Rename, reply: EmptyReply): void {
  const { parent, name, flags } = asked;
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

function link(context: ClientContext, request: LinkRequest, reply: EntryReply): void {
  const { nodeId, oldNodeId, name, caller } = request;
  if (reserved(nodeId, name)) return reply.error(Errno.EEXIST);
  const { mds, files, nameless } = context;
  const fid = fidOf(oldNodeId);
  const asked = { op: 'link', fid, parent: fidOf(nodeId), name } as const;
  const now = (): void => {
    mds.call('reint', { who: who(context, caller), change: asked }, (errno, result) => {
      if (result === undefined) return reply.error(refusalOf(errno));
      nameless.letGo(fid);
      reply.entry(entryOf(context, asked.parent, files.exact(result.attributes)));
    });
  };
  sealWrites(context);
  const file = files.find(fid);
  // The first name of a file tells the feeds of its contents, so they are recorded before.
  if (file?.dirty === true) files.record(file, now);
  else now();
}

/**
 * Before a name goes, or comes to mean something else: what was written to its object is
 * part of its last attributes, and is recorded while filters still find it there. What lies
 * below a directory has its place by it.
 */
function settle(
  { mds, files }: ClientContext,
  parent: Fid,
  name: FileName,
  next: () => void,
): void {
  if (!files.anyDirty) return next();
  mds.call('lookup', { parent, name }, (_errno, attributes) => {
    // The records are sent first, so they are made first.
    if (attributes !== undefined && isDirectory(attributes.mode)) files.recordAll();
    const file = attributes && files.find(attributes.fid);
    if (file?.dirty === true) files.record(file);
    next();
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
      const validMs = attributesMs(context, attributes);
      reply.attr(toAttr(context.files.exact(attributes)), validMs);
    }
  };
}
