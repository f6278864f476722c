/** Operations on regular files and on attributes. */
import { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import type {
  AttrReply,
  Caller,
  Handlers,
  InterruptibleDataReply,
  OpenReply,
  OpenRequest,
  ReadRequest,
  SetattrRequest,
  WriteReply,
  WriteRequest,
} from '../../fuse/api.js';
import { FOPEN_KEEP_CACHE, FOPEN_NOFLUSH } from '../../fuse/wire/abi.js';
import { FILE_BYTES_MAX } from '../../rpc/limits.js';
import type { Answer, AttributeChange, Attributes, Credentials } from '../../rpc/messages.js';
import { attrValidMs, toAttr } from '../attr.js';
import { type ClientContext, fidOf, who } from '../context.js';
import type { FileState } from '../file-state.js';
import { sealWrites } from '../seal.js';
import { answerAttr, finish } from './namespace.js';
import { mayTakePrivileges, modeWithoutGroupBit } from './set-id.js';

type FileHandlers = Required<
  Pick<Handlers, 'getattr' | 'setattr' | 'open' | 'read' | 'write' | 'release' | 'fsync' | 'lseek'>
>;

const O_ACCMODE = 0o3;
const O_TRUNC = 0o1000;

/** The kernel caches pages across opens, and needs no FLUSH: the record is made at release. */
export const OPEN_FLAGS = FOPEN_KEEP_CACHE | FOPEN_NOFLUSH;

/** Registers an open of a regular file; returns its handle. */
export function startFile(
  context: ClientContext,
  attributes: Attributes,
  contents: Uint8Array | undefined,
  flags: number,
  opener: Caller,
): number {
  const file = context.files.acquire(attributes, contents);
  const writer = (flags & O_ACCMODE) === 0 ? undefined : who(context, opener);
  if (writer !== undefined) file.writers++;
  return context.opens.add({ kind: 'file', fid: attributes.fid, file, flags, writer });
}

export function fileOperations(context: ClientContext): FileHandlers {
  const { mds, files, opens, accesses } = context;
  const fileOf = (fh: number): FileState | undefined => {
    const open = opens.get(fh);
    return open?.kind === 'file' ? open.file : undefined;
  };
  return {
    getattr: ({ nodeId, fh, caller }, reply) => {
      const answer = answerAttr(context, reply);
      mds.call('getattr', { fid: fidOf(nodeId) }, (errno, attributes) => {
        // Its caller waits as long as there is no answer.
        if (attributes !== undefined && fh === undefined) accesses.getattr(attributes, caller);
        answer(errno, attributes);
      });
    },
    setattr: (request, reply) => setattr(context, request, reply),
    open: (request, reply) => open(context, request, reply),
    read: (request, reply) => read(context, request, reply),
    write: (request, reply) => write(context, request, reply),
    release: ({ fh }, reply) => {
      closeFile(context, fh);
      reply.ok();
    },
    fsync: ({ fh }, reply) => {
      const file = fileOf(fh);
      if (file === undefined) return reply.error(Errno.EBADF);
      files.record(file, (errno) => {
        if (errno !== 0) reply.error(errno);
        else mds.call('sync', undefined, (failed) => finish(failed, reply));
      });
    },
    lseek: ({ fh, offset, whence }, reply) => {
      const file = fileOf(fh);
      if (file === undefined) return reply.error(Errno.EBADF);
      reply.offset(files.data.seek(file, offset, whence === 3 ? 'data' : 'hole'));
    },
  };
}

/** Takes back {@link startFile}, and tells of the close if the open was told of. */
export function closeFile(context: ClientContext, fh: number): void {
  const { mds, files, opens, accesses } = context;
  const closed = opens.remove(fh);
  if (closed?.kind !== 'file') return;
  if (closed.writer !== undefined) files.closeWriter(closed.file);
  files.release(closed.file);
  mds.call('close', { fid: closed.fid }, () => {});
  accesses.closed(fh);
}

function open(
  context: ClientContext,
  { nodeId, flags, caller, killSuidgid }: OpenRequest,
  reply: OpenReply,
): void {
  const { mds, files } = context;
  const fid = fidOf(nodeId);
  const writes = (flags & (O_ACCMODE | O_TRUNC)) !== 0;
  if (writes && context.replica.active) return reply.error(Errno.EROFS);
  mds.call('open', { fid }, (errno, opened) => {
    if (opened === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
    const { attributes, contents } = opened;
    const fh = startFile(context, attributes, contents, flags, caller);
    const started = context.opens.get(fh);
    if (started?.kind !== 'file') return reply.error(Errno.EIO);
    const keeps = context.accessTimes.opened(started.file, attributes, flags);
    const cached = keeps && !context.replica.hasOldPages;
    const granted = { fh, flags: cached ? OPEN_FLAGS : FOPEN_NOFLUSH };
    const done = (failed: Errno | 0): void => {
      if (failed === 0) return reply.open(granted);
      closeFile(context, fh);
      reply.error(failed);
    };
    // First, because an open that must not happen must not change anything.
    context.accesses.opened(fh, attributes, flags, caller, (refused) => {
      if (refused !== 0 || (flags & O_TRUNC) === 0) return done(refused);
      const mode = killSuidgid ? modeWithoutGroupBit(context, fid, caller) : undefined;
      const change = { size: 0, mode, killSuidgid };
      files.setSize(started.file, who(context, caller), change, done);
    });
  });
}

function read(
  { opens, files, accessTimes }: ClientContext,
  { fh, offset, size, flags }: ReadRequest,
  reply: InterruptibleDataReply,
): void {
  const opened = opens.get(fh);
  if (opened?.kind !== 'file') return reply.error(Errno.EBADF);
  accessTimes.read(opened.file, flags);
  reply.filled(files.data.read(opened.file, offset, reply.room(size)));
}

function write(context: ClientContext, request: WriteRequest, reply: WriteReply): void {
  const { fh, offset, data, killSuidgid, fromCache, caller } = request;
  const opened = context.opens.get(fh);
  if (opened?.kind !== 'file') return reply.error(Errno.EBADF);
  // As much as may be, like any write that reaches a limit.
  const room = FILE_BYTES_MAX - offset;
  if (room <= 0) return reply.error(Errno.EFBIG);
  const part = data.byteLength > room ? data.subarray(0, room) : data;
  // Nobody in particular writes back a mapping: it counts as the one who opened the file.
  const writer = fromCache ? opened.writer : undefined;
  const author = { who: writer ?? who(context, caller), killSuidgid };
  const { file } = opened;
  const done = (errno: Errno | 0, count: number): void => {
    // A short write is no error, but nobody would write the rest of a mapping again.
    if (errno === 0 || (count > 0 && !fromCache)) reply.written(count);
    else reply.error(errno);
  };
  const mode = killSuidgid ? modeWithoutGroupBit(context, file.fid, caller) : undefined;
  if (mode === undefined) return context.files.write(file, offset, part, author, done);
  // The request's data are gone once this has returned.
  const kept = Uint8Array.from(part);
  changeAttributes(context, file.fid, author.who, { mode }, (errno) => {
    if (errno !== 0) reply.error(errno);
    else context.files.write(file, offset, kept, author, done);
  });
}

/** Anything but the size. Written data come first: the times are newer than the write's. */
function changeAttributes(
  context: ClientContext,
  fid: Fid,
  credentials: Credentials,
  change: AttributeChange,
  done: Answer<'getattr'>,
): void {
  const { mds, files } = context;
  const { mode, uid, gid } = change;
  if (mode !== undefined || uid !== undefined || gid !== undefined) sealWrites(context);
  const file = files.find(fid);
  if (file !== undefined) file.accessed = false;
  if (file?.dirty === true) files.record(file);
  const asked = { who: credentials, change: { op: 'setattr', fid, change } } as const;
  mds.call('reint', asked, (errno, result) => done(errno, result?.attributes));
}

function setattr(context: ClientContext, request: SetattrRequest, reply: AttrReply): void {
  const { mds, files } = context;
  const { nodeId, caller, uid, gid, size, atime, mtime } = request;
  const credentials = who(context, caller);
  const fid = fidOf(nodeId);
  // Asked for nothing: a chown that keeps both owners, or fallocate. Set-id bits go.
  const nothing = [request.mode, uid, gid, size, atime, mtime].every((one) => one === undefined);
  if (nothing && !mayTakePrivileges(context, fid, caller, 'set-id bits')) {
    return reply.error(Errno.EPERM);
  }
  const killSuidgid = request.killSuidgid || nothing;
  let { mode } = request;
  if (killSuidgid) mode ??= modeWithoutGroupBit(context, fid, caller);
  const change = { mode, uid, gid, atime, mtime, killSuidgid };
  if (size !== undefined) {
    mds.call('getattr', { fid }, (errno, attributes) => {
      if (attributes === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
      const file = files.acquire(attributes);
      files.setSize(file, credentials, { ...change, size }, (failed, changed) => {
        if (changed === undefined) reply.error(failed === 0 ? Errno.EIO : failed);
        else reply.attr(toAttr(changed), attrValidMs(changed));
        files.release(file);
      });
    });
    return;
  }
  changeAttributes(context, fid, credentials, change, answerAttr(context, reply));
}
