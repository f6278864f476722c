/** What is written through mappings is in the feed, page by page, and as whose. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { mmap } from '../posix/libc.js';
import { type TestMount, withMount } from '../support/mount.js';

const PAGE = 4096;
const SIZE = 10 * PAGE;
const CHILD = fileURLToPath(new URL('../posix/mapping-child.js', import.meta.url));
const USER = 12_345;

interface Line {
  readonly op: string;
  readonly uid: number;
  readonly extents: readonly { readonly offset: string; readonly length: string }[];
}

/** The write records that came since the last call. */
class Writes {
  readonly #mount: TestMount;
  readonly #path: string;
  #seen = 0;

  constructor(mount: TestMount) {
    this.#mount = mount;
    this.#path = join(mount.feed('feed'), 'stream.ndjson');
  }

  next(): { uid: number; extents: number[][] }[] {
    const folder = fs.openSync(this.#mount.mnt, 'r');
    fs.fsyncSync(folder);
    fs.closeSync(folder);
    const { size } = fs.statSync(this.#path);
    const fd = fs.openSync(this.#path, 'r');
    const text = Buffer.alloc(size - this.#seen);
    if (text.length > 0) fs.readSync(fd, text, 0, text.length, this.#seen);
    fs.closeSync(fd);
    this.#seen = size;
    const lines = text
      .toString()
      .split('\n')
      .filter((line) => line !== '');
    return lines
      .map((line) => JSON.parse(line) as Line)
      .filter(({ op }) => op === 'write')
      .map(({ uid, extents }) => ({
        uid,
        extents: extents.map(({ offset, length }) => [Number(offset), Number(length)]),
      }));
  }
}

const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot('msync, unmapping and the end of a process each bring the pages that were written', () =>
  withMount((mount) => {
    const writes = new Writes(mount);
    const path = join(mount.mnt, 'file');
    fs.writeFileSync(path, Buffer.alloc(SIZE, 'a'));
    fs.chownSync(path, USER, USER);
    writes.next();
    const fd = fs.openSync(path, 'r+');
    const map = mmap(fd, SIZE, 'shared');
    map.bytes[2 * PAGE + 7] = 1;
    map.bytes[5 * PAGE] = 1;
    map.bytes[6 * PAGE] = 1;
    map.sync();
    fs.fsyncSync(fd);
    const synced = [
      [2 * PAGE, PAGE],
      [5 * PAGE, 2 * PAGE],
    ];
    assert.equal(writes.next(), [{ uid: 0, extents: synced }], 'msync and fsync');
    map.bytes[3 * PAGE] = 1;
    fs.closeSync(fd);
    map.unmap();
    assert.equal(writes.next(), [{ uid: 0, extents: [[3 * PAGE, PAGE]] }], 'close, then munmap');
    for (const how of ['write', 'die']) {
      const ids = { uid: USER, gid: USER };
      spawnSync(process.execPath, [CHILD, path, `${SIZE}`, how, 'text'], ids);
      assert.equal(writes.next(), [{ uid: USER, extents: [[PAGE, PAGE]] }], how);
      assert.is(fs.readFileSync(path, 'latin1').slice(PAGE, PAGE + 4), 'text');
    }
  }),
);

asRoot('a mapping that is only read brings nothing, and a private one neither', () =>
  withMount((mount) => {
    const writes = new Writes(mount);
    const path = join(mount.mnt, 'file');
    fs.writeFileSync(path, Buffer.alloc(SIZE, 'a'));
    writes.next();
    const fd = fs.openSync(path, 'r+');
    for (const kind of ['shared', 'private'] as const) {
      const map = mmap(fd, SIZE, kind);
      assert.is(map.bytes[PAGE], 'a'.charCodeAt(0));
      if (kind === 'private') map.bytes[PAGE] = 1;
      map.unmap();
    }
    fs.closeSync(fd);
    assert.equal(writes.next(), []);
  }),
);

test.run();
