/** Every system call that takes a path, so that a rule about paths can be put to each. */
import * as fs from 'node:fs';
import * as libc from './libc.js';
import * as more from './syscalls.js';

const { O_CREAT, O_EXCL, O_WRONLY, O_RDONLY, O_DIRECTORY, S_IFIFO } = fs.constants;
const S_IFSOCK = 0o140000;
const VALUE = Buffer.from('value');

export interface PathOperation {
  readonly name: string;
  /** What must stand at the path: something, a directory, or nothing. */
  readonly wants: 'file' | 'directory' | 'symlink' | 'nothing';
  /** A symbolic link at the end of the path is followed. */
  readonly follows: boolean;
  /** EROFS on a read-only mount. */
  readonly changes: boolean;
  /** `other` is another path in a directory that is fine: of a file if `wants` is 'nothing', else free. */
  readonly run: (path: string, other: string) => void;
}

type Row = readonly [
  name: string,
  wants: PathOperation['wants'],
  traits: string,
  run: PathOperation['run'],
];

/** Opens and closes. */
function tryOpen(path: string, flags: number): void {
  fs.closeSync(fs.openSync(path, flags, 0o644));
}

const ROWS: readonly Row[] = [
  ['stat', 'file', 'follows', (path) => fs.statSync(path)],
  ['lstat', 'file', '', (path) => fs.lstatSync(path)],
  ['statfs', 'file', 'follows', (path) => fs.statfsSync(path)],
  ['access', 'file', 'follows', (path) => more.faccessat(path, fs.constants.R_OK)],
  ['open', 'file', 'follows', (path) => tryOpen(path, O_RDONLY)],
  ['open for writing', 'file', 'follows changes', (path) => tryOpen(path, O_WRONLY)],
  ['open O_DIRECTORY', 'directory', 'follows', (path) => tryOpen(path, O_DIRECTORY)],
  ['opendir', 'directory', 'follows', (path) => fs.readdirSync(path)],
  ['chmod', 'file', 'follows changes', (path) => fs.chmodSync(path, 0o640)],
  ['chown', 'file', 'follows changes', (path) => fs.chownSync(path, 1, 1)],
  ['lchown', 'file', 'changes', (path) => fs.lchownSync(path, 1, 1)],
  ['truncate', 'file', 'follows changes', (path) => more.truncate(path, 1)],
  [
    'utimensat',
    'file',
    'follows changes',
    (path) => libc.utimensat(path, { sec: 1, nsec: 2 }, { sec: 3, nsec: 4 }),
  ],
  [
    'utimensat without following',
    'file',
    'changes',
    (path) =>
      libc.utimensat(path, { sec: 1, nsec: 2 }, { sec: 3, nsec: 4 }, libc.AT_SYMLINK_NOFOLLOW),
  ],
  ['readlink', 'symlink', '', (path) => fs.readlinkSync(path)],
  ['unlink', 'file', 'changes', (path) => fs.unlinkSync(path)],
  ['rmdir', 'directory', 'changes', (path) => fs.rmdirSync(path)],
  ['link from', 'file', 'changes', (path, other) => fs.linkSync(path, other)],
  ['rename from', 'file', 'changes', (path, other) => fs.renameSync(path, other)],
  ['lsetxattr', 'file', 'changes', (path) => libc.setxattr(path, 'trusted.new', VALUE)],
  ['lgetxattr', 'file', '', (path) => libc.getxattr(path, 'trusted.old')],
  ['llistxattr', 'file', '', (path) => libc.listxattr(path)],
  ['lremovexattr', 'file', 'changes', (path) => libc.removexattr(path, 'trusted.old')],
  ['open O_CREAT', 'nothing', 'follows changes', (path) => tryOpen(path, O_CREAT | O_WRONLY)],
  [
    'open O_CREAT|O_EXCL',
    'nothing',
    'changes',
    (path) => tryOpen(path, O_CREAT | O_EXCL | O_WRONLY),
  ],
  ['mkdir', 'nothing', 'changes', (path) => fs.mkdirSync(path)],
  ['mkfifo', 'nothing', 'changes', (path) => libc.mknod(path, S_IFIFO | 0o644)],
  ['mknod', 'nothing', 'changes', (path) => libc.mknod(path, S_IFSOCK | 0o644)],
  ['symlink', 'nothing', 'changes', (path) => fs.symlinkSync('target', path)],
  ['link to', 'nothing', 'changes', (path, other) => fs.linkSync(other, path)],
  ['rename to', 'nothing', 'changes', (path, other) => fs.renameSync(other, path)],
];

export const OPERATIONS: readonly PathOperation[] = ROWS.map(([name, wants, traits, run]) => ({
  name,
  wants,
  follows: traits.includes('follows'),
  changes: traits.includes('changes'),
  run,
}));

/** Those that make, take or move a name, and so need to write the directory. */
export const NAME_OPERATIONS = OPERATIONS.filter(
  ({ name, wants }) => wants === 'nothing' || ['unlink', 'rmdir', 'rename from'].includes(name),
);

/** Puts at `path` what the operation wants there. */
export function prepare(operation: PathOperation, path: string, other: string): void {
  switch (operation.wants) {
    case 'file':
      fs.writeFileSync(path, 'contents');
      libc.setxattr(path, 'trusted.old', VALUE);
      break;
    case 'directory':
      fs.mkdirSync(path);
      break;
    case 'symlink':
      fs.symlinkSync('target', path);
      break;
    case 'nothing':
      fs.writeFileSync(other, 'contents');
  }
}
