/** What statfs(2) tells of a mount: what can really be stored. */
import type { FilesystemUse } from '../rpc/messages.js';
import { RESERVE_BYTES } from '../store/limits.js';
import type { Store } from '../store/store.js';

/** Of the disk that holds the store. */
export interface DiskUse {
  readonly blocks: number;
  readonly bsize: number;
}

/** An inode without contents takes about this much of the store. */
const INODE_BYTES = 512;

/** The reserve is nobody's to use, and what LMDB's file has free inside can be used. */
export function filesystemUse(store: Store, disk: DiskUse, inodes: number): FilesystemUse {
  const free = Math.max(0, store.freeBytes() - RESERVE_BYTES);
  const bavail = Math.floor(free / disk.bsize);
  const ffree = Math.floor(free / INODE_BYTES);
  return { ...disk, bfree: bavail, bavail, files: inodes + ffree, ffree };
}
