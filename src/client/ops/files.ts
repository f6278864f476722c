/** Operations on regular files and on attributes. */
import { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import type {
  Caller,
  Handlers,
  InterruptibleDataReply,
  OpenReply,
  OpenRequest,
  ReadRequest,
  WriteReply,
  WriteRequest,
} from '../../fuse/api.js';
import { FOPEN_DIRECT_IO, FOPEN_KEEP_CACHE, FOPEN_NOFLUSH } from '../../fuse/wire/abi.js';
import { FILE_BYTES_MAX } from '../../rpc/limits.js';
import type { Answer, Attributes } from '../../rpc/messages.js';
import { type ClientContext, fidOf, who } from '../context.js';
import type { FileState } from '../file-state.js';
import { changeAttributes, setattr } from './attributes.js';
import { answerAttr, finish } from './namespace.js';
import { mayHaveCapability, modeWithoutGroupBit, takeCapability } from './set-id.js';

type FileHandlers = Required<
  Pick<Handlers, 'getattr' | 'setattr' | 'open' | 'read' | 'write' | 'release' | 'fsync' | 'lseek'>
>;

const O_ACCMODE = 0o3;
const O_TRUNC = 0o1000;
const O_APPEND = 0o2000;
const SEEK_DATA = 3;

/** The kernel caches pages across opens, and needs no FLUSH: the record is made at release. */
const OPEN_FLAGS = FOPEN_KEEP_CACHE | FOPEN_NOFLUSH;

/**
 * What the kernel may do with an open. Beside other mounts a FLUSH gives locks back; pages are
 * cached where they are recalled when others change them; and who writes does so past them,
 * because the kernel, which drops pages at a recall, would wait for a cached write that waits
 * for the other mount. `keeps`: it may read from pages that it has.
 */
export function openFlags(
  { coherence }: Pick<ClientContext, 'coherence'>,
  fid: Fid,
  flags: number,
  keeps: boolean,
): number {
  if (!coherence.shared) return keeps ? OPEN_FLAGS : FOPEN_NOFLUSH;
  const cached = (flags & O_ACCMODE) === 0 && coherence.mayCache(fid);
  if (!cached) return FOPEN_DIRECT_IO;
  return keeps ? FOPEN_KEEP_CACHE : 0;
}

/** Registers an open of a regular file; returns its handle. */
function startFile(
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

/** {@link startFile} of one that was just made. */
export function startNewFile(
  context: ClientContext,
  attributes: Attributes,
  flags: number,
  opener: Caller,
): number {
  const fh = startFile(context, attributes, undefined, flags, opener);
  const file = context.files.find(attributes.fid);
  if (file !== undefined) file.hasNoCapability = true;
  return fh;
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
      const told: Answer<'getattr'> = (errno, attributes) => {
        // Its caller waits as long as there is no answer.
        if (attributes === undefined || fh !== undefined) return answer(errno, attributes);
        accesses.getattr(attributes, caller, () => answer(errno, attributes));
      };
      const fid = fidOf(nodeId);
      const known = context.coherence.knownAttributes(fid);
      if (known === undefined) mds.call('getattr', { fid }, told);
      else told(0, known);
    },
    setattr: (request, reply) => setattr(context, request, reply),
    open: (request, reply) => open(context, request, reply),
    read: (request, reply) => read(context, request, reply),
    write: (request, reply) => write(context, request, reply),
    release: ({ fh }, reply) => {
      context.fileLocks.released(fh);
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
      files.seek(file, offset, whence === SEEK_DATA ? 'data' : 'hole', (errno, found) => {
        if (errno === 0) reply.offset(found);
        else reply.error(errno);
      });
    },
  };
}

/** Takes back {@link startFile}, and tells of the close if the open was told of. */
export function closeFile(context: ClientContext, fh: number): void {
  const { mds, files, opens, accesses, nameless } = context;
  const closed = opens.remove(fh);
  if (closed?.kind !== 'file') return;
  if (closed.writer !== undefined) files.closeWriter(closed.file);
  files.release(closed.file);
  if (!closed.file.lost && !nameless.takesOver(closed.fid)) {
    mds.call('close', { fid: closed.fid }, () => {});
  }
  accesses.closed(fh);
}

function open(
  context: ClientContext,
  { nodeId, flags, caller, killSuidgid }: OpenRequest,
  reply: OpenReply,
): void {
  const { mds, files } = context;
  const fid = fidOf(nodeId);
  const write = (flags & (O_ACCMODE | O_TRUNC)) !== 0;
  if (write && context.replica.active) return reply.error(Errno.EROFS);
  mds.call('open', { fid, write, uid: caller.uid }, (errno, opened) => {
    if (opened === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
    const { attributes, contents } = opened;
    const fh = startFile(context, attributes, contents, flags, caller);
    const started = context.opens.get(fh);
    if (started?.kind !== 'file') return reply.error(Errno.EIO);
    const keeps = context.accessTimes.opened(started.file, attributes, flags);
    const cached = keeps && !context.replica.hasOldPages;
    const done = (failed: Errno | 0): void => {
      if (failed === 0) {
        return reply.open({ fh, flags: openFlags(context, fid, flags, cached) });
      }
      closeFile(context, fh);
      reply.error(failed);
    };
    // First, because an open that must not happen must not change anything.
    context.accesses.opened(fh, attributes, flags, caller, (refused) => {
      if (refused !== 0 || (flags & O_TRUNC) === 0) return done(refused);
      const cut = (mode: number | undefined): void => {
        const change = { size: 0, mode, killSuidgid };
        files.setSize(started.file, who(context, caller), change, done);
      };
      if (killSuidgid) modeWithoutGroupBit(context, fid, caller, cut);
      else cut(undefined);
    });
  });
}

function read(
  { opens, files, accessTimes, coherence }: ClientContext,
  { fh, offset, size, flags }: ReadRequest,
  reply: InterruptibleDataReply,
): void {
  const opened = opens.get(fh);
  if (opened?.kind !== 'file') return reply.error(Errno.EBADF);
  const { file } = opened;
  const room = (bytes: number): Uint8Array => reply.room(bytes);
  const fillsPages = coherence.shared && (opened.flags & O_ACCMODE) === 0;
  const ended = fillsPages ? coherence.reading(file.fid) : undefined;
  accessTimes.read(file, flags, () => {
    files.read(file, offset, size, room, (errno, count) => {
      if (errno !== 0) reply.error(errno);
      else reply.filled(count);
      if (ended === undefined) return;
      file.pagesGiven = true;
      ended();
    });
  });
}

function write(context: ClientContext, request: WriteRequest, reply: WriteReply): void {
  const { fh, offset, data, flags, killSuidgid, fromCache, caller } = request;
  const { files, coherence } = context;
  const opened = context.opens.get(fh);
  if (opened?.kind !== 'file') return reply.error(Errno.EBADF);
  // As much as may be, like any write that reaches a limit.
  const room = FILE_BYTES_MAX - offset;
  if (room <= 0) return reply.error(Errno.EFBIG);
  // The request's data are gone once this has returned.
  let part = data.byteLength > room ? data.subarray(0, room) : data;
  // Nobody in particular writes back a mapping: it counts as the one who opened the file.
  const writer = fromCache ? opened.writer : undefined;
  const author = { who: writer ?? who(context, caller), killSuidgid };
  const { file } = opened;
  const done = (errno: Errno | 0, count: number): void => {
    // A short write is no error, but nobody would write the rest of a mapping again.
    if (errno === 0 || (count > 0 && !fromCache)) reply.written(count);
    else reply.error(errno);
    // A page may have been read again after the kernel dropped it for this write.
    if (file.pagesGiven) dropPages(context, file);
  };
  const now = (): void => {
    if (!coherence.shared) files.write(file, offset, part, author, done);
    else if (fromCache) files.writeBack(file, offset, part, author, done);
    else if ((flags & O_APPEND) !== 0) files.append(file, part, author, done);
    else files.write(file, offset, part, author, done);
  };
  const takesCapability = coherence.shared && !fromCache && mayHaveCapability(context, file);
  if (!killSuidgid && !takesCapability) return now();
  let waits = false;
  const withMode = (mode: number | undefined): void => {
    if (mode === undefined) return now();
    if (!waits) part = Uint8Array.from(part);
    changeAttributes(context, file.fid, author.who, { mode }, (errno) => {
      if (errno !== 0) reply.error(errno);
      else now();
    });
  };
  const start = (): void => {
    if (killSuidgid) modeWithoutGroupBit(context, file.fid, caller, withMode);
    else now();
  };
  if (takesCapability) takeCapability(context, file, author.who, start);
  else start();
  waits = true;
  if (!reply.answered) part = Uint8Array.from(part);
}

/** The kernel may have pages of the file from before a change. */
function dropPages({ coherence }: ClientContext, file: FileState): void {
  file.pagesGiven = false;
  coherence.pagesGiven(file.fid);
}
