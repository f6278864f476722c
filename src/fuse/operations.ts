/**
 * The table of operations: for each opcode its name, how its request is
 * decoded, which handler takes it and what kind of reply that handler gets.
 * Typed as a complete record: an opcode without an entry does not compile.
 */
import { AssertionError } from '../base/assert.js';
import { Errno } from '../base/errno.js';
import type { ForgetItem, Handlers } from './api.js';
import { IO_BYTES_MAX, IOCTL_BYTES_MAX, SYMLINK_BYTES_MAX } from './limits.js';
import type { PendingReply, ReplySink } from './pending-reply.js';
import {
  AttrReply,
  CreateReply,
  DataReply,
  DirectoryPlusReply,
  DirectoryReply,
  EmptyReply,
  EntryReply,
  IoctlReply,
  LockReply,
  LseekReply,
  OpenReply,
  PollReply,
  StatfsReply,
  WriteReply,
  XattrReply,
} from './reply.js';
import { Opcode } from './wire/abi.js';
import * as decode from './wire/decode.js';
import type { Message } from './wire/message.js';

/** What an operation needs of the session. */
export interface Exchange extends ReplySink {
  readonly handlers: Handlers;
  /** Answers the request in hand with an error and no reply object. */
  refuse(request: Message, errno: Errno): void;
  /** Something threw while `operation` was served; `reply` is missing if it never got that far. */
  failed(request: Message, operation: string, error: unknown, reply?: PendingReply): void;
  park(reply: PendingReply): void;
  /** Requests about the connection itself. */
  init(request: Message): void;
  interrupt(request: Message, unique: number): void;
}

export interface Operation {
  readonly name: string;
  run(request: Message, exchange: Exchange): void;
}

type HandlerName = Exclude<keyof Handlers, 'forget' | 'destroy'>;
type Handler<K extends HandlerName> = NonNullable<Handlers[K]>;
type RequestOf<K extends HandlerName> = Parameters<Handler<K>>[0];
type ReplyOf<K extends HandlerName> = Parameters<Handler<K>>[1];

/** An operation that a handler answers, now or later. */
function served<K extends HandlerName>(
  name: string,
  key: K,
  decodeRequest: (message: Message) => RequestOf<K>,
  makeReply: (
    sink: ReplySink,
    message: Message,
    request: RequestOf<K>,
  ) => PendingReply & ReplyOf<K>,
): Operation {
  return {
    name,
    run(message, exchange) {
      const handler = exchange.handlers[key] as
        | ((request: RequestOf<K>, reply: ReplyOf<K>) => void)
        | undefined;
      if (handler === undefined) return exchange.refuse(message, Errno.ENOSYS);
      let reply: (PendingReply & ReplyOf<K>) | undefined;
      try {
        const request = decodeRequest(message);
        reply = makeReply(exchange, message, request);
        handler.call(exchange.handlers, request, reply);
        if (!reply.answered) exchange.park(reply);
      } catch (error) {
        exchange.failed(message, name, error, reply);
      }
    },
  };
}

/** Operations of virtio-fs and block-backed filesystems: the kernel accepts ENOSYS for good. */
function unsupported(name: string): Operation {
  return { name, run: (message, exchange) => exchange.refuse(message, Errno.ENOSYS) };
}

/** FORGET and BATCH_FORGET have no answer, so a bad one can only be logged. */
function forgetting(name: string, decodeItems: (message: Message) => ForgetItem[]): Operation {
  return {
    name,
    run(message, exchange) {
      try {
        exchange.handlers.forget?.(decodeItems(message));
      } catch (error) {
        exchange.failed(message, name, error);
      }
    },
  };
}

const empty = (sink: ReplySink, m: Message) => new EmptyReply(sink, m);
const entry = (sink: ReplySink, m: Message) => new EntryReply(sink, m);
const attr = (sink: ReplySink, m: Message) => new AttrReply(sink, m);
const open = (sink: ReplySink, m: Message) => new OpenReply(sink, m);
const created = (sink: ReplySink, m: Message) => new CreateReply(sink, m);
const written = (sink: ReplySink, m: Message) => new WriteReply(sink, m);
const sized = (sink: ReplySink, m: Message, { size }: { size: number }) =>
  new DataReply(sink, m, Math.min(size, IO_BYTES_MAX));
const xattr = (sink: ReplySink, m: Message, { size }: { size: number }) =>
  new XattrReply(sink, m, Math.min(size, IO_BYTES_MAX));

export const OPERATIONS: Readonly<Record<Opcode, Operation>> = {
  [Opcode.LOOKUP]: served('LOOKUP', 'lookup', decode.decodeName, entry),
  [Opcode.FORGET]: forgetting('FORGET', decode.decodeForget),
  [Opcode.GETATTR]: served('GETATTR', 'getattr', decode.decodeGetattr, attr),
  [Opcode.SETATTR]: served('SETATTR', 'setattr', decode.decodeSetattr, attr),
  [Opcode.READLINK]: served(
    'READLINK',
    'readlink',
    decode.decodeEmpty,
    (sink, m) => new DataReply(sink, m, SYMLINK_BYTES_MAX),
  ),
  [Opcode.SYMLINK]: served('SYMLINK', 'symlink', decode.decodeSymlink, entry),
  [Opcode.MKNOD]: served('MKNOD', 'mknod', decode.decodeMknod, entry),
  [Opcode.MKDIR]: served('MKDIR', 'mkdir', decode.decodeMkdir, entry),
  [Opcode.UNLINK]: served('UNLINK', 'unlink', decode.decodeName, empty),
  [Opcode.RMDIR]: served('RMDIR', 'rmdir', decode.decodeName, empty),
  [Opcode.RENAME]: served('RENAME', 'rename', decode.decodeRename, empty),
  [Opcode.LINK]: served('LINK', 'link', decode.decodeLink, entry),
  [Opcode.OPEN]: served('OPEN', 'open', decode.decodeOpen, open),
  [Opcode.READ]: served('READ', 'read', decode.decodeRead, sized),
  [Opcode.WRITE]: served('WRITE', 'write', decode.decodeWrite, written),
  [Opcode.STATFS]: served(
    'STATFS',
    'statfs',
    decode.decodeEmpty,
    (sink, m) => new StatfsReply(sink, m),
  ),
  [Opcode.RELEASE]: served('RELEASE', 'release', decode.decodeRelease, empty),
  [Opcode.FSYNC]: served('FSYNC', 'fsync', decode.decodeFsync, empty),
  [Opcode.SETXATTR]: served('SETXATTR', 'setxattr', decode.decodeSetxattr, empty),
  [Opcode.GETXATTR]: served('GETXATTR', 'getxattr', decode.decodeGetxattr, xattr),
  [Opcode.LISTXATTR]: served('LISTXATTR', 'listxattr', decode.decodeListxattr, xattr),
  [Opcode.REMOVEXATTR]: served('REMOVEXATTR', 'removexattr', decode.decodeName, empty),
  [Opcode.FLUSH]: served('FLUSH', 'flush', decode.decodeFlush, empty),
  [Opcode.INIT]: { name: 'INIT', run: (message, exchange) => exchange.init(message) },
  [Opcode.OPENDIR]: served('OPENDIR', 'opendir', decode.decodeOpen, open),
  [Opcode.READDIR]: served(
    'READDIR',
    'readdir',
    decode.decodeReaddir,
    (sink, m, { size }) => new DirectoryReply(sink, m, size),
  ),
  [Opcode.RELEASEDIR]: served('RELEASEDIR', 'releasedir', decode.decodeRelease, empty),
  [Opcode.FSYNCDIR]: served('FSYNCDIR', 'fsyncdir', decode.decodeFsync, empty),
  [Opcode.GETLK]: served('GETLK', 'getlk', decode.decodeLock, (sink, m) => new LockReply(sink, m)),
  [Opcode.SETLK]: served('SETLK', 'setlk', decode.decodeLock, empty),
  [Opcode.SETLKW]: served('SETLKW', 'setlkw', decode.decodeLock, empty),
  [Opcode.ACCESS]: served('ACCESS', 'access', decode.decodeAccess, empty),
  [Opcode.CREATE]: served('CREATE', 'create', decode.decodeCreate, created),
  [Opcode.INTERRUPT]: {
    name: 'INTERRUPT',
    run(message, exchange) {
      try {
        exchange.interrupt(message, decode.decodeInterrupt(message));
      } catch (error) {
        exchange.failed(message, 'INTERRUPT', error);
      }
    },
  },
  [Opcode.BMAP]: unsupported('BMAP'),
  [Opcode.DESTROY]: {
    name: 'DESTROY',
    // The answer lets umount(2) return; the end of the connection follows by itself.
    run: (message, exchange) => new EmptyReply(exchange, message).ok(),
  },
  [Opcode.IOCTL]: served(
    'IOCTL',
    'ioctl',
    decode.decodeIoctl,
    (sink, m, { outputSize }) => new IoctlReply(sink, m, Math.min(outputSize, IOCTL_BYTES_MAX)),
  ),
  [Opcode.POLL]: served('POLL', 'poll', decode.decodePoll, (sink, m) => new PollReply(sink, m)),
  // Only RETRIEVE, which the session never sends, is answered by one; it takes no answer itself.
  [Opcode.NOTIFY_REPLY]: {
    name: 'NOTIFY_REPLY',
    run(message, exchange) {
      exchange.failed(message, 'NOTIFY_REPLY', new AssertionError('nothing was retrieved'));
    },
  },
  [Opcode.BATCH_FORGET]: forgetting('BATCH_FORGET', decode.decodeBatchForget),
  [Opcode.FALLOCATE]: served('FALLOCATE', 'fallocate', decode.decodeFallocate, empty),
  [Opcode.READDIRPLUS]: served(
    'READDIRPLUS',
    'readdirplus',
    decode.decodeReaddir,
    (sink, m, { size }) => new DirectoryPlusReply(sink, m, size),
  ),
  [Opcode.RENAME2]: served('RENAME2', 'rename', decode.decodeRename2, empty),
  [Opcode.LSEEK]: served(
    'LSEEK',
    'lseek',
    decode.decodeLseek,
    (sink, m) => new LseekReply(sink, m),
  ),
  [Opcode.COPY_FILE_RANGE]: served(
    'COPY_FILE_RANGE',
    'copyFileRange',
    decode.decodeCopyFileRange,
    written,
  ),
  [Opcode.SETUPMAPPING]: unsupported('SETUPMAPPING'),
  [Opcode.REMOVEMAPPING]: unsupported('REMOVEMAPPING'),
  [Opcode.SYNCFS]: served('SYNCFS', 'syncfs', decode.decodeSyncfs, empty),
  [Opcode.TMPFILE]: served('TMPFILE', 'tmpfile', decode.decodeCreate, created),
  [Opcode.STATX]: unsupported('STATX'),
  [Opcode.COPY_FILE_RANGE_64]: served(
    'COPY_FILE_RANGE_64',
    'copyFileRange',
    decode.decodeCopyFileRange,
    written,
  ),
};

/** Requests that take no answer, whatever goes wrong with them. */
export const UNANSWERED: ReadonlySet<number> = new Set<number>([
  Opcode.FORGET,
  Opcode.BATCH_FORGET,
  Opcode.INTERRUPT,
  Opcode.NOTIFY_REPLY,
]);
