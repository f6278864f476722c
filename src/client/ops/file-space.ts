/** Space and ranges of regular files: fallocate, and copying from file to file. */
import { Errno } from '../../base/errno.js';
import type {
  Caller,
  CopyFileRangeRequest,
  EmptyReply,
  FallocateRequest,
  Handlers,
  WriteReply,
} from '../../fuse/api.js';
import { FILE_BYTES_MAX } from '../../rpc/limits.js';
import { type ClientContext, who } from '../context.js';
import type { Author, Done } from '../recorder.js';
import { finish } from './namespace.js';

type SpaceHandlers = Required<Pick<Handlers, 'fallocate' | 'copyFileRange'>>;

const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
const FALLOC_FL_ZERO_RANGE = 16;

export function fileSpaceOperations(context: ClientContext): SpaceHandlers {
  return {
    fallocate: (request, reply) => fallocate(context, request, reply),
    copyFileRange: (request, reply) => copy(context, request, reply),
  };
}

/** These requests do not say whether set-id bits must go: they do unless root asks. */
function authorOf(context: ClientContext, caller: Caller): Author {
  return { who: who(context, caller), killSuidgid: caller.uid !== 0 };
}

function fallocate(context: ClientContext, request: FallocateRequest, reply: EmptyReply): void {
  const { files, opens } = context;
  const { fh, offset, length, mode, caller } = request;
  const opened = opens.get(fh);
  if (opened?.kind !== 'file') return reply.error(Errno.EBADF);
  const { file } = opened;
  const author = authorOf(context, caller);
  const done: Done = (errno) => finish(errno, reply);
  if (mode === (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)) {
    // A hole may be asked for as far as there can be anything.
    const from = Math.min(offset, FILE_BYTES_MAX);
    const range = { offset: from, length: Math.min(length, FILE_BYTES_MAX - from) };
    return files.punch(file, range, author, done);
  }
  const keepSize = (mode & FALLOC_FL_KEEP_SIZE) !== 0;
  const kind = mode & ~FALLOC_FL_KEEP_SIZE;
  if (kind !== 0 && kind !== FALLOC_FL_ZERO_RANGE) return reply.error(Errno.EOPNOTSUPP);
  if (offset + length > FILE_BYTES_MAX) return reply.error(Errno.EFBIG);
  const range = { offset, length };
  if (kind === 0) files.allocate(file, range, keepSize, author, done);
  else files.zero(file, range, keepSize, author, done);
}

function copy(context: ClientContext, request: CopyFileRangeRequest, reply: WriteReply): void {
  const { fhIn, offsetIn, fhOut, offsetOut, length, flags, caller } = request;
  const from = context.opens.get(fhIn);
  const to = context.opens.get(fhOut);
  if (from?.kind !== 'file' || to?.kind !== 'file') return reply.error(Errno.EBADF);
  if (flags !== 0) return reply.error(Errno.EINVAL);
  if (offsetOut >= FILE_BYTES_MAX && length > 0) return reply.error(Errno.EFBIG);
  context.accessTimes.copied(from.file, from.flags);
  const range = { offset: offsetOut, length };
  const author = authorOf(context, caller);
  context.files.copy(from.file, offsetIn, to.file, range, author, (errno, count) => {
    if (errno === 0 || count > 0) reply.written(count);
    else reply.error(errno);
  });
}
