/** System calls bound for copies: what they follow, how they fail, and what leaves no trace. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../../src/base/errno.js';
import { cString, procPath } from '../../../src/bridges/libc/binding.js';
import { SystemCallError } from '../../../src/bridges/libc/error.js';
import { openUnseen } from '../../../src/bridges/libc/open.js';
import { isHole, seekData, seekHole } from '../../../src/bridges/libc/seek.js';
import { freshStat, fstat } from '../../../src/bridges/libc/stat.js';
import {
  getXattr,
  getXattrOrThrow,
  listXattrs,
  listXattrsOrThrow,
  removeXattr,
  setXattr,
  setXattrOpen,
} from '../../../src/bridges/libc/xattr.js';

const FOLLOW = { follow: true };
const NO_FOLLOW = { follow: false };
const NAME = 'user.feedfs-test';
const { O_RDONLY, O_NOATIME } = fs.constants;

function inFolder(run: (at: (name: string) => string) => void): void {
  const folder = fs.mkdtempSync(join(tmpdir(), 'feedfs-libc-'));
  try {
    run((name) => join(folder, name));
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

test('an attribute is that of the object, or of what a symlink leads to', () => {
  inFolder((at) => {
    fs.writeFileSync(at('file'), 'x');
    fs.symlinkSync('file', at('link'));
    const [file, link] = [cString(at('file')), cString(at('link'))];
    assert.is(setXattr(link, NAME, Buffer.from('1'), FOLLOW), 0);
    assert.equal(listXattrs(file, NO_FOLLOW), [NAME]);
    assert.equal(getXattr(link, NAME, FOLLOW), Buffer.from('1'));
    assert.equal(listXattrs(link, NO_FOLLOW), []);
    // Only files and directories have attributes of users.
    assert.is(setXattr(link, NAME, Buffer.from('1'), NO_FOLLOW), -Errno.EPERM);
    assert.is(removeXattr(link, NAME, NO_FOLLOW), -Errno.EPERM);
    assert.is(removeXattr(link, NAME, FOLLOW), 0);
    assert.is(removeXattr(file, NAME, NO_FOLLOW), -Errno.ENODATA);
  });
});

test('an open file has them by its descriptor and by the path of that', () => {
  inFolder((at) => {
    const fd = fs.openSync(at('file'), 'w');
    try {
      assert.is(setXattrOpen(fd, NAME, Buffer.from('1')), 0);
      assert.equal(getXattr(procPath(fd), NAME, FOLLOW), Buffer.from('1'));
      assert.is(getXattr(procPath(fd), 'n'.repeat(5_000), FOLLOW), -Errno.ENAMETOOLONG);
    } finally {
      fs.closeSync(fd);
    }
  });
});

test('no attribute is no failure, no object is one', () => {
  inFolder((at) => {
    fs.writeFileSync(at('file'), 'x');
    assert.is(getXattrOrThrow(cString(at('file')), NAME), undefined);
    assert.equal(listXattrsOrThrow(cString(at('file'))), []);
    const gone = cString(at('gone'));
    const isGone = (error: Error): boolean =>
      error instanceof SystemCallError && error.code === 'ENOENT';
    assert.throws(() => getXattrOrThrow(gone, NAME), isGone);
    assert.throws(() => listXattrsOrThrow(gone), isGone);
    assert.is(freshStat(gone), undefined);
  });
});

test('statx tells what stat does', () => {
  inFolder((at) => {
    fs.writeFileSync(at('file'), 'four', { mode: 0o640 });
    fs.utimesSync(at('file'), new Date(-5_000), new Date(7_000));
    const fd = fs.openSync(at('file'), 'r');
    try {
      const wanted = fs.fstatSync(fd);
      const fresh = freshStat(cString(at('file')));
      assert.is(fresh?.mode, wanted.mode);
      assert.is(fresh?.size, 4);
      assert.is(fresh?.inode, wanted.ino);
      assert.is(fresh?.names, 1);
      assert.equal([fresh?.uid, fresh?.gid], [wanted.uid, wanted.gid]);
      assert.equal(fresh?.atime, { sec: -5, nsec: 0 });
      assert.equal(fresh?.mtime, { sec: 7, nsec: 0 });
      const { atime: _, mtime: __, ctime: ___, ...rest } = fresh ?? {};
      assert.equal(fstat(fd), rest);
    } finally {
      fs.closeSync(fd);
    }
  });
});

test('holes', () => {
  inFolder((at) => {
    const fd = fs.openSync(at('file'), 'w+');
    try {
      const data = 1024 * 1024;
      fs.writeSync(fd, 'x', data);
      fs.ftruncateSync(fd, 2 * data);
      const found = seekData(fd, 0);
      if (found === 0) return; // A filesystem without holes.
      assert.ok(isHole(fd, 0, found));
      assert.not.ok(isHole(fd, 0, found + 1));
      const end = seekHole(fd, found);
      assert.ok(end > data);
      assert.ok(isHole(fd, end, 2 * data));
      assert.is(seekData(fd, end), -Errno.ENXIO);
      assert.is(seekHole(fd, 3 * data), -Errno.ENXIO);
    } finally {
      fs.closeSync(fd);
    }
    assert.not.ok(isHole(-1, 0, 1), 'nobody can tell');
  });
});

test('where opening without a trace is not allowed, opening with one is', () => {
  const eperm = Object.assign(new Error(), { code: 'EPERM' });
  const refusals: readonly (() => number)[] = [
    () => -Errno.EPERM,
    () => {
      throw eperm;
    },
  ];
  for (const refuse of refusals) {
    const asked: number[] = [];
    const fd = openUnseen(O_RDONLY, (flags) => {
      asked.push(flags);
      return (flags & O_NOATIME) === 0 ? 7 : refuse();
    });
    assert.is(fd, 7);
    assert.equal(asked, [O_RDONLY | O_NOATIME, O_RDONLY]);
  }
});

test('any other failure to open is one, at once', () => {
  let asked = 0;
  const opened = openUnseen(O_RDONLY, () => {
    asked++;
    return -Errno.ELOOP;
  });
  assert.is(opened, -Errno.ELOOP);
  const eio = Object.assign(new Error('no'), { code: 'EIO' });
  const broken = (): number => {
    asked++;
    throw eio;
  };
  assert.throws(() => openUnseen(O_RDONLY, broken), 'no');
  assert.is(asked, 2);
});

test.run();
