/** From the server's attributes to the kernel's. */
import { isDirectory, isSymlink } from '../base/mode.js';
import type { Attr, Entry } from '../fuse/api.js';
import type { Attributes } from '../rpc/messages.js';
import { VALID_MS } from './limits.js';

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

export function toEntry(a: Attributes): Entry {
  return {
    nodeId: a.fid,
    generation: 0,
    entryValidMs: VALID_MS,
    attrValidMs: VALID_MS,
    attr: toAttr(a),
  };
}
