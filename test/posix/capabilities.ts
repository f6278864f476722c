/** Capabilities of a program (capabilities(7)): gone once somebody changes it, root included. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { as, fails, modeOf, posixAsRoot, withFile } from './case.js';
import * as libc from './libc.js';
import { BOB } from './users.js';

const KEEP = 0xffff_ffff;
const NAME = 'security.capability';
/** Version 2, effective: cap_net_raw. */
const VALUE = Buffer.from('0100000200200000000000000000000000000000', 'hex');

function has(path: string): boolean {
  return libc.listxattr(path).includes(NAME);
}

type Change = (path: string, fd: number) => void;

const TAKES: Readonly<Record<string, Change>> = {
  write: (_path, fd) => fs.writeSync(fd, 'x'),
  append: (path) => fs.appendFileSync(path, 'x'),
  ftruncate: (_path, fd) => fs.ftruncateSync(fd, 10),
  'ftruncate to the same size': (_path, fd) => fs.ftruncateSync(fd, fs.fstatSync(fd).size),
  truncate: (path) => fs.truncateSync(path, 10),
  'open with O_TRUNC': (path) => fs.closeSync(fs.openSync(path, 'w')),
  'chown to another': (path) => fs.chownSync(path, 7, 8),
  'chown to the same': (path) => fs.chownSync(path, 0, 0),
  fallocate: (_path, fd) => libc.fallocate(fd, 0, 0, 20_000),
  'fallocate without growing': (_path, fd) =>
    libc.fallocate(fd, libc.FALLOC_FL_KEEP_SIZE, 0, 20_000),
  'punch a hole': (_path, fd) =>
    libc.fallocate(fd, libc.FALLOC_FL_KEEP_SIZE | libc.FALLOC_FL_PUNCH_HOLE, 0, 4096),
};

const LEAVES: Readonly<Record<string, Change>> = {
  read: (path) => fs.readFileSync(path),
  chmod: (path) => fs.chmodSync(path, 0o755),
  utimens: (path) => fs.utimesSync(path, 1, 2),
  'another attribute': (path) => libc.setxattr(path, 'user.a', VALUE),
  link: (path) => fs.linkSync(path, `${path}-link`),
  rename: (path) => {
    fs.renameSync(path, `${path}-renamed`);
    fs.renameSync(`${path}-renamed`, path);
  },
  'open for writing': (path) => fs.closeSync(fs.openSync(path, 'r+')),
  'a write of nothing': (_path, fd) => fs.writeSync(fd, Buffer.alloc(0)),
};

/** Seen while the file is open, and once it is closed. */
function check(dir: string, changes: Readonly<Record<string, Change>>, remains: boolean): void {
  const path = join(dir, 'program');
  fs.writeFileSync(path, Buffer.alloc(9000, 1));
  for (const [what, change] of Object.entries(changes)) {
    libc.setxattr(path, NAME, VALUE);
    withFile(path, 'r+', (fd) => {
      change(path, fd);
      assert.is(has(path), remains, what);
    });
    assert.is(has(path), remains, `${what}, closed`);
  }
}

export const capabilities = [
  posixAsRoot('what changes a program or its owner takes its capabilities', (dir) =>
    check(dir, TAKES, false),
  ),
  posixAsRoot('what does not leaves them', (dir) => check(dir, LEAVES, true)),
  posixAsRoot('given to a file that is still being written, they stay', (dir) => {
    const path = join(dir, 'program');
    withFile(path, 'w', (fd) => {
      fs.writeSync(fd, 'written before');
      libc.setxattr(path, NAME, VALUE);
    });
    assert.ok(has(path));
    assert.ok(libc.getxattr(path, NAME).equals(VALUE));
  }),
  posixAsRoot(
    'a stranger takes neither them nor set-id bits by a chown that changes nothing',
    (dir) => {
      const path = join(dir, 'program');
      fs.writeFileSync(path, 'program');
      fs.chmodSync(dir, 0o755);
      for (const mode of [0o6755, 0o4711, 0o4700]) {
        fs.chmodSync(path, mode);
        libc.setxattr(path, NAME, VALUE);
        fails('EPERM', () => as(BOB, () => fs.chownSync(path, KEEP, KEEP)));
        assert.is(modeOf(path), mode);
        assert.ok(has(path));
      }
      fs.chownSync(path, BOB.uid, BOB.gid);
      fs.chmodSync(path, 0o6755);
      as(BOB, () => fs.chownSync(path, KEEP, KEEP));
      assert.is(modeOf(path), 0o755);
    },
  ),
  posixAsRoot('a store to mapped memory leaves them', (dir) => {
    const path = join(dir, 'program');
    fs.writeFileSync(path, Buffer.alloc(9000, 1));
    libc.setxattr(path, NAME, VALUE);
    withFile(path, 'r+', (fd) => {
      const mapping = libc.mmap(fd, 4096, 'shared');
      mapping.bytes[0] = 2;
      mapping.sync();
      mapping.unmap();
    });
    assert.ok(has(path));
    assert.is(fs.readFileSync(path)[0], 2);
  }),
];
