/** What statfs(2) tells of a mount: what can really be stored. */
import type { FilesystemUse } from '../rpc/messages.js';
import { RESERVE_BYTES } from '../store/limits.js';
import type { Store } from '../store/store.js';

/** Of the disk that holds the store, in blocks of `bsize` bytes. */
export interface DiskUse {
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly bsize: number;
}

/** An inode without contents takes about this much of the store. */
const INODE_BYTES = 512;

/**
 * Blocks are what contents of any size can have: the disk's, less the reserve, which is
 * nobody's to use. Names and small contents may also use what is free inside LMDB's file.
 */
export function filesystemUse(
  store: Pick<Store, 'freeBytes'>,
  disk: DiskUse,
  inodes: number,
): FilesystemUse {
  const { blocks, bsize } = disk;
  const reserve = Math.ceil(RESERVE_BYTES / bsize);
  const smallFree = Math.max(0, store.freeBytes() - RESERVE_BYTES);
  const ffree = Math.floor(smallFree / INODE_BYTES);
  const bfree = Math.max(0, disk.bfree - reserve);
  const bavail = Math.max(0, disk.bavail - reserve);
  return { blocks, bsize, bfree, bavail, files: inodes + ffree, ffree, smallFree };
}
