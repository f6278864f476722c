/** A real tree of thousands of files: this project's own packages, as often as it takes. */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';

/** Native binaries and the compiler's bundle would make it a test of the disk. */
const FILE_BYTES_MAX = 256 * 1024;

export interface TreeFile {
  /** Below the tree. */
  readonly path: string;
  readonly bytes: number;
}

/** The regular files below `root`, up to FILE_BYTES_MAX. */
export function listTree(root: string): TreeFile[] {
  return fs
    .readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: path.slice(root.length + 1), bytes: fs.statSync(path).size }))
    .filter((file) => file.bytes <= FILE_BYTES_MAX);
}

/** Copies one file as `cp -a` does: folders first, then contents, mode and times. */
export function copyFile(from: string, to: string): void {
  fs.mkdirSync(dirname(to), { recursive: true });
  fs.copyFileSync(from, to);
  const stat = fs.statSync(from);
  fs.utimesSync(to, stat.atimeMs / 1000, stat.mtimeMs / 1000);
}

/** True when the copy is there with all its bytes. */
export function isCopied(to: string, bytes: number): boolean {
  return fs.statSync(to, { throwIfNoEntry: false })?.size === bytes;
}
