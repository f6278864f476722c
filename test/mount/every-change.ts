/** One change of each kind that a filesystem knows, for what must hold of all of them. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as libc from '../posix/libc.js';
import { truncate } from '../posix/syscalls.js';

const VALUE = Buffer.from('value');
const { S_IFIFO } = fs.constants;

/** The errno's name, or undefined if the call worked. */
export function errnoOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? `${error.code}` : `${error}`;
  }
}

/** What the changes below work on. */
export function prepareFor(mnt: string): void {
  const at = (name: string) => join(mnt, name);
  fs.writeFileSync(at('kept'), 'kept');
  fs.writeFileSync(at('file'), 'contents');
  libc.setxattr(at('file'), 'user.old', VALUE);
  fs.writeFileSync(at('victim'), 'replaced');
  fs.writeFileSync(at('large'), Buffer.alloc(300_000, 1));
  fs.mkdirSync(at('empty'));
  fs.mkdirSync(at('full'));
  fs.mkdirSync(at('full/sub'));
  fs.symlinkSync('file', at('link'));
}

export interface EveryChange {
  readonly name: string;
  /** Needs no space beyond its record, and gives some back. */
  readonly frees: boolean;
  readonly run: (mnt: string) => void;
}

type Row = readonly [name: string, run: (at: (name: string) => string) => void, frees?: 'frees'];

function writeAt(path: string, bytes: number, position: number | null, flags = 'r+'): void {
  const fd = fs.openSync(path, flags);
  try {
    // A full disk may take the first part only: what counts is what the file says then.
    fs.writeSync(fd, Buffer.alloc(bytes, 2), 0, bytes, position);
  } finally {
    fs.closeSync(fd);
  }
}

function withOpen(path: string, use: (fd: number) => void): void {
  const fd = fs.openSync(path, 'r+');
  try {
    use(fd);
  } finally {
    fs.closeSync(fd);
  }
}

const PUNCH = libc.FALLOC_FL_PUNCH_HOLE | libc.FALLOC_FL_KEEP_SIZE;

const ROWS: readonly Row[] = [
  ['create', (at) => fs.closeSync(fs.openSync(at('new'), 'wx'))],
  ['create and write', (at) => fs.writeFileSync(at('new'), 'x')],
  ['create and write much', (at) => fs.writeFileSync(at('new'), Buffer.alloc(300_000))],
  ['mkdir', (at) => fs.mkdirSync(at('new'))],
  ['mkfifo', (at) => libc.mknod(at('new'), S_IFIFO | 0o600)],
  ['symlink', (at) => fs.symlinkSync('t'.repeat(4000), at('new'))],
  ['link', (at) => fs.linkSync(at('file'), at('new'))],
  ['unlink', (at) => fs.unlinkSync(at('file')), 'frees'],
  ['unlink of a large file', (at) => fs.unlinkSync(at('large')), 'frees'],
  ['rmdir', (at) => fs.rmdirSync(at('empty')), 'frees'],
  ['rename', (at) => fs.renameSync(at('file'), at('n'.repeat(255)))],
  ['rename over a file', (at) => fs.renameSync(at('file'), at('victim'))],
  ['rename over a large file', (at) => fs.renameSync(at('file'), at('large'))],
  ['rename of a directory', (at) => fs.renameSync(at('full/sub'), at('empty'))],
  ['exchange', (at) => libc.renameat2(at('file'), at('full'), libc.RENAME_EXCHANGE)],
  ['chmod', (at) => fs.chmodSync(at('file'), 0o600)],
  ['chown', (at) => fs.chownSync(at('file'), 5, 6)],
  ['utimensat', (at) => fs.utimesSync(at('file'), 5, 6)],
  ['setxattr', (at) => libc.setxattr(at('file'), 'user.new', Buffer.alloc(60_000))],
  ['setxattr of another value', (at) => libc.setxattr(at('file'), 'user.old', Buffer.alloc(9))],
  ['removexattr', (at) => libc.removexattr(at('file'), 'user.old'), 'frees'],
  ['truncate to less', (at) => truncate(at('file'), 3)],
  ['truncate of a large file', (at) => truncate(at('large'), 100_000)],
  ['truncate to nothing', (at) => truncate(at('large'), 0)],
  ['truncate to more', (at) => truncate(at('file'), 1_000_000)],
  ['O_TRUNC', (at) => fs.writeFileSync(at('file'), '')],
  ['write', (at) => writeAt(at('file'), 5, 0)],
  ['write that outgrows the inode', (at) => writeAt(at('file'), 100_000, 0)],
  ['append', (at) => writeAt(at('large'), 200_000, null, 'a')],
  ['write far behind the end', (at) => writeAt(at('large'), 10, 10_000_000)],
  ['fallocate', (at) => withOpen(at('file'), (fd) => libc.fallocate(fd, 0, 0, 5_000_000))],
  ['punching a hole', (at) => withOpen(at('large'), (fd) => libc.fallocate(fd, PUNCH, 0, 100_000))],
];

export const CHANGES: readonly EveryChange[] = ROWS.map(([name, run, frees]) => ({
  name,
  frees: frees === 'frees',
  run: (mnt) => run((path) => join(mnt, path)),
}));
