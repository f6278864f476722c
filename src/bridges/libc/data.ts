/** System calls on contents and disks. A call returns the result or the negative errno. */
import type { KoffiFunc } from 'koffi';
import * as sys from '../../consumer/syscalls.js';
import { type Bytes, bind, result } from './binding.js';

const pwriteCall = bind<(fd: number, bytes: Bytes, size: number, offset: number) => number>(
  'int64_t pwrite(int fd, const void *bytes, size_t size, int64_t offset)',
);
export function pwrite(fd: number, bytes: Bytes, offset: number): number {
  return result(pwriteCall(fd, bytes, bytes.length, offset));
}

export function pread(fd: number, into: Bytes, offset: number): number {
  return result(sys.pread(fd, into, into.length, offset));
}

const ftruncateCall = bind<(fd: number, size: number) => number>(
  'int ftruncate(int fd, int64_t size)',
);
export function ftruncate(fd: number, size: number): number {
  return result(ftruncateCall(fd, size));
}

const PUNCH_HOLE = sys.FALLOC_FL_PUNCH_HOLE | sys.FALLOC_FL_KEEP_SIZE;
export function punchHole(fd: number, offset: number, length: number): number {
  return result(sys.fallocate(fd, PUNCH_HOLE, offset, length));
}

const syncfsCall = bind<KoffiFunc<(fd: number) => number>>('int syncfs(int fd)');
/** syncfs(2) off this thread. Resolves to 0 or the negative errno. */
export function syncfs(fd: number): Promise<number> {
  return new Promise((resolve, reject) => {
    syncfsCall.async(fd, (error, value) => {
      if (error) reject(error);
      else resolve(result(value));
    });
  });
}
