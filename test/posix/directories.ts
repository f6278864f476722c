/** mkdir, rmdir, and reading directories while they change. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { fails, mtimeNs, OLD, OLD_NS, posix, withFile } from './case.js';
import { O_NOATIME } from './data-calls.js';
import {
  type DirectoryEntry,
  getdents,
  lseek,
  mknod,
  RENAME_EXCHANGE,
  renameat2,
  SEEK_SET,
  utimensat,
} from './libc.js';

const MANY = 3000;
/** A buffer that holds a few entries, so that a listing takes many calls. */
const SMALL = 512;

function fill(dir: string, count: number, prefix = 'entry'): Set<string> {
  const names = Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
  for (const name of names) fs.writeFileSync(join(dir, name), '');
  return new Set(names);
}

/** The rest of a listing; `each` runs between two calls. */
function readRest(fd: number, size: number, each?: (entries: DirectoryEntry[]) => void): string[] {
  const seen: string[] = [];
  for (let part = getdents(fd, size); part.length > 0; part = getdents(fd, size)) {
    seen.push(...part.map((entry) => entry.name));
    each?.(part);
  }
  return seen;
}

function withoutDots(names: readonly string[]): string[] {
  return names.filter((name) => name !== '.' && name !== '..');
}

const DT = { FIFO: 1, DIR: 4, REG: 8, LNK: 10 } as const;

export const directories = [
  posix('mkdir makes an empty directory of two links and adds one to its parent', (dir) => {
    const before = fs.statSync(dir).nlink;
    utimensat(dir, OLD, OLD);
    fs.mkdirSync(join(dir, 'sub'), 0o751);
    const stat = fs.statSync(join(dir, 'sub'));
    assert.ok(stat.isDirectory());
    assert.is(stat.nlink, 2);
    assert.is(stat.mode & 0o777, 0o751);
    assert.is(fs.statSync(dir).nlink, before + 1);
    assert.ok(mtimeNs(dir) > OLD_NS);
    fs.rmdirSync(join(dir, 'sub'));
    assert.is(fs.statSync(dir).nlink, before);
  }),
  posix('mkdir over anything is EEXIST', (dir) => {
    fs.writeFileSync(join(dir, 'file'), '');
    fs.symlinkSync('nowhere', join(dir, 'dangling'));
    fs.mkdirSync(join(dir, 'sub'));
    for (const name of ['file', 'dangling', 'sub']) {
      fails('EEXIST', () => fs.mkdirSync(join(dir, name)));
    }
  }),
  posix('rmdir tells its refusals apart', (dir) => {
    fs.mkdirSync(join(dir, 'full'));
    fs.writeFileSync(join(dir, 'full', 'file'), '');
    fs.symlinkSync('full', join(dir, 'link'));
    fails('ENOTEMPTY', () => fs.rmdirSync(join(dir, 'full')));
    fails('ENOTDIR', () => fs.rmdirSync(join(dir, 'full', 'file')));
    fails('ENOTDIR', () => fs.rmdirSync(join(dir, 'link')));
    fails('ENOENT', () => fs.rmdirSync(join(dir, 'missing')));
    fs.unlinkSync(join(dir, 'full', 'file'));
    fs.rmdirSync(join(dir, 'full'));
    fails('ENOENT', () => fs.statSync(join(dir, 'full')));
  }),
  posix('unlink of a directory is EISDIR', (dir) => {
    fs.mkdirSync(join(dir, 'sub'));
    fails(['EISDIR', 'EPERM'], () => fs.unlinkSync(join(dir, 'sub')));
    fails('ENOENT', () => fs.unlinkSync(join(dir, 'missing')));
  }),
  posix('a removed directory that is still open lists and takes nothing', (dir) => {
    const path = join(dir, 'sub');
    fs.mkdirSync(path);
    withFile(path, 'r', (fd) => {
      fs.rmdirSync(path);
      assert.is(fs.fstatSync(fd).nlink, 0);
      fails('ENOENT', () => getdents(fd));
      fails('ENOENT', () => fs.writeFileSync(`/proc/self/fd/${fd}/file`, ''));
      fails('ENOENT', () => fs.mkdirSync(`/proc/self/fd/${fd}/sub`));
    });
  }),
  posix('a listing has dot, dot-dot, types and inode numbers', (dir) => {
    const path = join(dir, 'sub');
    fs.mkdirSync(path);
    fs.mkdirSync(join(path, 'dir'));
    fs.writeFileSync(join(path, 'file'), '');
    fs.symlinkSync('file', join(path, 'link'));
    mknod(join(path, 'fifo'), fs.constants.S_IFIFO | 0o600);
    const entries = withFile(path, 'r', (fd) => getdents(fd));
    const byName = new Map(entries.map((entry) => [entry.name, entry]));
    assert.equal([...byName.keys()].sort(), ['.', '..', 'dir', 'fifo', 'file', 'link']);
    assert.is(byName.get('dir')?.type, DT.DIR);
    assert.is(byName.get('file')?.type, DT.REG);
    assert.is(byName.get('link')?.type, DT.LNK);
    assert.is(byName.get('fifo')?.type, DT.FIFO);
    for (const name of ['dir', 'fifo', 'file', 'link', '.']) {
      const { ino } = fs.lstatSync(join(path, name), { bigint: true });
      assert.is(byName.get(name)?.ino, ino, `inode of ${name}`);
    }
    assert.is(byName.get('..')?.type, DT.DIR);
  }),
  posix('dot-dot of a directory that was moved is its new parent', (dir) => {
    const [one, two] = [join(dir, 'one'), join(dir, 'two')];
    for (const parent of [one, two]) fs.mkdirSync(join(parent, 'sub'), { recursive: true });
    for (const noAccess of [0, O_NOATIME]) {
      // Its listing is known as a whole by then, and the move does not change the directory.
      const parentOf = (path: string): bigint | undefined =>
        withFile(path, fs.constants.O_RDONLY | noAccess, (fd) => {
          const entries = getdents(fd);
          assert.equal(getdents(fd), []);
          return entries.find(({ name }) => name === '..')?.ino;
        });
      const { ino: first } = fs.statSync(one, { bigint: true });
      const { ino: second } = fs.statSync(two, { bigint: true });
      for (let i = 0; i < 3; i++) assert.is(parentOf(join(one, 'sub')), first);
      for (let i = 0; i < 3; i++) assert.is(parentOf(join(two, 'sub')), second);
      renameat2(join(one, 'sub'), join(two, 'sub'), RENAME_EXCHANGE);
      assert.is(parentOf(join(one, 'sub')), first);
      assert.is(parentOf(join(two, 'sub')), second);
      fs.renameSync(join(one, 'sub'), join(two, 'moved'));
      assert.is(parentOf(join(two, 'moved')), second);
      fs.renameSync(join(two, 'moved'), join(one, 'sub'));
      assert.is(parentOf(join(one, 'sub')), first);
    }
  }),
  posix('thousands of entries are listed, each once', (dir) => {
    const made = fill(dir, MANY);
    for (const size of [SMALL, 32_768]) {
      const seen = withoutDots(withFile(dir, 'r', (fd) => readRest(fd, size)));
      assert.is(seen.length, MANY);
      assert.equal(new Set(seen), made);
    }
  }),
  posix('deleting every entry as it is listed leaves nothing behind', (dir) => {
    const made = fill(dir, MANY);
    const seen = withFile(dir, 'r', (fd) =>
      readRest(fd, SMALL, (part) => {
        for (const name of withoutDots(part.map((entry) => entry.name))) {
          fs.unlinkSync(join(dir, name));
        }
      }),
    );
    assert.equal(new Set(withoutDots(seen)), made);
    assert.is(withoutDots(seen).length, MANY);
    assert.equal(fs.readdirSync(dir), []);
  }),
  posix('entries that stay are listed once while others come and go', (dir) => {
    const stay = fill(dir, 1000, 'stay');
    fill(dir, 500, 'go');
    let step = 0;
    const seen = withFile(dir, 'r', (fd) =>
      readRest(fd, SMALL, () => {
        fs.rmSync(join(dir, `go-${step}`), { force: true });
        fs.writeFileSync(join(dir, `come-${step}`), '');
        if (step % 2 === 0) fs.renameSync(join(dir, `come-${step}`), join(dir, `moved-${step}`));
        step += 1;
        assert.ok(step < 5000, 'the listing does not end');
      }),
    );
    const kept = seen.filter((name) => name.startsWith('stay-'));
    assert.is(kept.length, stay.size);
    assert.equal(new Set(kept), stay);
    assert.is(new Set(seen).size, seen.length, 'no name twice');
  }),
  posix('a position of a listing stays good for seeking back', (dir) => {
    fill(dir, 300);
    withFile(dir, 'r', (fd) => {
      const all: DirectoryEntry[] = [];
      for (let part = getdents(fd, SMALL); part.length > 0; part = getdents(fd, SMALL))
        all.push(...part);
      for (const index of [2, 3, 57, 150, 298]) {
        lseek(fd, all[index]?.next ?? 0, SEEK_SET);
        assert.is(getdents(fd, SMALL)[0]?.name, all[index + 1]?.name, `after entry ${index}`);
      }
      // The entry before the position goes; the one after it is still next.
      const before = all.slice(100, 150).filter((entry) => !entry.name.startsWith('.'));
      for (const entry of before) fs.unlinkSync(join(dir, entry.name));
      lseek(fd, all[149]?.next ?? 0, SEEK_SET);
      assert.is(getdents(fd, SMALL)[0]?.name, all[150]?.name);
      lseek(fd, all.at(-1)?.next ?? 0, SEEK_SET);
      assert.equal(getdents(fd, SMALL), []);
    });
  }),
  posix('rewinding shows what was made meanwhile', (dir) => {
    fill(dir, 10);
    withFile(dir, 'r', (fd) => {
      readRest(fd, SMALL);
      fs.writeFileSync(join(dir, 'late'), '');
      fs.unlinkSync(join(dir, 'entry-3'));
      lseek(fd, 0, SEEK_SET);
      const seen = readRest(fd, SMALL);
      assert.ok(seen.includes('late'));
      assert.not.ok(seen.includes('entry-3'));
    });
  }),
  posix('two listings of one directory do not disturb each other', (dir) => {
    const made = fill(dir, 200);
    withFile(dir, 'r', (first) =>
      withFile(dir, 'r', (second) => {
        const started = getdents(first, SMALL).map((entry) => entry.name);
        assert.equal(new Set(withoutDots(readRest(second, 1024))), made);
        const rest = readRest(first, SMALL);
        assert.equal(new Set(withoutDots([...started, ...rest])), made);
      }),
    );
  }),
  posix('a tree is removed recursively', (dir) => {
    const top = join(dir, 'top');
    for (let i = 0; i < 20; i++) {
      fs.mkdirSync(join(top, `a-${i}`, 'b', 'c'), { recursive: true });
      fs.writeFileSync(join(top, `a-${i}`, 'b', 'file'), 'x');
      fs.symlinkSync('../file', join(top, `a-${i}`, 'b', 'c', 'link'));
    }
    fs.rmSync(top, { recursive: true });
    assert.equal(fs.readdirSync(dir), []);
  }),
];
