/** rename(2) and renameat2(2). */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import {
  asUser,
  exists,
  fails,
  mtimeNs,
  OLD,
  OLD_NS,
  posix,
  posixAsRoot,
  USER,
  withFile,
} from './case.js';
import { RENAME_EXCHANGE, RENAME_NOREPLACE, renameat2, utimensat } from './libc.js';

const RENAME_WHITEOUT = 4;

/** a, b: files with their names as contents; d, e: directories, e with a file in it. */
function furnish(dir: string): Record<'a' | 'b' | 'd' | 'e', string> {
  const paths = { a: join(dir, 'a'), b: join(dir, 'b'), d: join(dir, 'd'), e: join(dir, 'e') };
  fs.writeFileSync(paths.a, 'a');
  fs.writeFileSync(paths.b, 'b');
  fs.mkdirSync(paths.d);
  fs.mkdirSync(paths.e);
  fs.writeFileSync(join(paths.e, 'file'), 'in e');
  return paths;
}

function isWhiteout(path: string): void {
  const { mode, rdev, nlink } = fs.lstatSync(path);
  assert.equal([mode, rdev, nlink], [fs.constants.S_IFCHR, 0, 1]);
}

function text(path: string): string {
  return fs.readFileSync(path, 'utf8');
}

export const rename = [
  posix('a rename keeps the inode and its mtime, and moves both parents’ mtime', (dir) => {
    const { a, d, e } = furnish(dir);
    const { ino } = fs.statSync(a);
    utimensat(a, OLD, OLD);
    fs.renameSync(a, join(d, 'moved'));
    assert.is(fs.statSync(join(d, 'moved')).ino, ino);
    assert.is(mtimeNs(join(d, 'moved')), OLD_NS);
    assert.not(exists(a));
    for (const path of [d, e]) utimensat(path, OLD, OLD);
    fs.renameSync(join(d, 'moved'), join(e, 'again'));
    assert.ok(mtimeNs(d) > OLD_NS);
    assert.ok(mtimeNs(e) > OLD_NS);
  }),
  posix('a rename replaces a file at once, whose open descriptor stays good', (dir) => {
    const { a, b } = furnish(dir);
    fs.linkSync(b, join(dir, 'b2'));
    withFile(b, 'r', (fd) => {
      fs.renameSync(a, b);
      assert.is(text(b), 'a');
      assert.is(fs.readFileSync(fd, 'utf8'), 'b');
      assert.is(fs.fstatSync(fd).nlink, 1);
    });
    assert.is(text(join(dir, 'b2')), 'b');
    assert.not(exists(a));
  }),
  posix('a replaced file without another name lives on while it is open', (dir) => {
    const { a, b } = furnish(dir);
    withFile(b, 'r+', (fd) => {
      fs.renameSync(a, b);
      assert.is(fs.fstatSync(fd).nlink, 0);
      fs.writeSync(fd, 'more', 1);
      assert.is(fs.fstatSync(fd).size, 5);
    });
    assert.is(text(b), 'a');
  }),
  posix('renaming one of two names of a file over the other changes nothing', (dir) => {
    const { a } = furnish(dir);
    fs.linkSync(a, join(dir, 'a2'));
    fs.renameSync(a, join(dir, 'a2'));
    assert.ok(exists(a));
    assert.is(fs.statSync(a).nlink, 2);
    fs.renameSync(a, a);
    assert.is(text(a), 'a');
  }),
  posix('a directory replaces an empty directory only', (dir) => {
    const { a, d, e } = furnish(dir);
    fails('ENOTEMPTY', () => fs.renameSync(d, e));
    fails('ENOTDIR', () => fs.renameSync(d, a));
    fails('EISDIR', () => fs.renameSync(a, d));
    const links = fs.statSync(dir).nlink;
    fs.renameSync(e, d);
    assert.is(text(join(d, 'file')), 'in e');
    assert.not(exists(e));
    assert.is(fs.statSync(dir).nlink, links - 1);
  }),
  posix('a directory cannot move below itself', (dir) => {
    const { d } = furnish(dir);
    fs.mkdirSync(join(d, 'x', 'y'), { recursive: true });
    fails('EINVAL', () => fs.renameSync(d, join(d, 'new')));
    fails('EINVAL', () => fs.renameSync(d, join(d, 'x', 'y', 'new')));
    fails('ENOTEMPTY', () => fs.renameSync(join(d, 'x', 'y'), d));
    assert.ok(exists(join(d, 'x', 'y')));
  }),
  posix('missing names and files as parents fail', (dir) => {
    const { a, b } = furnish(dir);
    fails('ENOENT', () => fs.renameSync(join(dir, 'missing'), b));
    fails('ENOENT', () => fs.renameSync(a, join(dir, 'missing', 'x')));
    fails('ENOTDIR', () => fs.renameSync(a, join(b, 'x')));
    assert.is(text(a) + text(b), 'ab');
  }),
  posix('a moved directory takes its tree along and knows its new parent', (dir) => {
    const { d, e } = furnish(dir);
    const [from, to] = [fs.statSync(dir).nlink, fs.statSync(d).nlink];
    fs.renameSync(e, join(d, 'inner'));
    assert.is(text(join(d, 'inner', 'file')), 'in e');
    assert.is(fs.statSync(`${d}/inner/..`).ino, fs.statSync(d).ino);
    assert.is(fs.statSync(dir).nlink, from - 1);
    assert.is(fs.statSync(d).nlink, to + 1);
  }),
  posix('an open file can be renamed, also with the directory above it', (dir) => {
    const { e } = furnish(dir);
    withFile(join(e, 'file'), 'a', (fd) => {
      fs.renameSync(join(e, 'file'), join(e, 'renamed'));
      fs.renameSync(e, join(dir, 'moved'));
      fs.writeSync(fd, ' and on');
    });
    assert.is(text(join(dir, 'moved', 'renamed')), 'in e and on');
  }),
  posix('NOREPLACE moves to a free name only', (dir) => {
    const { a, b, d } = furnish(dir);
    fails('EEXIST', () => renameat2(a, b, RENAME_NOREPLACE));
    fails('EEXIST', () => renameat2(a, d, RENAME_NOREPLACE));
    renameat2(a, join(dir, 'c'), RENAME_NOREPLACE);
    assert.is(text(join(dir, 'c')), 'a');
    assert.is(text(b), 'b');
  }),
  posix('EXCHANGE swaps two files', (dir) => {
    const { a, b } = furnish(dir);
    const [inoA, inoB] = [fs.statSync(a).ino, fs.statSync(b).ino];
    renameat2(a, b, RENAME_EXCHANGE);
    assert.is(text(a), 'b');
    assert.is(text(b), 'a');
    assert.equal([fs.statSync(a).ino, fs.statSync(b).ino], [inoB, inoA]);
    assert.is(fs.statSync(a).nlink, 1);
  }),
  posix('EXCHANGE swaps a file and a directory of different parents', (dir) => {
    const { d, e } = furnish(dir);
    fs.mkdirSync(join(d, 'inner'));
    fs.writeFileSync(join(d, 'inner', 'x'), 'x');
    const [linksD, linksE] = [fs.statSync(d).nlink, fs.statSync(e).nlink];
    renameat2(join(d, 'inner'), join(e, 'file'), RENAME_EXCHANGE);
    assert.is(text(join(d, 'inner')), 'in e');
    assert.is(text(join(e, 'file', 'x')), 'x');
    assert.is(fs.statSync(d).nlink, linksD - 1);
    assert.is(fs.statSync(e).nlink, linksE + 1);
    assert.is(fs.statSync(`${e}/file/..`).ino, fs.statSync(e).ino);
  }),
  posix('EXCHANGE of two full directories works, of one with its ancestor does not', (dir) => {
    const { d, e } = furnish(dir);
    fs.writeFileSync(join(d, 'mine'), 'in d');
    renameat2(d, e, RENAME_EXCHANGE);
    assert.is(text(join(e, 'mine')), 'in d');
    assert.is(text(join(d, 'file')), 'in e');
    fs.mkdirSync(join(d, 'x'));
    fails('EINVAL', () => renameat2(d, join(d, 'x'), RENAME_EXCHANGE));
    fails(['EINVAL', 'ENOTEMPTY'], () => renameat2(join(d, 'x'), d, RENAME_EXCHANGE));
  }),
  posix('EXCHANGE needs both names, and no contradicting flag', (dir) => {
    const { a, b } = furnish(dir);
    fails('ENOENT', () => renameat2(a, join(dir, 'missing'), RENAME_EXCHANGE));
    fails('ENOENT', () => renameat2(join(dir, 'missing'), a, RENAME_EXCHANGE));
    fails('EINVAL', () => renameat2(a, b, RENAME_EXCHANGE | RENAME_NOREPLACE));
    fails('EINVAL', () => renameat2(a, b, 0x80));
    assert.is(text(a) + text(b), 'ab');
  }),
  posix('WHITEOUT leaves a device of nothing under the old name', (dir) => {
    const { a, b, d } = furnish(dir);
    renameat2(a, join(dir, 'c'), RENAME_WHITEOUT);
    assert.is(text(join(dir, 'c')), 'a');
    isWhiteout(a);
    // It is an object of its own, which can be moved, replaced and removed.
    renameat2(b, a, RENAME_WHITEOUT);
    assert.is(text(a), 'b');
    isWhiteout(b);
    fs.renameSync(b, join(d, 'moved'));
    isWhiteout(join(d, 'moved'));
    fs.unlinkSync(join(d, 'moved'));
    assert.not(exists(b));
  }),
  posix('WHITEOUT of a directory, and with NOREPLACE', (dir) => {
    const { a, d, e } = furnish(dir);
    const [links, linksOfD] = [fs.statSync(dir).nlink, fs.statSync(d).nlink];
    fails('EEXIST', () => renameat2(e, d, RENAME_WHITEOUT | RENAME_NOREPLACE));
    renameat2(e, join(d, 'e'), RENAME_WHITEOUT | RENAME_NOREPLACE);
    isWhiteout(e);
    assert.is(text(join(d, 'e', 'file')), 'in e');
    assert.equal([fs.statSync(dir).nlink, fs.statSync(d).nlink], [links - 1, linksOfD + 1]);
    fails('EINVAL', () => renameat2(a, d, RENAME_WHITEOUT | RENAME_EXCHANGE));
    assert.equal(fs.readdirSync(dir).sort(), ['a', 'b', 'd', 'e']);
  }),
  posix('WHITEOUT leaves nothing where nothing moves', (dir) => {
    const { a } = furnish(dir);
    fs.linkSync(a, join(dir, 'a2'));
    for (const to of [a, join(dir, 'a2')]) renameat2(a, to, RENAME_WHITEOUT);
    assert.is(text(a), 'a');
    assert.is(fs.statSync(a).nlink, 2);
  }),
  posixAsRoot(
    'a whiteout belongs to who renamed, and to the group that the directory gives',
    (dir) => {
      const { d } = furnish(dir);
      fs.chownSync(d, 0, 77);
      fs.chmodSync(d, 0o2777);
      asUser(() => {
        fs.writeFileSync(join(d, 'x'), '');
        renameat2(join(d, 'x'), join(d, 'y'), RENAME_WHITEOUT);
      });
      isWhiteout(join(d, 'x'));
      const { uid, gid } = fs.lstatSync(join(d, 'x'));
      assert.equal([uid, gid], [USER.uid, 77]);
    },
  ),
];
