/**
 * What names a filesystem, wherever and whenever it is mounted: its f_fsid. Filesystems that
 * make theirs of the device's number, which is another one after the next boot, have none.
 */
import * as fs from 'node:fs';
import { type Bytes, bind, result } from '../../libc/binding.js';

const fstatvfs = bind<(fd: number, into: Bytes) => number>('int fstatvfs(int fd, void *into)');
/** struct statvfs: f_fsid is an unsigned long behind eight others (sys/statvfs.h). */
const bytes = Buffer.alloc(256);
const FSID_AT = 64;

/** Of that on which the descriptor (O_PATH, too) is; undefined: it has none. */
export function filesystemIdentity(fd: number): string | undefined {
  if (result(fstatvfs(fd, bytes)) < 0) return undefined;
  return identityIn(bytes, fs.fstatSync(fd, { bigint: true }).dev);
}

/** `dev`: of its files, as stat(2) tells it. */
export function identityIn(statvfs: Buffer, dev: bigint): string | undefined {
  const id = statvfs.readBigUInt64LE(FSID_AT);
  return id === 0n || id === dev ? undefined : id.toString(16).padStart(16, '0');
}
