/** Special files: their numbers, and that they take part in everything that files do. */
import * as fs from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { asUser, exists, modeOf, type PosixCase, posix, posixAsRoot, withFile } from './case.js';
import { KINDS, LINKABLE, make, NOT_SYMLINK, remove } from './kinds.js';
import { makedev, mknod, RENAME_EXCHANGE, RENAME_NOREPLACE, renameat2 } from './libc.js';
import { describe, failsCleanly } from './unchanged.js';

const { S_IFCHR, S_IFBLK, S_IFIFO, S_IFREG, S_IFDIR, S_IFLNK } = fs.constants;
const S_IFSOCK = 0o140000;

/** Major numbers have 12 bits, minor numbers 20. */
const NUMBERS: readonly (readonly [major: bigint, minor: bigint])[] = [
  [0n, 1n],
  [1n, 3n],
  [1n, 255n],
  [1n, 256n],
  [255n, 255n],
  [256n, 0n],
  [4095n, 1_048_575n],
];

const ODD_TYPES = [S_IFDIR, S_IFLNK, 0o150000, 0o030000];

function kindOf(path: string): number {
  return fs.lstatSync(path).mode & 0o170000;
}

export const kindsOfObjects: readonly PosixCase[] = [
  ...NUMBERS.flatMap(([major, minor]) =>
    [S_IFCHR, S_IFBLK].map((type) => {
      const what = type === S_IFCHR ? 'character' : 'block';
      return posixAsRoot(`${what} device ${major}:${minor} keeps its numbers`, (dir) => {
        const path = join(dir, 'device');
        mknod(path, type | 0o640, makedev(major, minor));
        fs.linkSync(path, join(dir, 'second'));
        fs.renameSync(path, join(dir, 'moved'));
        fs.chmodSync(join(dir, 'moved'), 0o600);
        for (const name of ['second', 'moved']) {
          const { mode, rdev, size } = fs.lstatSync(join(dir, name), { bigint: true });
          assert.equal([Number(mode), rdev, size], [type | 0o600, makedev(major, minor), 0n]);
        }
      });
    }),
  ),
  posix('mknod of type 0 makes a regular file, whose number is nothing', (dir) => {
    for (const [name, type] of [
      ['zero', 0],
      ['regular', S_IFREG],
    ] as const) {
      mknod(join(dir, name), type | 0o644, makedev(8n, 1n));
      assert.is(kindOf(join(dir, name)), S_IFREG);
      assert.is(fs.lstatSync(join(dir, name)).rdev, 0);
    }
  }),
  posix('mknod makes no directory, no link, and nothing unknown', (dir) => {
    for (const type of ODD_TYPES) {
      failsCleanly(['EPERM', 'EINVAL'], dir, () => mknod(join(dir, 'new'), type | 0o644));
    }
  }),
  posixAsRoot('devices are for root, FIFOs and sockets for all', (dir) => {
    fs.chmodSync(dir, 0o777);
    for (const type of [S_IFCHR, S_IFBLK]) {
      const path = join(dir, 'device');
      failsCleanly('EPERM', dir, () => asUser(() => mknod(path, type | 0o644, makedev(1n, 3n))));
    }
    asUser(() => {
      mknod(join(dir, 'fifo'), S_IFIFO | 0o644);
      mknod(join(dir, 'socket'), S_IFSOCK | 0o644);
      mknod(join(dir, 'file'), S_IFREG | 0o644);
    });
    assert.is(fs.readdirSync(dir).length, 3);
  }),
  ...KINDS.map((kind) =>
    posixAsRoot(`nothing can be made where a ${kind} is`, (dir) => {
      const path = join(dir, kind);
      make(kind, path);
      fs.writeFileSync(join(dir, 'other'), '');
      for (const another of KINDS) {
        if (another === 'file') continue;
        failsCleanly('EEXIST', dir, () => make(another, path));
      }
      failsCleanly('EEXIST', dir, () => fs.linkSync(join(dir, 'other'), path));
      failsCleanly('EEXIST', dir, () => renameat2(join(dir, 'other'), path, RENAME_NOREPLACE));
    }),
  ),
  ...LINKABLE.map((kind) =>
    posixAsRoot(`a ${kind} has as many names as it gets`, (dir) => {
      const path = join(dir, kind);
      make(kind, path);
      for (let i = 2; i <= 9; i++) {
        fs.linkSync(path, join(dir, `name-${i}`));
        for (const name of [kind, 'name-2', `name-${i}`]) {
          assert.is(fs.lstatSync(join(dir, name)).nlink, i);
          assert.is(describe(join(dir, name)), describe(path));
        }
      }
      fs.unlinkSync(path);
      assert.is(fs.lstatSync(join(dir, 'name-9')).nlink, 8);
    }),
  ),
  posixAsRoot('a directory has one name, for root too', (dir) => {
    fs.mkdirSync(join(dir, 'sub'));
    failsCleanly('EPERM', dir, () => fs.linkSync(join(dir, 'sub'), join(dir, 'second')));
    failsCleanly('EPERM', dir, () => fs.linkSync(dir, join(dir, 'sub', 'loop')));
  }),
  ...NOT_SYMLINK.map((kind) =>
    posixAsRoot(`mode and owner of a ${kind}, also through a symbolic link`, (dir) => {
      const path = join(dir, kind);
      make(kind, path);
      const type = kindOf(path);
      fs.symlinkSync(kind, join(dir, 'link'));
      fs.chmodSync(join(dir, 'link'), 0o1751);
      fs.chownSync(join(dir, 'link'), 5, 6);
      const { mode, uid, gid } = fs.lstatSync(path);
      assert.equal([mode, uid, gid], [type | 0o1751, 5, 6]);
      assert.equal([fs.lstatSync(join(dir, 'link')).uid, modeOf(join(dir, 'link'))], [0, 0o777]);
    }),
  ),
  ...KINDS.flatMap((kind) =>
    KINDS.map((victim) =>
      posixAsRoot(`rename of a ${kind} over a ${victim}`, (dir) => {
        const [from, to] = [join(dir, 'from'), join(dir, 'to')];
        make(kind, from);
        make(victim, to);
        const [type, ino] = [kindOf(from), fs.lstatSync(from).ino];
        const rename = () => fs.renameSync(from, to);
        if (kind === 'directory' && victim !== 'directory')
          return failsCleanly('ENOTDIR', dir, rename);
        if (kind !== 'directory' && victim === 'directory')
          return failsCleanly('EISDIR', dir, rename);
        rename();
        assert.equal([kindOf(to), fs.lstatSync(to).ino], [type, ino]);
        assert.equal(fs.readdirSync(dir), ['to']);
      }),
    ),
  ),
  ...KINDS.map((kind) =>
    posixAsRoot(`a ${kind} changes places with every kind`, (dir) => {
      for (const other of KINDS) {
        const [a, b] = [join(dir, 'a'), join(dir, 'b')];
        make(kind, a);
        make(other, b);
        const [inoA, inoB] = [fs.lstatSync(a).ino, fs.lstatSync(b).ino];
        renameat2(a, b, RENAME_EXCHANGE);
        assert.equal([fs.lstatSync(a).ino, fs.lstatSync(b).ino], [inoB, inoA]);
        remove(other, a);
        remove(kind, b);
        assert.not(exists(a));
      }
    }),
  ),
  posixAsRoot('a device node on the mount reaches its device', (dir) => {
    mknod(join(dir, 'zero'), S_IFCHR | 0o666, makedev(1n, 5n));
    withFile(join(dir, 'zero'), 'r', (fd) => {
      const buffer = Buffer.alloc(100, 1);
      assert.is(fs.readSync(fd, buffer), 100);
      assert.ok(buffer.equals(Buffer.alloc(100)));
    });
    assert.is(fs.lstatSync(join(dir, 'zero')).size, 0);
  }),
  posix('a socket is made by bind, and its name can be taken away', (dir) => {
    const path = join(dir, 's');
    const server = net.createServer();
    server.listen(path);
    try {
      assert.is(kindOf(path), S_IFSOCK);
    } finally {
      server.close();
    }
  }),
];
