/** From the server's attributes to the kernel's. */
import { isDirectory, isRegular, isSymlink, S_ISGID, S_ISUID } from '../base/mode.js';
import type { Attr, Entry } from '../fuse/api.js';
import type { Attributes } from '../rpc/messages.js';
import { DIRECTORY_VALID_MS, VALID_MS } from './limits.js';

const BLOCK_BYTES = 4_096;

export function toAttr(a: Attributes): Attr {
  return {
    ino: a.fid,
    size: isDirectory(a.mode) ? BLOCK_BYTES : a.size,
    blocks: isDirectory(a.mode) || isSymlink(a.mode) ? 0 : a.blocks,
    atime: a.atime,
    mtime: a.mtime,
    ctime: a.ctime,
    mode: a.mode,
    nlink: a.nlink,
    uid: a.uid,
    gid: a.gid,
    rdev: a.rdev,
    blksize: BLOCK_BYTES,
  };
}

/**
 * How long the kernel may keep attributes. A write by an ordinary user clears set-id
 * bits, and the kernel leaves its own copy of the mode as it was: it must ask again
 * before it runs such a file. Those of a directory it keeps for good: when it asks all the
 * same, somebody is being refused something (denied-opens.ts).
 */
export function attrValidMs({ mode }: Attributes): number {
  if (isDirectory(mode)) return DIRECTORY_VALID_MS;
  return isRegular(mode) && (mode & (S_ISUID | S_ISGID)) !== 0 ? 0 : VALID_MS;
}

export function toEntry(a: Attributes): Entry {
  return {
    nodeId: a.fid,
    generation: 0,
    entryValidMs: VALID_MS,
    attrValidMs: attrValidMs(a),
    attr: toAttr(a),
  };
}
