/** A tree with one of everything that a copying program has to carry over. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { lsetxattr, lutimens, mknod } from '../support/libc.js';

const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const S_IFIFO = 0o010000;
const NAME_BYTES_MAX = 255;
const SPARSE_BYTES = 64 * 1024 * 1024;

/** Nanoseconds since the epoch: before it, at it, with every digit, and after 2038. */
const TIMES = [-86_400_000_000_001n, 0n, 1_234_567_890_123_456_789n, 4_102_444_800_999_999_999n];

/** Names that a careless program takes apart. The last ones are not UTF-8. */
const NAMES: readonly Buffer[] = [
  ...['-rf', ' leading and trailing ', 'new\nline', 'tab\t"quote"\'*?[x]$(y)\\', '~', '#{}%41']
    .concat('größe-名前-🗂', 'e\u0301', '.hidden', '...', 'n'.repeat(NAME_BYTES_MAX))
    .map((name) => Buffer.from(name)),
  Buffer.from([0xff, 0xfe, 0x80]),
  Buffer.from([0x01, 0x7f, 0xc0, 0xaf]),
];

/** Makes the tree in the new directory `root`; needs root, for owners, devices and trusted xattrs. */
export function makeOddTree(root: string): void {
  fs.mkdirSync(root);
  makeNames(root);
  makeLinks(root);
  makeModes(root);
  makeSpecial(root);
  makeSparse(root);
  makeXattrs(root);
  makeAcls(root);
  // Last, since making anything changes the times of its directory.
  makeTimes(root);
}

function makeNames(root: string): void {
  const folder = join(root, 'names');
  fs.mkdirSync(folder);
  for (const name of NAMES) {
    fs.writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), name]), name);
  }
  let deep = join(root, 'deep');
  fs.mkdirSync(deep);
  for (let level = 0; level < 30; level++) {
    deep = join(deep, `level-${level}`);
    fs.mkdirSync(deep);
  }
  fs.writeFileSync(join(deep, 'bottom'), 'bottom');
}

function makeLinks(root: string): void {
  const folder = join(root, 'links');
  fs.mkdirSync(join(folder, 'below'), { recursive: true });
  fs.writeFileSync(join(folder, 'first'), 'many names');
  for (const name of ['second', 'below/third', '../fourth']) {
    fs.linkSync(join(folder, 'first'), join(folder, name));
  }
  fs.symlinkSync('first', join(folder, 'to-file'));
  fs.symlinkSync('below', join(folder, 'to-folder'));
  fs.symlinkSync('nowhere/at all', join(folder, 'dangling'));
  fs.symlinkSync('self', join(folder, 'self'));
  fs.symlinkSync('x'.repeat(4000), join(folder, 'long'));
  fs.lchownSync(join(folder, 'dangling'), 1234, 5678);
  fs.linkSync(join(folder, 'dangling'), join(folder, 'dangling-too'));
}

function makeModes(root: string): void {
  const folder = join(root, 'modes');
  fs.mkdirSync(folder);
  for (const mode of [0o000, 0o400, 0o644, 0o755, 0o4755, 0o2755, 0o1777, 0o6711]) {
    const path = join(folder, mode.toString(8));
    fs.writeFileSync(path, path);
    fs.chownSync(path, mode, 60_000 + mode);
    fs.chmodSync(path, mode);
    fs.mkdirSync(`${path}.d`);
    fs.chmodSync(`${path}.d`, mode);
  }
  fs.chownSync(folder, 4_000_000_000, 4_000_000_001);
}

function makeSpecial(root: string): void {
  const folder = join(root, 'special');
  fs.mkdirSync(folder);
  mknod(Buffer.from(join(folder, 'fifo')), S_IFIFO | 0o640, 0);
  mknod(Buffer.from(join(folder, 'null')), S_IFCHR | 0o666, 0x103);
  mknod(Buffer.from(join(folder, 'loop')), S_IFBLK | 0o660, 0x7ff);
}

function makeSparse(root: string): void {
  const folder = join(root, 'sparse');
  fs.mkdirSync(folder);
  fs.writeFileSync(join(folder, 'empty'), '');
  fs.writeFileSync(join(folder, 'hole'), '');
  fs.truncateSync(join(folder, 'hole'), SPARSE_BYTES);
  const fd = fs.openSync(join(folder, 'islands'), 'w');
  for (let at = 0; at < SPARSE_BYTES; at += SPARSE_BYTES / 8) {
    fs.writeSync(fd, Buffer.alloc(10_000, `island ${at} `), 0, 10_000, at);
  }
  fs.ftruncateSync(fd, SPARSE_BYTES);
  fs.closeSync(fd);
}

function makeXattrs(root: string): void {
  const folder = join(root, 'xattrs');
  fs.mkdirSync(folder);
  for (const name of ['file', 'folder']) {
    const path = Buffer.from(join(folder, name));
    if (name === 'file') fs.writeFileSync(path, 'file');
    else fs.mkdirSync(path);
    lsetxattr(path, Buffer.from('user.text'), Buffer.from('a value'), 0);
    lsetxattr(path, Buffer.from('user.empty'), Buffer.alloc(0), 0);
    lsetxattr(path, Buffer.from('user.bytes'), Buffer.from([0, 255, 10, 0]), 0);
    lsetxattr(path, Buffer.from('user.long'), Buffer.alloc(2000, 'long '), 0);
    lsetxattr(path, Buffer.from('trusted.note'), Buffer.from('for root'), 0);
  }
}

function makeAcls(root: string): void {
  const folder = join(root, 'acls');
  fs.mkdirSync(join(folder, 'inherits'), { recursive: true });
  fs.writeFileSync(join(folder, 'file'), 'file');
  const setfacl = (...args: string[]) => execFileSync('setfacl', args, { cwd: folder });
  setfacl('-m', 'u:1234:rw,g:5678:r,m:rw', 'file');
  setfacl('-m', 'u:1234:rwx', '-d', '-m', 'u::rwx,g::rx,o::-,u:77:rwx,g:88:rx', 'inherits');
  fs.writeFileSync(join(folder, 'inherits', 'file'), 'file');
  fs.mkdirSync(join(folder, 'inherits', 'folder'));
}

function makeTimes(root: string): void {
  const folder = join(root, 'times');
  fs.mkdirSync(folder);
  TIMES.forEach((time, i) => {
    const file = Buffer.from(join(folder, `file-${i}`));
    fs.writeFileSync(file, 'time');
    lutimens(file, time + 1_000n, time);
    const link = Buffer.from(join(folder, `link-${i}`));
    fs.symlinkSync('nowhere', link);
    lutimens(link, time + 2_000n, time);
    const sub = Buffer.from(join(folder, `folder-${i}`));
    fs.mkdirSync(sub);
    lutimens(sub, time, time);
  });
  lutimens(Buffer.from(folder), 987_654_321n, 123_456_789n);
}
