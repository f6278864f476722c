/** fcntl(2) locks, which Node does not offer. */
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const fcntlCall = libc.func('int fcntl(int fd, int command, void *lock)');

const F_SETLKW = 7;
const F_WRLCK = 1;
const F_UNLCK = 2;
const EINTR = 4;
/** struct flock: l_type i16, l_whence i16, padding, l_start i64, l_len i64, l_pid i32, padding. */
const FLOCK_BYTES = 32;

/** Locks the whole file for writing, and waits for it; or gives it back. */
export function posixLock(fd: number, type: 'exclusive' | 'none'): void {
  const lock = Buffer.alloc(FLOCK_BYTES);
  lock.writeInt16LE(type === 'none' ? F_UNLCK : F_WRLCK, 0);
  for (;;) {
    if (fcntlCall(fd, F_SETLKW, lock) === 0) return;
    const errno = koffi.errno();
    if (errno !== EINTR) throw new Error(`fcntl F_SETLKW: errno ${errno}`);
  }
}
