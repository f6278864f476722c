/** mmap: what is written one way is read the other way, whoever does it and however it ends. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { mtimeNs, OLD, OLD_NS, posix, withFile } from './case.js';
import { type Mapping, mmap, utimensat } from './libc.js';

const PAGE = 4096;
const CHILD = fileURLToPath(new URL('mapping-child.js', import.meta.url));

function child(path: string, length: number, how: string, argument: string): string | number {
  const { status, signal } = spawnSync(process.execPath, [CHILD, path, `${length}`, how, argument]);
  return signal ?? status ?? -1;
}

/** A file of `size` bytes of `a`, mapped while its descriptor is open. */
function withMapping(
  path: string,
  size: number,
  kind: 'shared' | 'private',
  use: (map: Mapping, fd: number) => void,
): void {
  fs.writeFileSync(path, Buffer.alloc(size, 'a'));
  withFile(path, 'r+', (fd) => {
    const map = mmap(fd, size, kind);
    try {
      use(map, fd);
    } finally {
      map.unmap();
    }
  });
}

function readAt(fd: number, offset: number, length: number): string {
  const buffer = Buffer.alloc(length);
  return buffer.toString('latin1', 0, fs.readSync(fd, buffer, 0, length, offset));
}

function textOf({ bytes }: Mapping, offset: number, length: number): string {
  return Buffer.from(bytes.slice(offset, offset + length)).toString('latin1');
}

export const mappings = [
  posix('a shared mapping and read and write of another open see each other at once', (dir) => {
    const path = join(dir, 'file');
    for (const size of [2 * PAGE, 10 * PAGE]) {
      withMapping(path, size, 'shared', (map) =>
        withFile(path, 'r+', (other) => {
          map.bytes.set(Buffer.from('map'), PAGE);
          assert.is(readAt(other, PAGE - 1, 5), 'amapa');
          fs.writeSync(other, Buffer.from('file'), 0, 4, PAGE + 1);
          assert.is(textOf(map, PAGE - 1, 7), 'amfilea');
          map.bytes.set(Buffer.from('MAP'), PAGE);
          assert.is(readAt(other, PAGE - 1, 7), 'aMAPlea');
        }),
      );
      assert.is(fs.readFileSync(path, 'latin1').slice(PAGE, PAGE + 5), 'MAPle');
    }
  }),
  posix('another process sees what was unmapped, and what a process left that ended', (dir) => {
    const path = join(dir, 'file');
    for (const size of [PAGE + 100, 10 * PAGE]) {
      withMapping(path, size, 'shared', (map) => map.bytes.set(Buffer.from('unmapped'), 10));
      assert.is(
        spawnSync('head', ['-c', '19', path]).stdout.toString(),
        `${'a'.repeat(10)}unmappeda`,
      );
      assert.is(child(path, size, 'write', 'ended'), 0);
      assert.is(fs.readFileSync(path, 'latin1').slice(PAGE - 1, PAGE + 6), 'aendeda');
      assert.is(child(path, size, 'die', 'died'), 'SIGKILL');
      assert.is(fs.readFileSync(path, 'latin1').slice(PAGE - 1, PAGE + 6), 'adiedda');
    }
  }),
  posix('a write through a mapping moves mtime by the end of the mapping', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, Buffer.alloc(2 * PAGE, 'a'));
    utimensat(path, OLD, OLD);
    withFile(path, 'r+', (fd) => {
      const map = mmap(fd, 2 * PAGE, 'shared');
      map.bytes[0] = 1;
      map.sync();
      map.unmap();
    });
    assert.ok(mtimeNs(path) > OLD_NS);
  }),
  posix(
    'beyond the end of the file a mapping is SIGBUS; in the last page there are zeros',
    (dir) => {
      const path = join(dir, 'file');
      withMapping(path, 4 * PAGE, 'shared', (map, fd) => {
        assert.is(map.bytes[3 * PAGE], 'a'.charCodeAt(0));
        assert.is(child(path, 4 * PAGE, 'read', `${3 * PAGE}`), 0);
        fs.ftruncateSync(fd, PAGE + 10);
        assert.is(textOf(map, PAGE + 8, 4), 'aa\0\0');
        assert.is(child(path, 4 * PAGE, 'read', `${2 * PAGE - 1}`), 0);
        for (const at of [2 * PAGE, 3 * PAGE]) {
          assert.is(child(path, 4 * PAGE, 'read', `${at}`), 'SIGBUS');
        }
        fs.ftruncateSync(fd, 4 * PAGE);
        assert.is(textOf(map, 3 * PAGE, 4), '\0\0\0\0');
        map.bytes.set(Buffer.from('again'), 3 * PAGE);
        assert.is(readAt(fd, 3 * PAGE - 1, 7), '\0again\0');
      });
    },
  ),
  posix('a hole is filled through a mapping, page by page', (dir) => {
    const path = join(dir, 'file');
    withFile(path, 'w+', (fd) => {
      fs.ftruncateSync(fd, 100 * PAGE);
      const map = mmap(fd, 100 * PAGE, 'shared');
      map.bytes[50 * PAGE] = 1;
      map.bytes[99 * PAGE] = 2;
      map.sync();
      map.unmap();
      assert.ok(fs.fstatSync(fd).blocks * 512 < 50 * PAGE, `${fs.fstatSync(fd).blocks} blocks`);
    });
    const expected = Buffer.alloc(100 * PAGE);
    expected[50 * PAGE] = 1;
    expected[99 * PAGE] = 2;
    assert.ok(fs.readFileSync(path).equals(expected));
  }),
  posix('a private mapping sees the file until it is written, and never writes to it', (dir) => {
    const path = join(dir, 'file');
    withMapping(path, 2 * PAGE, 'private', (map) => {
      map.bytes.set(Buffer.from('mine'), 0);
      withFile(path, 'r+', (other) => fs.writeSync(other, Buffer.from('theirs'), 0, 6, PAGE));
      assert.is(textOf(map, 0, 5), 'minea');
    });
    assert.is(fs.readFileSync(path, 'latin1').slice(0, 5), 'aaaaa');
  }),
  posix('a file that has no name any more is mapped as before', (dir) => {
    const path = join(dir, 'file');
    withMapping(path, 2 * PAGE, 'shared', (map, fd) => {
      fs.unlinkSync(path);
      map.bytes.set(Buffer.from('orphan'), PAGE);
      map.sync();
      assert.is(readAt(fd, PAGE, 7), 'orphana');
    });
  }),
];
