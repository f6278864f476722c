/** A directory of a hundred thousand entries, read whole, in pieces, and while it changes. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { fails, type PosixCase, posix, withFile } from './case.js';
import { type DirectoryEntry, getdents, lseek, mknod, SEEK_SET } from './libc.js';

const ENTRIES = 100_000;
const { S_IFREG } = fs.constants;
const BUFFER_BYTES = 1024 * 1024;
/** Every so many entries one is renamed, one removed and one added while the directory is read. */
const STRIDE = 97;

/** All entries but the dots, each with where the next begins. */
function readAll(fd: number, each: (part: DirectoryEntry[]) => void = () => {}): DirectoryEntry[] {
  const all: DirectoryEntry[] = [];
  for (;;) {
    const part = getdents(fd, BUFFER_BYTES);
    if (part.length === 0) return all.filter(({ name }) => name !== '.' && name !== '..');
    all.push(...part);
    each(part);
  }
}

function name(i: number): string {
  return `entry-${i}`;
}

/** Asserts that each of `wanted` was listed exactly once, and whatever was listed at most once. */
function assertListed(entries: readonly DirectoryEntry[], wanted: Iterable<string>): void {
  const seen = new Set(entries.map((entry) => entry.name));
  assert.is(seen.size, entries.length, 'a name was listed twice');
  const missing = [...wanted].filter((one) => !seen.has(one));
  assert.equal(missing, [], `${missing.length} entries were not listed`);
}

/** Seeks to positions all over the listing: what follows must be what followed then. */
function assertPositions(fd: number, entries: readonly DirectoryEntry[]): void {
  for (let i = 0; i + 1 < entries.length; i += 9973) {
    lseek(fd, entries[i]?.next ?? 0, SEEK_SET);
    assert.is(getdents(fd, 4096)[0]?.name, entries[i + 1]?.name, `after entry ${i}`);
  }
}

export const largeDirectories: readonly PosixCase[] = [
  posix(
    'a directory of 100,000 entries: all listed once, positions hold, also while it changes',
    (dir) => {
      for (let i = 0; i < ENTRIES; i++) mknod(join(dir, name(i)), S_IFREG | 0o644);
      const stay = new Set(Array.from({ length: ENTRIES }, (_, i) => name(i)));
      withFile(dir, 'r', (fd) => {
        const all = readAll(fd);
        assert.is(all.length, ENTRIES);
        assertListed(all, stay);
        assertPositions(fd, all);

        lseek(fd, 0, SEEK_SET);
        let at = 0;
        const changed = readAll(fd, () => {
          for (const i of [at, at + STRIDE, ENTRIES - 1 - at]) {
            stay.delete(name(i));
            fs.rmSync(join(dir, name(i)), { force: true });
          }
          stay.delete(name(at + 1));
          if (fs.existsSync(join(dir, name(at + 1)))) {
            fs.renameSync(join(dir, name(at + 1)), join(dir, `renamed-${at}`));
          }
          mknod(join(dir, `new-${at}`), S_IFREG | 0o644);
          at += 2 * STRIDE;
        });
        assertListed(changed, stay);
        // Positions of the first listing still stand for the same places.
        const next = all.findIndex((entry, i) => i > ENTRIES / 2 && stay.has(entry.name));
        lseek(fd, all[next - 1]?.next ?? 0, SEEK_SET);
        assert.is(getdents(fd, 4096).find((entry) => stay.has(entry.name))?.name, all[next]?.name);
      });
      fails('ENOTEMPTY', () => fs.rmdirSync(dir));
      for (const entry of fs.readdirSync(dir)) fs.unlinkSync(join(dir, entry));
      assert.equal(fs.readdirSync(dir), []);
    },
  ),
];
