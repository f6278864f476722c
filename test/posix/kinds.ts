/** One object of each kind that a directory can hold. */
import * as fs from 'node:fs';
import { makedev, mknod } from './libc.js';

const { S_IFIFO, S_IFCHR, S_IFBLK } = fs.constants;
const S_IFSOCK = 0o140000;
/** /dev/null and the first RAM disk: nothing happens to either. */
const NULL_DEVICE = makedev(1n, 3n);
const RAM_DISK = makedev(1n, 0n);

export type Kind = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'character' | 'block';

export const KINDS: readonly Kind[] = [
  'file',
  'directory',
  'symlink',
  'fifo',
  'socket',
  'character',
  'block',
];

/** Those that can have several names. */
export const LINKABLE = KINDS.filter((kind) => kind !== 'directory');

/** Those that chmod and chown reach by their own path. */
export const NOT_SYMLINK = KINDS.filter((kind) => kind !== 'symlink');

/** Those that cannot stand in the middle of a path. */
export const LEAVES = LINKABLE.filter((kind) => kind !== 'symlink');

/** Makes an object (devices need root); `mode` is subject to the umask, and not for symlinks. */
export function make(kind: Kind, path: string, mode = 0o644): void {
  switch (kind) {
    case 'file':
      fs.writeFileSync(path, 'contents', { mode });
      break;
    case 'directory':
      fs.mkdirSync(path, mode | 0o100);
      break;
    case 'symlink':
      fs.symlinkSync('nowhere', path);
      break;
    case 'fifo':
      mknod(path, S_IFIFO | mode);
      break;
    case 'socket':
      mknod(path, S_IFSOCK | mode);
      break;
    case 'character':
      mknod(path, S_IFCHR | mode, NULL_DEVICE);
      break;
    case 'block':
      mknod(path, S_IFBLK | mode, RAM_DISK);
  }
}

/** unlink(2) or rmdir(2), whichever its kind asks for. */
export function remove(kind: Kind, path: string): void {
  if (kind === 'directory') fs.rmdirSync(path);
  else fs.unlinkSync(path);
}
