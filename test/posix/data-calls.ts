/** System calls on file contents, of {@link file://./libc.ts}'s kind: failures throw a SyscallError. */
import koffi from 'koffi';
import { SyscallError } from './libc.js';

const libc = koffi.load('libc.so.6');

export const FALLOC_FL_ZERO_RANGE = 16;
export const PUNCH_HOLE_KEEP_SIZE = 3;
export const O_NOATIME = 0o1000000;

const c = {
  copyFileRange: libc.func('int64_t copy_file_range(int, void *, int, void *, size_t, uint)'),
  fallocate: libc.func('int fallocate(int, int, int64_t, int64_t)'),
  ftruncate: libc.func('int ftruncate(int, int64_t)'),
  lseek: libc.func('int64_t lseek(int, int64_t, int)'),
  pread: libc.func('int64_t pread(int, void *, size_t, int64_t)'),
  pwrite: libc.func('int64_t pwrite(int, const void *, size_t, int64_t)'),
};

function checked(call: string, result: number | bigint): bigint {
  if (result < 0) throw new SyscallError(call, koffi.errno());
  return BigInt(result);
}

/** How much was copied. */
export function copyFileRange(
  fdIn: number,
  offsetIn: number,
  fdOut: number,
  offsetOut: number,
  length: number,
): number {
  const from = BigInt64Array.of(BigInt(offsetIn));
  const to = BigInt64Array.of(BigInt(offsetOut));
  return Number(checked('copy_file_range', c.copyFileRange(fdIn, from, fdOut, to, length, 0)));
}

/** Offsets and lengths over all 64 bits. */
export const big = {
  fallocate: (fd: number, mode: number, offset: bigint, length: bigint): void =>
    void checked('fallocate', c.fallocate(fd, mode, offset, length)),
  ftruncate: (fd: number, size: bigint): void => void checked('ftruncate', c.ftruncate(fd, size)),
  lseek: (fd: number, offset: bigint, whence: number): bigint =>
    checked('lseek', c.lseek(fd, offset, whence)),
  pread: (fd: number, length: number, offset: bigint): number =>
    Number(checked('pread', c.pread(fd, Buffer.alloc(length), length, offset))),
  pwrite: (fd: number, bytes: Uint8Array, offset: bigint): number =>
    Number(checked('pwrite', c.pwrite(fd, bytes, bytes.length, offset))),
};
