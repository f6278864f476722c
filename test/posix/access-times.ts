/** Access times, as relatime has them. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { posix, withFile } from './case.js';
import { O_NOATIME } from './data-calls.js';
import { mmap } from './libc.js';

function atimeNs(path: string): bigint {
  return fs.lstatSync(path, { bigint: true }).atimeNs;
}

function otherTimes(path: string): readonly bigint[] {
  const { mtimeNs, ctimeNs } = fs.lstatSync(path, { bigint: true });
  return [mtimeNs, ctimeNs];
}

/** Until the clock that timestamps come from, which may be the timer's, has moved on. */
function nextTick(dir: string): void {
  const path = join(dir, 'clock');
  fs.writeFileSync(path, '');
  const before = fs.statSync(path, { bigint: true }).mtimeNs;
  while (fs.statSync(path, { bigint: true }).mtimeNs === before) fs.writeFileSync(path, 'x');
  fs.unlinkSync(path);
}

/** Whether `call` moves the access time of `path`, and no other. */
function moves(dir: string, path: string, call: () => void): boolean {
  const [before, others] = [atimeNs(path), otherTimes(path)];
  nextTick(dir);
  call();
  assert.equal(otherTimes(path), others);
  return atimeNs(path) > before;
}

export const accessTimes = [
  posix('the first read after a change moves atime, the next one does not', (dir) => {
    fs.mkdirSync(join(dir, 'sub'));
    for (const size of [10, 100_000]) {
      const path = join(dir, 'sub', `file-${size}`);
      const read = (): void => void fs.readFileSync(path);
      fs.writeFileSync(path, Buffer.alloc(size, 1));
      assert.ok(moves(dir, path, read));
      assert.not.ok(moves(dir, path, read));
      nextTick(dir);
      fs.chmodSync(path, 0o644);
      assert.ok(moves(dir, path, read), 'after chmod');
      nextTick(dir);
      fs.linkSync(path, `${path}-other`);
      assert.ok(moves(dir, path, read), 'after link');
      assert.not.ok(moves(dir, path, read));
    }
  }),
  posix('an old atime moves though nothing has changed', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'x');
    const day = 86_400;
    const now = Date.now() / 1000;
    fs.utimesSync(path, now - 2 * day, now - 3 * day);
    nextTick(dir);
    assert.ok(moves(dir, path, () => fs.readFileSync(path)));
  }),
  posix('O_NOATIME moves nothing', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'x');
    const flags = fs.constants.O_RDONLY | O_NOATIME;
    const read = (): void => void withFile(path, flags, (fd) => fs.readSync(fd, Buffer.alloc(1)));
    assert.not.ok(moves(dir, path, read));
  }),
  posix('looking at a file, or an empty read of it, is no access', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'x');
    assert.not.ok(moves(dir, path, () => fs.statSync(path)));
    assert.not.ok(moves(dir, path, () => withFile(path, 'r', () => undefined)));
    assert.not.ok(
      moves(dir, path, () => void withFile(path, 'r', (fd) => fs.readSync(fd, Buffer.alloc(0)))),
    );
  }),
  posix('a mapping that is read moves atime', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, Buffer.alloc(4096, 1));
    const look = (): void =>
      withFile(path, 'r+', (fd) => {
        const map = mmap(fd, 4096, 'private');
        assert.is(map.bytes[0], 1);
        map.unmap();
      });
    assert.ok(moves(dir, path, look));
  }),
  posix('listing a directory and following a link move theirs, once', (dir) => {
    const sub = join(dir, 'sub');
    fs.mkdirSync(sub);
    fs.writeFileSync(join(sub, 'file'), '');
    assert.ok(moves(dir, sub, () => fs.readdirSync(sub)));
    assert.not.ok(moves(dir, sub, () => fs.readdirSync(sub)));
    const links = [join(dir, 'one'), join(dir, 'two')] as const;
    for (const link of links) fs.symlinkSync('sub', link);
    assert.ok(moves(dir, links[0], () => fs.readlinkSync(links[0])));
    assert.ok(moves(dir, links[1], () => fs.statSync(links[1])));
    assert.not.ok(moves(dir, links[0], () => fs.readlinkSync(links[0])));
  }),
];
