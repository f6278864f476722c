/** Operations on regular files and on attributes. */
import { Errno } from '../../base/errno.js';
import type {
  AttrReply,
  EmptyReply,
  FallocateRequest,
  Handlers,
  InterruptibleDataReply,
  OpenReply,
  OpenRequest,
  ReadRequest,
  SetattrRequest,
} from '../../fuse/api.js';
import { FOPEN_KEEP_CACHE, FOPEN_NOFLUSH } from '../../fuse/wire/abi.js';
import { FILE_BYTES_MAX } from '../../rpc/limits.js';
import type { Attributes } from '../../rpc/messages.js';
import { attrValidMs, toAttr } from '../attr.js';
import { type ClientContext, fidOf, who } from '../context.js';
import type { FileState } from '../file-state.js';
import { answerAttr, finish } from './namespace.js';

type FileHandlers = Required<
  Pick<
    Handlers,
    'getattr' | 'setattr' | 'open' | 'read' | 'write' | 'release' | 'fsync' | 'lseek' | 'fallocate'
  >
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
): number {
  const file = context.files.acquire(attributes, contents);
  const writes = (flags & O_ACCMODE) !== 0;
  if (writes) file.writers++;
  return context.opens.add({ kind: 'file', fid: attributes.fid, file, writes });
}

export function fileOperations(context: ClientContext): FileHandlers {
  const { mds, files, opens } = context;
  const fileOf = (fh: number): FileState | undefined => {
    const open = opens.get(fh);
    return open?.kind === 'file' ? open.file : undefined;
  };
  return {
    getattr: ({ nodeId }, reply) => {
      mds.call('getattr', { fid: fidOf(nodeId) }, answerAttr(context, reply));
    },
    setattr: (request, reply) => setattr(context, request, reply),
    open: (request, reply) => open(context, request, reply),
    read: (request, reply) => read(context, request, reply),
    write: ({ fh, offset, data, killSuidgid, caller }, reply) => {
      const file = fileOf(fh);
      if (file === undefined) return reply.error(Errno.EBADF);
      const { byteLength } = data;
      files.write(file, offset, data, { who: who(context, caller), killSuidgid }, (errno) => {
        if (errno === 0) reply.written(byteLength);
        else reply.error(errno);
      });
    },
    release: ({ fh }, reply) => {
      const closed = opens.remove(fh);
      if (closed?.kind === 'file') {
        if (closed.writes) files.closeWriter(closed.file);
        files.release(closed.file);
        mds.call('close', { fid: closed.fid }, () => {});
      }
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
    fallocate: (request, reply) => allocate(context, request, reply),
  };
}

function open(
  context: ClientContext,
  { nodeId, flags, caller, killSuidgid }: OpenRequest,
  reply: OpenReply,
): void {
  const { mds, files } = context;
  const fid = fidOf(nodeId);
  mds.call('open', { fid }, (errno, opened) => {
    if (opened === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
    const fh = startFile(context, opened.attributes, opened.contents, flags);
    const granted = { fh, flags: OPEN_FLAGS };
    if ((flags & O_TRUNC) === 0) return reply.open(granted);
    const started = context.opens.get(fh);
    if (started?.kind !== 'file') return reply.error(Errno.EIO);
    files.setSize(started.file, who(context, caller), { size: 0, killSuidgid }, (failed) => {
      if (failed === 0) return reply.open(granted);
      context.opens.remove(fh);
      if (started.writes) files.closeWriter(started.file);
      files.release(started.file);
      mds.call('close', { fid }, () => {});
      reply.error(failed);
    });
  });
}

function read(
  context: ClientContext,
  { fh, offset, size }: ReadRequest,
  reply: InterruptibleDataReply,
): void {
  const opened = context.opens.get(fh);
  if (opened?.kind !== 'file') return reply.error(Errno.EBADF);
  reply.filled(context.files.data.read(opened.file, offset, reply.room(size)));
}

const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;

/** Growing a file, setting space aside for it, punching holes. */
function allocate(
  context: ClientContext,
  { fh, offset, length, mode, caller }: FallocateRequest,
  reply: EmptyReply,
): void {
  const { files, opens } = context;
  const opened = opens.get(fh);
  if (opened?.kind !== 'file') return reply.error(Errno.EBADF);
  const credentials = who(context, caller);
  const { file } = opened;
  const end = offset + length;
  if (mode === (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)) {
    return files.punch(file, offset, length, credentials, (errno) => finish(errno, reply));
  }
  if (mode !== 0 && mode !== FALLOC_FL_KEEP_SIZE) return reply.error(Errno.EOPNOTSUPP);
  if (end > FILE_BYTES_MAX) return reply.error(Errno.EFBIG);
  files.data.reserve(file, offset, length);
  if (mode === FALLOC_FL_KEEP_SIZE || end <= file.size) return reply.ok();
  files.setSize(file, credentials, { size: end }, (errno) => finish(errno, reply));
}

function setattr(context: ClientContext, request: SetattrRequest, reply: AttrReply): void {
  const { mds, files } = context;
  const { nodeId, caller, mode, uid, gid, size, atime, mtime, killSuidgid } = request;
  const credentials = who(context, caller);
  const fid = fidOf(nodeId);
  if (size !== undefined) {
    const change = { mode, uid, gid, size, atime, mtime, killSuidgid };
    mds.call('getattr', { fid }, (errno, attributes) => {
      if (attributes === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
      const file = files.acquire(attributes);
      files.setSize(file, credentials, change, (failed, changed) => {
        if (changed === undefined) reply.error(failed === 0 ? Errno.EIO : failed);
        else reply.attr(toAttr(changed), attrValidMs(changed));
        files.release(file);
      });
    });
    return;
  }
  // Written data come first: the times asked for are newer than the write's.
  const file = files.find(fid);
  if (file?.dirty === true) files.record(file);
  const change = { mode, uid, gid, atime, mtime, killSuidgid };
  mds.call(
    'reint',
    { who: credentials, change: { op: 'setattr', fid, change } },
    (errno, result) => {
      answerAttr(context, reply)(errno, result?.attributes);
    },
  );
}
