/** Each property: two trees that differ in nothing else are told apart by it, and by it alone. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ACCESS, aclOf, DEFAULT } from '../../support/acl.js';
import { lremovexattr, lutimens, mknod } from '../../support/libc.js';
import { withFolder } from '../../support/mount.js';
import { brief, findings, makeSmallTree, setTimes, setXattr } from './compare.js';

interface Mutation {
  readonly what: string;
  /** Done to one of two equal trees; afterwards all mtimes are equal again. */
  readonly mutate: (root: string) => void;
  /** Done after that. */
  readonly last?: (root: string) => void;
  readonly expected: readonly string[];
}

function overwrite(path: string, position: number): void {
  const fd = fs.openSync(path, 'r+');
  fs.writeSync(fd, '#', position);
  fs.closeSync(fd);
}

function replaceBy(path: string, make: (path: string) => void): void {
  fs.rmSync(path, { recursive: true });
  make(path);
}

const touch = (name: string) => (root: string) =>
  lutimens(Buffer.from(join(root, name)), 0n, 1_234_567_890_123_456_788n);
const nothing = (): void => {};

const MUTATIONS: readonly Mutation[] = [
  { what: 'nothing', mutate: nothing, expected: [] },
  {
    what: 'a new file',
    mutate: (root) => fs.writeFileSync(join(root, 'd/new'), ''),
    expected: ['d/new name'],
  },
  {
    what: 'a new directory, with something in it',
    mutate: (root) => fs.mkdirSync(join(root, 'new/below'), { recursive: true }),
    expected: ['new name'],
  },
  {
    what: 'a file that is missing',
    mutate: (root) => fs.rmSync(join(root, 'single')),
    expected: ['single name'],
  },
  {
    what: 'a directory that is missing, with what is in it',
    mutate: (root) => fs.rmSync(join(root, 'd'), { recursive: true }),
    expected: ['d name'],
  },
  {
    what: 'another name',
    mutate: (root) => fs.renameSync(join(root, 'single'), join(root, 'singlf')),
    expected: ['single name', 'singlf name'],
  },
  {
    what: 'another type',
    mutate: (root) => replaceBy(join(root, 'nothing'), (path) => fs.mkdirSync(path)),
    expected: ['nothing type'],
  },
  {
    what: 'a symlink to it in place of a directory',
    mutate: (root) => {
      fs.renameSync(join(root, 'e'), `${root}-e`);
      fs.symlinkSync(`${root}-e`, join(root, 'e'));
    },
    expected: ['e type'],
  },
  {
    what: 'the mode of a file',
    mutate: (root) => fs.chmodSync(join(root, 'large'), 0o4644),
    expected: ['large mode'],
  },
  {
    what: 'the mode of a directory',
    mutate: (root) => fs.chmodSync(join(root, 'd/empty'), 0o1755),
    expected: ['d/empty mode'],
  },
  {
    what: 'the mode of the root',
    mutate: (root) => fs.chmodSync(root, 0o700),
    expected: ['. mode'],
  },
  {
    what: 'the owner',
    mutate: (root) => fs.chownSync(join(root, 'nothing'), 1, 0),
    expected: ['nothing uid'],
  },
  {
    what: 'the group of a symlink',
    mutate: (root) => fs.lchownSync(join(root, 'symlink'), 0, 1),
    expected: ['symlink gid'],
  },
  {
    what: 'the size',
    mutate: (root) => fs.truncateSync(join(root, 'large'), 1000),
    expected: ['large size'],
  },
  ...['d/file', 'd', '.', 'symlink', 'fifo'].map((name) => ({
    what: `the mtime of ${name}, by a nanosecond`,
    mutate: nothing,
    last: touch(name),
    expected: [`${name} mtime`],
  })),
  {
    what: 'a device number',
    mutate: (root) =>
      replaceBy(join(root, 'device'), (path) => mknod(Buffer.from(path), 0o020600, 0x0105)),
    expected: ['device rdev'],
  },
  {
    what: 'the target of a symlink',
    mutate: (root) => replaceBy(join(root, 'symlink'), (path) => fs.symlinkSync('tarGet', path)),
    expected: ['symlink target'],
  },
  {
    what: 'a name that is a file of its own',
    mutate: (root) => replaceBy(join(root, 'd/linked'), (path) => copyOf(path, 'd/file')),
    expected: ['d/linked link'],
  },
  {
    what: 'two equal files that are one',
    mutate: (root) => {
      fs.rmSync(join(root, 'e/other-linked'));
      fs.linkSync(join(root, 'e/third'), join(root, 'e/other-linked'));
    },
    expected: ['e/other-linked link', 'e/third link'],
  },
  {
    what: 'a byte of a small file',
    mutate: (root) => overwrite(join(root, 'single'), 5),
    expected: ['single contents'],
  },
  {
    what: 'the last byte of a large file',
    mutate: (root) => overwrite(join(root, 'large'), 2_499_999),
    expected: ['large contents'],
  },
  {
    what: 'a byte of a file with several names',
    mutate: (root) => overwrite(join(root, 'e/linked'), 0),
    expected: ['d/file contents'],
  },
  {
    what: 'a value of an xattr',
    mutate: (root) => setXattr(join(root, 'single'), 'user.small', 'valuE'),
    expected: ['single xattr user.small'],
  },
  {
    what: 'an xattr more, of a directory',
    mutate: (root) => setXattr(join(root, 'd'), 'user.more', ''),
    expected: ['d xattr user.more'],
  },
  {
    what: 'an xattr less',
    mutate: (root) => lremovexattr(Buffer.from(join(root, 'single')), Buffer.from('trusted.other')),
    expected: ['single xattr trusted.other'],
  },
  {
    what: 'an xattr of the root',
    mutate: (root) => setXattr(root, 'user.root', 'x'),
    expected: ['. xattr user.root'],
  },
  {
    what: 'a trusted xattr of a symlink',
    mutate: (root) => setXattr(join(root, 'symlink'), 'trusted.link', 'x'),
    expected: ['symlink xattr trusted.link'],
  },
  {
    what: 'an ACL',
    mutate: (root) =>
      setXattr(
        join(root, 'single'),
        ACCESS,
        aclOf('u::rw-', 'u:8:r--', 'g::r--', 'm::r--', 'o::---'),
      ),
    expected: [`single xattr ${ACCESS}`],
  },
  {
    what: 'a default ACL',
    mutate: (root) =>
      setXattr(join(root, 'e'), DEFAULT, aclOf('u::rwx', 'u:8:r--', 'g::r--', 'm::r--', 'o::---')),
    expected: [`e xattr ${DEFAULT}`],
  },
];

/** A file of its own with the contents that `name` has in every tree. */
function copyOf(path: string, name: string): void {
  fs.writeFileSync(path, `contents of ${name}`);
}

for (const { what, mutate, last, expected } of MUTATIONS) {
  test(`what differs is found and named: ${what}`, () =>
    withFolder(async (folder) => {
      const [a, b] = [join(folder, 'a'), join(folder, 'b')];
      for (const root of [a, b]) makeSmallTree(root);
      mutate(b);
      setTimes(b);
      last?.(b);
      assert.equal(brief(await findings(a, b)), expected);
      // Which tree comes first makes no difference.
      assert.equal(brief(await findings(b, a)), expected);
    }));
}

test.run();
