/** Whatever is changed through one name of a file shows through every other, at once. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { exists, fails, type PosixCase, posix, posixAsRoot } from './case.js';
import { LINKABLE, make } from './kinds.js';
import * as libc from './libc.js';
import { truncate } from './syscalls.js';
import { describe, passTick } from './unchanged.js';

const VALUE = Buffer.from('value');

/** A file by three names in two directories, with a descriptor that was opened by the last of them. */
interface Linked {
  readonly dir: string;
  readonly names: readonly string[];
  readonly fd: number;
}

/** What the descriptor itself says, in the words of describe(). */
function describeDescriptor(fd: number): string {
  const s = fs.fstatSync(fd, { bigint: true });
  return [s.ino, s.mode.toString(8), s.nlink, s.uid, s.gid, s.rdev, s.size, s.mtimeNs, s.ctimeNs]
    .map(String)
    .join(' ');
}

interface Change {
  readonly name: string;
  /** `path` is the name through which it is done. */
  readonly run: (path: string, linked: Linked) => void;
  /** Something that must be so afterwards, of the object seen through any name. */
  readonly holds: (stat: fs.BigIntStats) => boolean;
}

const CHANGES: readonly Change[] = [
  {
    name: 'chmod',
    run: (path) => fs.chmodSync(path, 0o640),
    holds: (stat) => (stat.mode & 0o777n) === 0o640n,
  },
  {
    name: 'utimensat',
    run: (path) => libc.utimensat(path, { sec: 5, nsec: 6 }, { sec: 7, nsec: 8 }),
    holds: (stat) => stat.mtimeNs === 7_000_000_008n && stat.atimeNs === 5_000_000_006n,
  },
  {
    name: 'write',
    run: (path) => fs.appendFileSync(path, 'more'),
    holds: (stat) => stat.size === 12n,
  },
  {
    name: 'large write',
    run: (path) => fs.writeFileSync(path, Buffer.alloc(200_000)),
    holds: (stat) => stat.size === 200_000n,
  },
  {
    name: 'write through the open descriptor',
    run: (_path, { fd }) => fs.writeSync(fd, 'x', 20),
    holds: (stat) => stat.size === 21n,
  },
  {
    name: 'fchmod through the open descriptor',
    run: (_path, { fd }) => fs.fchmodSync(fd, 0o600),
    holds: (stat) => (stat.mode & 0o777n) === 0o600n,
  },
  {
    name: 'ftruncate through the open descriptor',
    run: (_path, { fd }) => fs.ftruncateSync(fd, 3),
    holds: (stat) => stat.size === 3n,
  },
  { name: 'truncate', run: (path) => truncate(path, 1), holds: (stat) => stat.size === 1n },
  { name: 'O_TRUNC', run: (path) => fs.writeFileSync(path, ''), holds: (stat) => stat.size === 0n },
  {
    name: 'setxattr',
    run: (path) => libc.setxattr(path, 'user.new', VALUE),
    holds: (stat) => stat.size === 8n,
  },
  {
    name: 'link',
    run: (path, { dir }) => fs.linkSync(path, join(dir, 'new')),
    holds: (stat) => stat.nlink === 4n,
  },
  { name: 'unlink', run: (path) => fs.unlinkSync(path), holds: (stat) => stat.nlink === 2n },
  {
    name: 'rename',
    run: (path, { dir }) => fs.renameSync(path, join(dir, 'new')),
    holds: (stat) => stat.nlink === 3n,
  },
  {
    name: 'rename of another file over it',
    run: (path, { dir }) => {
      fs.writeFileSync(join(dir, 'new'), '');
      fs.renameSync(join(dir, 'new'), path);
    },
    holds: (stat) => stat.nlink === 2n,
  },
  {
    name: 'rename over another file',
    run: (path, { dir }) => {
      fs.writeFileSync(join(dir, 'new'), '');
      fs.renameSync(path, join(dir, 'new'));
    },
    holds: (stat) => stat.nlink === 3n,
  },
  {
    name: 'exchange with another file',
    run: (path, { dir }) => {
      fs.writeFileSync(join(dir, 'new'), '');
      libc.renameat2(path, join(dir, 'new'), libc.RENAME_EXCHANGE);
    },
    holds: (stat) => stat.nlink === 3n,
  },
];

const OWNER_CHANGES: readonly Change[] = [
  {
    name: 'chown',
    run: (path) => fs.chownSync(path, 5, 6),
    holds: (stat) => stat.uid === 5n && stat.gid === 6n,
  },
  {
    name: 'fchown through the open descriptor',
    run: (_path, { fd }) => fs.fchownSync(fd, 7, 8),
    holds: (stat) => stat.uid === 7n && stat.gid === 8n,
  },
];

function withLinked(dir: string, use: (linked: Linked) => void): void {
  fs.mkdirSync(join(dir, 'sub'));
  const names = [join(dir, 'one'), join(dir, 'two'), join(dir, 'sub', 'three')];
  const [first = '', ...rest] = names;
  fs.writeFileSync(first, 'contents');
  for (const name of rest) fs.linkSync(first, name);
  const fd = fs.openSync(join(dir, 'sub', 'three'), 'r+');
  try {
    use({ dir, names, fd });
  } finally {
    fs.closeSync(fd);
  }
}

/** Asserts that all names that still are the file's, and the descriptor, tell the same. */
function assertSame({ names, fd }: Linked, ino: bigint, holds: Change['holds']): void {
  const told = describeDescriptor(fd);
  for (const name of names) {
    if (!exists(name)) continue;
    const stat = fs.lstatSync(name, { bigint: true });
    if (stat.ino !== ino) continue;
    assert.is(describe(name), told, name);
    assert.ok(holds(stat), `${name} shows what was before`);
  }
  assert.ok(holds(fs.fstatSync(fd, { bigint: true })), 'the descriptor shows what was before');
}

function coherenceCase(change: Change, through: number): PosixCase['run'] {
  return (dir) =>
    withLinked(dir, (linked) => {
      const ino = fs.fstatSync(linked.fd, { bigint: true }).ino;
      const ctime = fs.fstatSync(linked.fd, { bigint: true }).ctimeNs;
      // Now every name is in the kernel's caches.
      assertSame(linked, ino, () => true);
      passTick(dir);
      change.run(linked.names[through] ?? '', linked);
      assertSame(linked, ino, change.holds);
      assert.ok(fs.fstatSync(linked.fd, { bigint: true }).ctimeNs > ctime, 'ctime stood still');
    });
}

function forEachName(change: Change, make: typeof posix): PosixCase[] {
  return ['first', 'second', 'third'].map((which, through) =>
    make(`coherence: ${change.name} by its ${which} name`, coherenceCase(change, through)),
  );
}

export const coherence: readonly PosixCase[] = [
  ...CHANGES.flatMap((change) => forEachName(change, posix)),
  ...OWNER_CHANGES.flatMap((change) => forEachName(change, posixAsRoot)),
  ...LINKABLE.map((kind) =>
    posixAsRoot(`coherence: owner, times and links of a ${kind} by another name`, (dir) => {
      const [a, b] = [join(dir, 'a'), join(dir, 'b')];
      make(kind, a);
      fs.linkSync(a, b);
      for (const change of [
        () => fs.lchownSync(a, 3, 4),
        () => libc.utimensat(b, { sec: 1, nsec: 2 }, { sec: 3, nsec: 4 }, libc.AT_SYMLINK_NOFOLLOW),
        () => libc.setxattr(a, 'trusted.x', VALUE),
        () => fs.linkSync(b, join(dir, 'c')),
        () => fs.unlinkSync(join(dir, 'c')),
        () => fs.renameSync(a, join(dir, 'd')),
        () => fs.renameSync(join(dir, 'd'), a),
      ]) {
        const before = describe(b);
        passTick(dir);
        change();
        assert.is.not(describe(b), before);
        if (exists(a)) assert.is(describe(a), describe(b));
      }
    }),
  ),
  posix('coherence: an attribute set by one name is read, listed and gone by another', (dir) => {
    withLinked(dir, ({ names: [one = '', two = ''] }) => {
      assert.equal(libc.listxattr(two), []);
      fails('ENODATA', () => libc.getxattr(two, 'user.new'));
      libc.setxattr(one, 'user.new', VALUE);
      assert.ok(libc.getxattr(two, 'user.new').equals(VALUE));
      assert.equal(libc.listxattr(two), ['user.new']);
      libc.removexattr(two, 'user.new');
      fails('ENODATA', () => libc.getxattr(one, 'user.new'));
    });
  }),
  posix('coherence: what is written by one name is read by another, mapped or not', (dir) => {
    withLinked(dir, ({ names: [one = '', two = ''], fd }) => {
      const mapping = libc.mmap(fd, 8, 'shared');
      try {
        assert.is(Buffer.from(mapping.bytes).toString(), 'contents');
        fs.writeFileSync(one, 'CONTENTS', { flag: 'r+' });
        assert.is(Buffer.from(mapping.bytes).toString(), 'CONTENTS');
        mapping.bytes.set(Buffer.from('mapped'));
        assert.is(fs.readFileSync(two, 'utf8'), 'mappedTS');
      } finally {
        mapping.unmap();
      }
    });
  }),
];
