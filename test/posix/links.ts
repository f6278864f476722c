/** Hard links, symbolic links, and files without a name. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { fails, modeOf, mtimeNs, OLD, OLD_NS, posix, withFile } from './case.js';
import { AT_SYMLINK_NOFOLLOW, utimensat } from './libc.js';

export const links = [
  posix('a hard link is the same file, and nlink shows through both names', (dir) => {
    const [a, b] = [join(dir, 'a'), join(dir, 'b')];
    fs.writeFileSync(a, 'one');
    utimensat(dir, OLD, OLD);
    fs.linkSync(a, b);
    assert.is(fs.statSync(a).ino, fs.statSync(b).ino);
    assert.is(fs.statSync(a).nlink, 2);
    assert.is(fs.statSync(b).nlink, 2);
    assert.ok(mtimeNs(dir) > OLD_NS);
    fs.writeFileSync(b, 'through b');
    assert.is(fs.readFileSync(a, 'utf8'), 'through b');
    fs.chmodSync(b, 0o600);
    assert.is(modeOf(a), 0o600);
    fs.unlinkSync(a);
    assert.is(fs.statSync(b).nlink, 1);
    assert.is(fs.readFileSync(b, 'utf8'), 'through b');
  }),
  posix('link tells its refusals apart', (dir) => {
    fs.writeFileSync(join(dir, 'a'), '');
    fs.writeFileSync(join(dir, 'b'), '');
    fs.mkdirSync(join(dir, 'sub'));
    fails('EEXIST', () => fs.linkSync(join(dir, 'a'), join(dir, 'b')));
    fails('ENOENT', () => fs.linkSync(join(dir, 'missing'), join(dir, 'c')));
    fails('ENOENT', () => fs.linkSync(join(dir, 'a'), join(dir, 'missing', 'c')));
    fails('EPERM', () => fs.linkSync(join(dir, 'sub'), join(dir, 'c')));
  }),
  posix('a file may have hundreds of names in many directories', (dir) => {
    fs.writeFileSync(join(dir, 'file'), 'many');
    for (let i = 0; i < 200; i++) {
      fs.mkdirSync(join(dir, `d-${i}`));
      fs.linkSync(join(dir, 'file'), join(dir, `d-${i}`, 'name'));
    }
    assert.is(fs.statSync(join(dir, 'file')).nlink, 201);
    for (let i = 0; i < 200; i += 2) fs.unlinkSync(join(dir, `d-${i}`, 'name'));
    assert.is(fs.statSync(join(dir, 'd-199', 'name')).nlink, 101);
  }),
  posix('a symbolic link keeps its target to the byte, up to 4095', (dir) => {
    for (const length of [1, 100, 1023, 4095]) {
      const path = join(dir, `link-${length}`);
      const target = 't'.repeat(length);
      fs.symlinkSync(target, path);
      assert.is(fs.readlinkSync(path), target);
      const stat = fs.lstatSync(path);
      assert.ok(stat.isSymbolicLink());
      assert.is(stat.size, length);
      assert.is(stat.mode & 0o777, 0o777);
    }
    const bytes = Buffer.from([0xff, 0x2f, 0xfe]);
    fs.symlinkSync(bytes, join(dir, 'bytes'));
    assert.ok(fs.readlinkSync(join(dir, 'bytes'), 'buffer').equals(bytes));
  }),
  posix('symlink tells its refusals apart', (dir) => {
    fs.writeFileSync(join(dir, 'file'), '');
    fails('ENAMETOOLONG', () => fs.symlinkSync('t'.repeat(4096), join(dir, 'link')));
    fails('ENOENT', () => fs.symlinkSync('', join(dir, 'link')));
    fails('EEXIST', () => fs.symlinkSync('t', join(dir, 'file')));
    fails('EINVAL', () => fs.readlinkSync(join(dir, 'file')));
    fails('ENOENT', () => fs.readlinkSync(join(dir, 'missing')));
  }),
  posix('links are followed, dangle, and loop', (dir) => {
    fs.mkdirSync(join(dir, 'sub'));
    fs.writeFileSync(join(dir, 'sub', 'file'), 'found');
    fs.symlinkSync('sub', join(dir, 'to-dir'));
    fs.symlinkSync('to-dir/file', join(dir, 'to-file'));
    assert.is(fs.readFileSync(join(dir, 'to-file'), 'utf8'), 'found');
    fs.symlinkSync('nowhere', join(dir, 'dangling'));
    fails('ENOENT', () => fs.statSync(join(dir, 'dangling')));
    fs.writeFileSync(join(dir, 'dangling'), 'made through the link');
    assert.is(fs.readFileSync(join(dir, 'nowhere'), 'utf8'), 'made through the link');
    fs.symlinkSync('loop-b', join(dir, 'loop-a'));
    fs.symlinkSync('loop-a', join(dir, 'loop-b'));
    fails('ELOOP', () => fs.statSync(join(dir, 'loop-a')));
  }),
  posix('a symbolic link can have several names and times of its own', (dir) => {
    fs.writeFileSync(join(dir, 'file'), '');
    fs.symlinkSync('file', join(dir, 'a'));
    fs.linkSync(join(dir, 'a'), join(dir, 'b'));
    assert.is(fs.lstatSync(join(dir, 'b')).nlink, 2);
    assert.ok(fs.lstatSync(join(dir, 'b')).isSymbolicLink());
    utimensat(join(dir, 'b'), OLD, OLD, AT_SYMLINK_NOFOLLOW);
    assert.is(mtimeNs(join(dir, 'a')), OLD_NS);
    assert.ok(mtimeNs(join(dir, 'file')) > OLD_NS);
  }),
  posix('an unlinked file lives on until its last close', (dir) => {
    for (const size of [10, 100_000]) {
      const path = join(dir, `file-${size}`);
      withFile(path, 'w+', (fd) => {
        fs.writeSync(fd, Buffer.alloc(size, 5), 0, size, 0);
        fs.unlinkSync(path);
        assert.is(fs.fstatSync(fd).nlink, 0);
        fails('ENOENT', () => fs.statSync(path));
        const buffer = Buffer.alloc(size);
        assert.is(fs.readSync(fd, buffer, 0, size, 0), size);
        assert.ok(buffer.equals(Buffer.alloc(size, 5)));
        fs.writeSync(fd, 'more', size);
        fs.ftruncateSync(fd, size + 2);
        fs.fchmodSync(fd, 0o600);
        fs.fsyncSync(fd);
        assert.is(fs.fstatSync(fd).size, size + 2);
        assert.is(fs.fstatSync(fd).mode & 0o777, 0o600);
        // The name is free for another file meanwhile.
        fs.writeFileSync(path, 'another');
        assert.is(fs.fstatSync(fd).size, size + 2);
      });
      assert.is(fs.readFileSync(path, 'utf8'), 'another');
    }
  }),
  posix('an unlinked file is reachable through /proc and through another open', (dir) => {
    const path = join(dir, 'file');
    withFile(path, 'w+', (fd) => {
      fs.writeSync(fd, 'still here');
      fs.unlinkSync(path);
      assert.is(fs.readFileSync(`/proc/self/fd/${fd}`, 'utf8'), 'still here');
    });
  }),
  posix('a file of several names that is open loses one and stays', (dir) => {
    fs.writeFileSync(join(dir, 'a'), 'x');
    fs.linkSync(join(dir, 'a'), join(dir, 'b'));
    withFile(join(dir, 'a'), 'r+', (fd) => {
      fs.unlinkSync(join(dir, 'a'));
      assert.is(fs.fstatSync(fd).nlink, 1);
      fs.writeSync(fd, 'y');
    });
    assert.is(fs.readFileSync(join(dir, 'b'), 'utf8'), 'y');
  }),
];
