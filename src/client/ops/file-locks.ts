/** flock(2) and fcntl(2) locks beside other mounts. A mount that is alone leaves them to its kernel. */
import { Errno } from '../../base/errno.js';
import type {
  EmptyReply,
  FileLock,
  Handlers,
  InterruptibleEmptyReply,
  LockRequest,
} from '../../fuse/api.js';
import { FILE_LOCK_END } from '../../rpc/file-locks.js';
import type { FileLockWanted } from '../../rpc/messages.js';
import { type ClientContext, fidOf } from '../context.js';
import { finish } from './namespace.js';

type LockHandlers = Pick<Handlers, 'getlk' | 'setlk' | 'setlkw' | 'flush'>;

const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;

/** The kernel's end of a lock that has none (OFFSET_MAX). */
const OFFSET_MAX = (1n << 63n) - 1n;

/** None of them where there are no other mounts: the kernel takes that from their absence. */
export function fileLockOperations(context: ClientContext): LockHandlers {
  if (!context.coherence.shared) return {};
  const { opens, fileLocks } = context;
  return {
    getlk: (request, reply) => {
      fileLocks.test(wantedOf(request), (errno, found) => {
        if (found === undefined) reply.error(errno === 0 ? Errno.EIO : errno);
        else reply.lock(found.type === 'none' ? NO_LOCK : lockOf(found));
      });
    },
    setlk: (request, reply) => setLock(context, request, reply),
    setlkw: (request, reply) => setLockAndWait(context, request, reply),
    flush: ({ nodeId, fh, lockOwner }, reply) => {
      if (opens.isLost(fh)) return reply.error(Errno.EIO);
      fileLocks.flushed(fidOf(nodeId), lockOwner, (errno) => finish(errno, reply));
    },
  };
}

function setLock(
  { opens, fileLocks }: ClientContext,
  request: LockRequest,
  reply: EmptyReply,
): void {
  if (opens.isLost(request.fh)) return reply.error(Errno.EIO);
  fileLocks.take(request.fh, wantedOf(request), false, (errno) => finish(errno, reply));
}

function setLockAndWait(
  { opens, fileLocks }: ClientContext,
  request: LockRequest,
  reply: InterruptibleEmptyReply,
): void {
  if (opens.isLost(request.fh)) return reply.error(Errno.EIO);
  const giveUp = fileLocks.take(request.fh, wantedOf(request), true, (errno) => {
    if (!reply.answered) finish(errno, reply);
  });
  if (reply.answered) return;
  reply.onInterrupt(() => {
    giveUp();
    if (!reply.answered) reply.error(Errno.EINTR);
  });
}

/** What there is no lock in the way of. */
const NO_LOCK: FileLock = { start: 0n, end: 0n, type: F_UNLCK, pid: 0 };

function lockOf({ type, start, end, pid }: FileLockWanted): FileLock {
  return {
    start: BigInt(start),
    end: end >= FILE_LOCK_END ? OFFSET_MAX : BigInt(end),
    type: type === 'exclusive' ? F_WRLCK : F_RDLCK,
    pid,
  };
}

/** Positions that no file can have (the largest is FILE_BYTES_MAX) all stand for the end. */
function wantedOf({ nodeId, owner, flock, lock }: LockRequest): FileLockWanted {
  const { start, end, type, pid } = lock;
  return {
    fid: fidOf(nodeId),
    owner,
    flock,
    type: type === F_UNLCK ? 'none' : type === F_WRLCK ? 'exclusive' : 'shared',
    start: flock ? 0 : position(start),
    end: flock ? FILE_LOCK_END : position(end),
    pid,
  };
}

function position(value: bigint): number {
  return value >= BigInt(FILE_LOCK_END) ? FILE_LOCK_END : Number(value);
}
