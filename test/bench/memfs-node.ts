/** One object of the memory filesystem (memfs.ts), and how the kernel is told of it. */
import type { FileName } from '../../src/base/name.js';
import type { Timespec } from '../../src/base/time.js';
import type * as api from '../../src/fuse/api.js';

export const VALID_MS = 3_600_000;
const BLOCK = 512;

export interface Node {
  readonly ino: number;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
  /** Contents of a regular file, of which `size` bytes count; target of a symbolic link. */
  data: Buffer;
  size: number;
  /** Entries of a directory. */
  readonly entries: Map<FileName, Node>;
}

export const NO_DATA = Buffer.alloc(0);

/** Capacity doubles, so that appending costs amortised constant time. */
export function resize(node: Node, size: number): void {
  if (size > node.data.length) {
    const data = Buffer.alloc(Math.max(size, node.data.length * 2));
    node.data.copy(data, 0, 0, node.size);
    node.data = data;
  } else if (size < node.size) {
    node.data.fill(0, size, node.size);
  }
  node.size = size;
}

export function attrOf(node: Node): api.Attr {
  return {
    ino: node.ino,
    size: node.size,
    blocks: Math.ceil(node.size / BLOCK),
    atime: node.atime,
    mtime: node.mtime,
    ctime: node.ctime,
    mode: node.mode,
    nlink: node.nlink,
    uid: node.uid,
    gid: node.gid,
    rdev: node.rdev,
    blksize: 4096,
  };
}

export function entryOf(node: Node): api.Entry {
  return {
    nodeId: node.ino,
    generation: 0,
    entryValidMs: VALID_MS,
    attrValidMs: VALID_MS,
    attr: attrOf(node),
  };
}
