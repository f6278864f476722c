import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../../src/base/fid.js';
import { ContentsSpool } from '../../../src/bridges/receive/contents-spool.js';
import { CONTENTS_MEMORY_BYTES } from '../../../src/bridges/receive/limits.js';
import type { KeptContents } from '../../../src/bridges/receive/target.js';
import type { Contents } from '../../../src/bridges/stream/frame.js';
import { fid } from './sample-stream.js';

const PART_BYTES = 1024 * 1024;

function withSpool(use: (spool: ContentsSpool, folder: string) => void): void {
  const folder = fs.mkdtempSync(join(tmpdir(), 'feedfs-test-'));
  const spool = new ContentsSpool(folder);
  try {
    use(spool, folder);
  } finally {
    spool.close();
    fs.rmSync(folder, { recursive: true });
  }
}

/** Part number i: of one of three files, filled with i, or a hole, or gone. */
function part(i: number): Contents {
  const file = fid(i % 3);
  if (i % 5 === 3) return { kind: 'hole', fid: file, offset: i, length: 2 ** 40 + i };
  if (i % 11 === 7) return { kind: 'gone', fid: file };
  const size = i % 4 === 0 ? 10 : PART_BYTES - i;
  return { kind: 'data', fid: file, offset: i * PART_BYTES, bytes: Buffer.alloc(size, i) };
}

const ALL: ReadonlySet<Fid> = new Set([fid(0), fid(1), fid(2)]);

function check(contents: KeptContents, expected: readonly Contents[]): void {
  for (let round = 0; round < 2; round++) assert.ok(isEqual(contents.parts(), expected));
  for (const file of ALL) {
    const own = expected.filter((one) => one.fid === file);
    assert.ok(isEqual(contents.partsOf(file), own), `file ${file}`);
  }
}

function isEqual(found: Iterable<Contents>, expected: readonly Contents[]): boolean {
  let at = 0;
  for (const one of found) {
    const other = expected[at++];
    if (other === undefined || other.kind !== one.kind || other.fid !== one.fid) return false;
    if (one.kind === 'hole' && other.kind === 'hole') {
      if (one.offset !== other.offset || one.length !== other.length) return false;
    }
    if (one.kind === 'data' && other.kind === 'data') {
      if (one.offset !== other.offset || Buffer.compare(one.bytes, other.bytes) !== 0) return false;
    }
  }
  return at === expected.length;
}

function sequence(count: number): Contents[] {
  return Array.from({ length: count }, (_, i) => part(i));
}

test('few contents stay in memory', () => {
  withSpool((spool, folder) => {
    const parts = sequence(10);
    for (const one of parts) spool.add(one);
    assert.not(spool.isInFile);
    check(spool.view(10, ALL), parts);
    check(spool.view(4, ALL), parts.slice(0, 4));
    assert.equal(fs.readdirSync(folder), []);
  });
});

test('many go to a file without a name, and come back in order', () => {
  withSpool((spool, folder) => {
    const parts = sequence(60);
    for (const one of parts) spool.add(one);
    assert.ok(spool.isInFile);
    assert.equal(fs.readdirSync(folder), []);
    check(spool.view(60, ALL), parts);
    const some = new Set([fid(1)]);
    const own = parts.filter((one) => one.fid === fid(1));
    assert.ok(isEqual(spool.view(60, some).parts(), own));
    assert.ok(isEqual(spool.view(60, some).partsOf(fid(2)), []));
  });
});

test('with a range only the parts that have some of it, in memory and in the file', () => {
  withSpool((spool) => {
    const small = (i: number): Contents => {
      return { kind: 'data', fid: fid(1), offset: 100 * (i % 500), bytes: Buffer.alloc(60, i) };
    };
    const parts = [...Array.from({ length: 1_000 }, (_, i) => small(i)), ...sequence(60)];
    for (const one of parts) spool.add(one);
    assert.ok(spool.isInFile);
    const range = { offset: 30_030, length: 100 };
    const own = parts.filter((one) => {
      if (one.kind === 'gone' || one.fid !== fid(1)) return false;
      const length = one.kind === 'data' ? one.bytes.length : one.length;
      return one.offset < 30_130 && one.offset + length > 30_030;
    });
    const view = spool.view(parts.length, ALL);
    assert.ok(own.length > 4);
    assert.ok(isEqual(view.partsOf(fid(1), range), own));
  });
});

test('what was cut off is zeros in what came before, and only as far as that goes', () => {
  withSpool((spool) => {
    const one: Contents = { kind: 'data', fid: fid(1), offset: 10, bytes: Buffer.alloc(20, 1) };
    spool.add(one);
    for (const size of [40, 30, 15, 20, 5]) spool.cut(fid(1), size);
    spool.cut(fid(2), 0);
    const hole = { kind: 'hole', fid: fid(1) } as const;
    const holes = [
      { ...hole, offset: 15, length: 15 },
      { ...hole, offset: 5, length: 10 },
    ];
    assert.ok(isEqual(spool.view(spool.count, ALL).parts(), [one, ...holes]));
    spool.drop(spool.count);
    spool.cut(fid(1), 0);
    assert.is(spool.count, 0);
  });
});

test('what is dropped makes room', () => {
  withSpool((spool) => {
    for (let round = 0; round < 3; round++) {
      const parts = sequence(60);
      for (const one of parts) spool.add(one);
      check(spool.view(60, ALL), parts);
      spool.drop(60);
      assert.is(spool.count, 0);
      assert.is(spool.bytes, 0);
      assert.not(spool.isInFile);
    }
  });
});

test('the first parts go, and the others stay, in memory and in the file', () => {
  for (const total of [12, 60]) {
    withSpool((spool) => {
      const parts = sequence(total);
      for (const one of parts) spool.add(one);
      spool.drop(5);
      assert.is(spool.count, total - 5);
      check(spool.view(total - 5, ALL), parts.slice(5));
      check(spool.view(3, ALL), parts.slice(5, 8));
      const more = part(100);
      spool.add(more);
      check(spool.view(total - 4, ALL), [...parts.slice(5), more]);
    });
  }
});

test('a part larger than all of the memory', () => {
  withSpool((spool) => {
    const large: Contents = {
      kind: 'data',
      fid: fid(0),
      offset: 0,
      bytes: Buffer.alloc(CONTENTS_MEMORY_BYTES + 1, 7),
    };
    spool.add(large);
    assert.ok(spool.isInFile);
    check(spool.view(1, ALL), [large]);
  });
});

test('a directory that cannot be written is told when the file is needed', () => {
  const spool = new ContentsSpool('/proc/self');
  assert.throws(
    () => {
      for (const one of sequence(60)) spool.add(one);
    },
    (error: unknown) => error instanceof Error && 'code' in error,
  );
});

test.run();
