/**
 * A mount by the driver fuse-native: what it must do, and each thing that it cannot, as
 * native-notes/fuse-native.md and test/corpus/differences.ts have them.
 */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { asUser, fails, withFile } from '../posix/case.js';
import * as libc from '../posix/libc.js';
import { HAS_FUSE_NATIVE, useFuseNative } from '../support/fuse-native.js';
import { removeFolder, TEMP_PREFIX, TestMount } from '../support/mount.js';

const O_TMPFILE = 0o20000000 | fs.constants.O_DIRECTORY;
/** Two names of one errno: Node has the one, libc.ts the other. */
const UNSUPPORTED = ['ENOTSUP', 'EOPNOTSUPP'];
/** More than a store keeps with the attributes. */
const OBJECT_BYTES = 200_000;
const root = process.getuid?.() === 0;

useFuseNative();
const folder = fs.mkdtempSync(join(tmpdir(), TEMP_PREFIX));
fs.chmodSync(folder, 0o755);
const mount = new TestMount(folder, { options: 'driver=fuse-native' });
let count = 0;

/** A file with some contents, and a directory of its own for each test. */
function fresh(): { dir: string; file: string } {
  const dir = join(mount.mnt, `${count++}`);
  fs.mkdirSync(dir);
  const file = join(dir, 'file');
  fs.writeFileSync(file, 'contents');
  return { dir, file };
}

test.before(() => mount.mount());

test.after(async () => {
  try {
    await mount.unmount();
  } finally {
    await mount.destroy();
    removeFolder(folder);
  }
});

test('names of one file are one file', () => {
  const { dir, file } = fresh();
  const other = join(dir, 'other');
  fs.linkSync(file, other);
  assert.is(fs.statSync(other).ino, fs.statSync(file).ino);
  withFile(file, 'r+', (fd) => {
    fs.writeSync(fd, 'C', 0);
    assert.is(fs.readFileSync(other, 'utf8'), 'Contents');
    fs.chmodSync(other, 0o600);
    assert.is(fs.fstatSync(fd).mode & 0o777, 0o600);
    assert.is(fs.fstatSync(fd).nlink, 2);
  });
});

test('a deleted file that is open: no name is left, reading and writing go on', () => {
  const { dir, file } = fresh();
  withFile(file, 'r+', (fd) => {
    fs.unlinkSync(file);
    assert.equal(fs.readdirSync(dir), []);
    assert.is(fs.fstatSync(fd).nlink, 0);
    fs.writeSync(fd, ' and more', 8);
    fs.ftruncateSync(fd, 16);
    const buffer = Buffer.alloc(20);
    assert.is(buffer.toString('utf8', 0, fs.readSync(fd, buffer, 0, 20, 0)), 'contents and mor');
    fs.rmdirSync(dir);
  });
});

/** Files of the store that hold contents. */
function objectFiles(): string[] {
  const all = fs.readdirSync(join(mount.store, 'objects'), { recursive: true, encoding: 'utf8' });
  return all.filter(
    (path) => fs.statSync(join(mount.store, 'objects', path)).size > OBJECT_BYTES / 2,
  );
}

test('the contents of a file that was deleted while open go when it is closed', () => {
  const { dir } = fresh();
  const before = objectFiles();
  const paths = ['deleted', 'replaced'].map((name) => join(dir, name));
  const fds = paths.map((path) => fs.openSync(path, 'w+'));
  for (const fd of fds) {
    fs.writeSync(fd, Buffer.alloc(OBJECT_BYTES, 1));
    fs.fsyncSync(fd);
  }
  assert.is(objectFiles().length, before.length + 2);
  fs.unlinkSync(join(dir, 'deleted'));
  fs.writeFileSync(join(dir, 'new'), 'new');
  fs.renameSync(join(dir, 'new'), join(dir, 'replaced'));
  for (const fd of fds) fs.closeSync(fd);
  // Storage is given back once nobody can need it after a crash: some commits later.
  for (let i = 0; i < 100 && objectFiles().length > before.length; i++) {
    fs.writeFileSync(join(dir, 'other'), `${i}`);
    withFile(join(dir, 'other'), 'r', fs.fsyncSync);
  }
  assert.equal(objectFiles(), before);
});

test('a file that is open is replaced: its other name counts, its bytes stay', () => {
  const { dir, file } = fresh();
  fs.linkSync(file, join(dir, 'kept'));
  fs.writeFileSync(join(dir, 'new'), 'new');
  withFile(file, 'r', (fd) => {
    fs.renameSync(join(dir, 'new'), file);
    assert.is(fs.fstatSync(fd).nlink, 1);
    assert.is(fs.readFileSync(fd, 'utf8'), 'contents');
  });
  assert.equal(fs.readdirSync(dir).sort(), ['file', 'kept']);
});

test('a closed file may be called like a hidden one', () => {
  const { dir, file } = fresh();
  const name = '.fuse_hidden0000000100000002';
  fs.renameSync(file, join(dir, name));
  assert.equal(fs.readdirSync(dir), [name]);
  assert.is(fs.readFileSync(join(dir, name), 'utf8'), 'contents');
});

test('an attribute goes into as much room as there is, or not at all', () => {
  const { file } = fresh();
  libc.setxattr(file, 'user.a', Buffer.from('12345'));
  assert.is(libc.xattrLength(file, 'user.a'), 5);
  fails('ERANGE', () => libc.getxattr(file, 'user.a', 4));
  assert.is(`${libc.getxattr(file, 'user.a', 5)}`, '12345');
  fails('ERANGE', () => libc.listxattr(file, 6));
  assert.equal(libc.listxattr(file, 7), ['user.a']);
});

test('both times are set, in milliseconds', () => {
  const { file } = fresh();
  libc.utimensat(file, { sec: 5, nsec: 1_999_999 }, { sec: 1_000_000_000, nsec: 7_000_000 });
  const { atimeNs, mtimeNs } = fs.statSync(file, { bigint: true });
  assert.is(atimeNs, 5_001_000_000n);
  assert.is(mtimeNs, 1_000_000_000_007_000_000n);
});

test('a feed can be made, looked at and removed, and says that it cannot be read here', () => {
  const feed = mount.feed('here');
  const info = JSON.parse(fs.readFileSync(join(feed, 'info'), 'utf8')) as { name: string };
  assert.is(info.name, 'here');
  for (const view of ['stream', 'stream.ndjson']) {
    for (const flags of ['r', 'r+']) fails(UNSUPPORTED, () => fs.openSync(join(feed, view), flags));
    assert.ok(fs.statSync(join(feed, view)).isFile());
  }
  fs.rmdirSync(feed);
  assert.not.ok(fs.existsSync(feed));
});

test('instead: no rename flags, no file without a name, no fallocate', () => {
  const { dir, file } = fresh();
  fs.mkdirSync(join(dir, 'there'));
  for (const [to, flags] of [
    ['new', libc.RENAME_NOREPLACE],
    ['there', libc.RENAME_EXCHANGE],
  ] as const) {
    fails('EINVAL', () => libc.renameat2(file, join(dir, to), flags));
  }
  fails(UNSUPPORTED, () => fs.openSync(dir, O_TMPFILE | fs.constants.O_RDWR));
  withFile(file, 'r+', (fd) => {
    for (const mode of [0, 1, 3]) fails(UNSUPPORTED, () => libc.fallocate(fd, mode, 0, 100));
  });
});

test('instead: no holes, no shared mapping', () => {
  const { file } = fresh();
  fs.truncateSync(file, 1_000_000);
  withFile(file, 'r+', (fd) => {
    assert.is(libc.lseek(fd, 500_000, libc.SEEK_DATA), 500_000);
    assert.is(libc.lseek(fd, 0, libc.SEEK_HOLE), 1_000_000);
    fails('ENODEV', () => libc.mmap(fd, 4096, 'shared'));
    const mapping = libc.mmap(fd, 4096, 'private');
    assert.is(Buffer.from(mapping.bytes.subarray(0, 8)).toString(), 'contents');
    mapping.unmap();
  });
});

test('instead: one time alone is not changed, and none is before 1970', () => {
  const { file } = fresh();
  const [set, omitted] = [
    { sec: 5, nsec: 0 },
    { sec: 0, nsec: libc.UTIME_OMIT },
  ];
  const before = fs.statSync(file, { bigint: true });
  libc.utimensat(file, set, omitted);
  libc.utimensat(file, omitted, set);
  const after = fs.statSync(file, { bigint: true });
  assert.is(after.mtimeNs, before.mtimeNs);
  assert.is(after.atimeNs, before.atimeNs);
  fails('EOVERFLOW', () => libc.utimensat(file, { sec: -1, nsec: 0 }, set));
});

test('instead: names and targets that are not UTF-8 are refused', () => {
  const { dir, file } = fresh();
  const odd = Buffer.from(`${dir}/\xff`, 'latin1');
  fails('EILSEQ', () => fs.writeFileSync(odd, ''));
  fails('EILSEQ', () => fs.renameSync(file, odd));
  fails('EILSEQ', () => fs.symlinkSync(Buffer.from('\xff', 'latin1'), join(dir, 'link')));
  assert.equal(fs.readdirSync(dir), ['file']);
});

test('instead: no attribute that the kernel would have to judge by', () => {
  const { file } = fresh();
  fails(UNSUPPORTED, () => libc.setxattr(file, 'system.posix_acl_access', Buffer.alloc(4)));
  fails(UNSUPPORTED, () => libc.getxattr(file, 'system.posix_acl_access'));
});

test('instead: the descriptor of a removed directory leads nowhere', () => {
  const { dir, file } = fresh();
  fs.unlinkSync(file);
  withFile(dir, 'r', (fd) => {
    fs.rmdirSync(dir);
    fails('ENOENT', () => fs.fstatSync(fd));
  });
});

if (root) {
  test('instead: nobody else is let in', () => {
    const { file } = fresh();
    fails('EACCES', () => asUser(() => fs.statSync(file)));
    fs.statSync(file);
  });
}

if (HAS_FUSE_NATIVE) test.run();
