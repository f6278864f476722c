/** Files that are made and opened at once: with a name, or without one. */
import { Errno } from '../../base/errno.js';
import { S_IFREG } from '../../base/mode.js';
import type { CreateReply, CreateRequest, TmpfileRequest } from '../../fuse/api.js';
import type { Reint } from '../../rpc/messages.js';
import { type ClientContext, fidOf, who } from '../context.js';
import { CREATE_TRIES_MAX } from '../limits.js';
import { entryOf } from '../validity.js';
import { closeFile, openFlags, startNewFile } from './files.js';
import { refusalOf, reserved } from './in-directory.js';

const O_EXCL = 0o200;

export function create(
  context: ClientContext,
  request: CreateRequest,
  reply: CreateReply,
  tries = CREATE_TRIES_MAX,
): void {
  const { nodeId, name, mode, umask, caller, flags } = request;
  if (reserved(nodeId, name)) return reply.error(Errno.EEXIST);
  const parent = fidOf(nodeId);
  const asked: Reint = {
    op: 'create',
    parent,
    name,
    mode: S_IFREG | (mode & 0o7777),
    umask,
    rdev: 0,
    open: true,
  };
  context.mds.call('reint', { who: who(context, caller), change: asked }, (errno, result) => {
    if (result === undefined) {
      const opens = context.coherence.shared && (flags & O_EXCL) === 0;
      if (errno !== Errno.EEXIST || !opens) return reply.error(refusalOf(errno));
      return createUnlessThere(context, request, reply, tries - 1);
    }
    const { attributes } = result;
    const fh = startNewFile(context, attributes, flags, caller);
    context.accesses.opened(fh, attributes, flags, caller, (refused) => {
      if (refused === 0)
        return reply.created(entryOf(context, parent, attributes), {
          fh,
          flags: openFlags(context, attributes.fid, flags, true),
        });
      closeFile(context, fh);
      reply.error(refused);
    });
  });
}

/**
 * Somebody else had made it since the kernel looked. If it is there, the kernel is to look again
 * (do_filp_open() in fs/namei.c), and to open it with its own checks of permission, which there
 * are none of in a create. If it is gone by now, it is made after all.
 */
function createUnlessThere(
  context: ClientContext,
  request: CreateRequest,
  reply: CreateReply,
  tries: number,
): void {
  const asked = { parent: fidOf(request.nodeId), name: request.name };
  context.mds.call('lookup', asked, (errno) => {
    if (errno === Errno.ENOENT && tries > 0) create(context, request, reply, tries);
    else reply.error(errno === 0 || errno === Errno.ENOENT ? Errno.ESTALE : refusalOf(errno));
  });
}

/** A file without a name: the kernel holds it as it does one that lost its last. */
export function tmpfile(context: ClientContext, request: TmpfileRequest, reply: CreateReply): void {
  const { nodeId, mode, umask, caller, flags } = request;
  const linkable = (flags & O_EXCL) === 0;
  const change = { op: 'tmpfile', parent: fidOf(nodeId), mode, umask, linkable } as const;
  const asked = { who: who(context, caller), change, keepsNameless: true };
  context.mds.call('reint', asked, (errno, result) => {
    if (result === undefined) return reply.error(refusalOf(errno));
    const { attributes, kept } = result;
    if (kept !== undefined) context.nameless.keep(kept);
    else context.nameless.made(attributes.fid);
    const fh = startNewFile(context, attributes, flags, caller);
    reply.created(entryOf(context, change.parent, attributes), {
      fh,
      flags: openFlags(context, attributes.fid, flags, true),
    });
  });
}
