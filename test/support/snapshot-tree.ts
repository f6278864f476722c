/** A directory tree as a plain object, to compare two trees. Plain system calls only; nothing of src. */
import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { lgetxattr, llistxattr } from './libc.js';

export interface TreeEntry {
  readonly type: 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'char' | 'block';
  /** Permission bits. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  /** Bytes; of files and symlinks only, since that of a directory is the filesystem's own affair. */
  readonly size?: string;
  /** Nanoseconds since the epoch. */
  readonly mtime: string;
  readonly atime: string;
  /** Of device nodes. */
  readonly rdev?: string;
  readonly target?: string;
  /** Name to value in base64. */
  readonly xattrs: Readonly<Record<string, string>>;
  readonly sha256?: string;
  /** The first path, in order, of the same inode; of files with several links only. */
  readonly linkedTo?: string;
}

/** Path below the root, as a binary string, to its entry; `.` is the root itself. */
export type Tree = Readonly<Record<string, TreeEntry>>;

const CHUNK_BYTES = 1024 * 1024;

/**
 * Walks `root`. Each file is examined before it is read, so that its atime is
 * not one that the walk itself made. The process must not serve the mount.
 */
export function snapshotTree(root: string): Tree {
  const tree: Record<string, TreeEntry> = {};
  const firstPath = new Map<bigint, string>();
  const visit = (path: string, name: string): void => {
    const bytes = Buffer.from(path, 'latin1');
    const stat = lstatSync(bytes, { bigint: true });
    const first = firstPath.get(stat.ino) ?? name;
    firstPath.set(stat.ino, first);
    tree[name] = describe(bytes, stat, first);
    if (!stat.isDirectory()) return;
    const names = readdirSync(bytes, { encoding: 'buffer' }).map((child) =>
      child.toString('latin1'),
    );
    for (const child of names.sort()) {
      visit(`${path}/${child}`, name === '.' ? child : `${name}/${child}`);
    }
  };
  visit(Buffer.from(root).toString('latin1'), '.');
  return tree;
}

function describe(path: Buffer, stat: BigIntStats, first: string): TreeEntry {
  const type = typeOf(stat);
  const isDevice = type === 'char' || type === 'block';
  return {
    type,
    mode: (stat.mode & 0o7777n).toString(8).padStart(4, '0'),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    nlink: Number(stat.nlink),
    mtime: `${stat.mtimeNs}`,
    atime: `${stat.atimeNs}`,
    xattrs: xattrsOf(path),
    ...(type === 'file' || type === 'symlink' ? { size: `${stat.size}` } : {}),
    ...(isDevice ? { rdev: `${stat.rdev}` } : {}),
    ...(type === 'symlink' ? { target: readlinkSync(path, 'latin1') } : {}),
    ...(type === 'file' ? { sha256: hashOf(path) } : {}),
    ...(type !== 'directory' && stat.nlink > 1n ? { linkedTo: first } : {}),
  };
}

function typeOf(stat: BigIntStats): TreeEntry['type'] {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isSocket()) return 'socket';
  return stat.isCharacterDevice() ? 'char' : 'block';
}

function xattrsOf(path: Buffer): Record<string, string> {
  const names = llistxattr(path).map((name) => name.toString('latin1'));
  return Object.fromEntries(
    names
      .sort()
      .map((name) => [name, lgetxattr(path, Buffer.from(name, 'latin1')).toString('base64')]),
  );
}

function hashOf(path: Buffer): string {
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const fd = openSync(path, 'r');
  try {
    for (;;) {
      const count = readSync(fd, chunk, 0, chunk.length, null);
      if (count === 0) return hash.digest('hex');
      hash.update(chunk.subarray(0, count));
    }
  } finally {
    closeSync(fd);
  }
}

export interface DiffOptions {
  /** Compare atimes; off by default, because reading a tree changes them. */
  readonly atime?: boolean;
  /** Compare link counts of directories; on by default. Not every filesystem counts subdirectories. */
  readonly directoryLinks?: boolean;
}

/** One line per difference, of what `a` has and `b` has; none if the trees are equal. */
export function diffTrees(a: Tree, b: Tree, options: DiffOptions = {}): string[] {
  const paths = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  return paths.flatMap((path) => {
    const [left, right] = [a[path], b[path]];
    if (left === undefined) return [`${path}: only in the second tree`];
    if (right === undefined) return [`${path}: only in the first tree`];
    return diffEntries(path, left, right, options);
  });
}

function diffEntries(path: string, a: TreeEntry, b: TreeEntry, options: DiffOptions): string[] {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof TreeEntry>;
  if (options.atime !== true) keys.delete('atime');
  if (options.directoryLinks === false && a.type === 'directory') keys.delete('nlink');
  return [...keys].flatMap((key) => {
    const [left, right] = [JSON.stringify(a[key]), JSON.stringify(b[key])];
    return left === right ? [] : [`${path}: ${key}: ${left} and ${right}`];
  });
}
