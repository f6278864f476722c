/** Contents while files change: what is read is never older than what was asked for, and nothing is made up. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../../src/base/errno.js';
import type { Fid } from '../../../src/base/fid.js';
import { type FileCalls, FileContents } from '../../../src/bridges/send/file-contents.js';
import { CONTENTS_READ_BYTES, SPARSE_BYTES_MIN } from '../../../src/bridges/send/limits.js';
import { SendError } from '../../../src/bridges/send/send-error.js';
import type { Contents } from '../../../src/bridges/stream/frame.js';
import { systemError } from '../../../src/consumer/errors.js';
import { fidOf } from './fake-log.js';

const FILE = fidOf(1);
const BLOCK = 4096;

/** One file: blocks of a letter, holes where the letter is a dot. Changes after so many calls. */
class FakeFile implements FileCalls {
  readonly calls: string[] = [];
  blocks: string;
  /** What becomes of it when that call is made. */
  readonly changes = new Map<number, string>();
  fails: string | undefined;
  open_ = 0;

  constructor(blocks: string) {
    this.blocks = blocks;
  }

  open(fid: Fid): number | undefined {
    this.#count('open');
    if (fid !== FILE) return undefined;
    this.open_ += 1;
    return 7;
  }

  read(_fd: number, into: Uint8Array, length: number, at: number): number {
    this.#count('read');
    const count = Math.max(0, Math.min(length, this.#size() - at));
    for (let i = 0; i < count; i++) into[i] = this.#byteAt(at + i);
    return count;
  }

  seekData(_fd: number, at: number): number | undefined {
    this.#count('seekData');
    return this.#seek(at, (letter) => letter !== '.');
  }

  seekHole(_fd: number, at: number): number | undefined {
    this.#count('seekHole');
    if (at >= this.#size()) return undefined;
    return this.#seek(at, (letter) => letter === '.') ?? this.#size();
  }

  size(): number {
    this.#count('size');
    return this.#size();
  }

  close(): void {
    this.open_ -= 1;
  }

  #seek(at: number, matches: (letter: string) => boolean): number | undefined {
    for (let block = Math.floor(at / BLOCK); block < this.blocks.length; block++) {
      if (matches(this.blocks[block] ?? '')) return Math.max(at, block * BLOCK);
    }
    return undefined;
  }

  #size(): number {
    return this.blocks.length * BLOCK;
  }

  #byteAt(at: number): number {
    const letter = this.blocks[Math.floor(at / BLOCK)] ?? '';
    return letter === '.' ? 0 : letter.charCodeAt(0);
  }

  #count(call: string): void {
    this.calls.push(call);
    this.blocks = this.changes.get(this.calls.length) ?? this.blocks;
    if (this.fails === call) throw systemError(Errno.EIO, call, 'a file');
  }
}

/** The parts, each as `start+length kind`, data as its letters. */
async function read(
  file: FakeFile,
  ranges: readonly (readonly [number, number])[],
  fid: Fid = FILE,
): Promise<string[]> {
  const parts: string[] = [];
  await new FileContents(file).read(
    fid,
    ranges.map(([start, blocks]) => ({ offset: start * BLOCK, length: blocks * BLOCK })),
    (part) => {
      parts.push(describe(part));
      return parts.length % 2 === 0 ? Promise.resolve() : undefined;
    },
  );
  assert.is(file.open_, 0, 'it is closed');
  return parts;
}

function describe(part: Contents): string {
  if (part.kind === 'gone') return 'gone';
  if (part.kind === 'hole') return `${part.offset / BLOCK}+${part.length / BLOCK} hole`;
  const text = Buffer.from(part.bytes).toString('latin1');
  return `${part.offset / BLOCK} ${text.replace(/(.)\1*/g, (run, letter: string) => `${letter}${run.length / BLOCK}`)}`;
}

const SPARSE_BLOCKS = SPARSE_BYTES_MIN / BLOCK;

test('a short range costs one open and one read', async () => {
  const file = new FakeFile('abc');
  assert.equal(await read(file, [[0, 2]]), ['0 a1b1']);
  assert.equal(file.calls, ['open', 'read']);
  assert.equal(
    await read(file, [
      [0, 1],
      [2, 1],
    ]),
    ['0 a1', '2 c1'],
  );
});

test('the holes of a long range are found, and not read', async () => {
  const n = SPARSE_BLOCKS;
  const file = new FakeFile(`${'.'.repeat(n)}ab${'.'.repeat(n)}c${'.'.repeat(n)}`);
  assert.equal(await read(file, [[0, 3 * n + 3]]), [
    `0+${n} hole`,
    `${n} a1b1`,
    `${n + 2}+${n} hole`,
    `${2 * n + 2} c1`,
    `${2 * n + 3}+${n} hole`,
  ]);
  assert.is(file.calls.filter((call) => call === 'read').length, 2);
});

test('a range that ends inside a hole, or is one, tells only of its own bytes', async () => {
  const n = SPARSE_BLOCKS;
  const file = new FakeFile(`a${'.'.repeat(4 * n)}b`);
  assert.equal(await read(file, [[1, n]]), [`1+${n} hole`]);
  assert.equal(await read(file, [[0, 2 * n]]), ['0 a1', `1+${2 * n - 1} hole`]);
});

test('a large file comes in bounded parts', async () => {
  const blocks = CONTENTS_READ_BYTES / BLOCK;
  const parts = await read(new FakeFile('a'.repeat(2 * blocks + 1)), [[0, 2 * blocks + 1]]);
  assert.equal(parts, [`0 a${blocks}`, `${blocks} a${blocks}`, `${2 * blocks} a1`]);
});

test('nothing is told of what is beyond the end of the file', async () => {
  const n = SPARSE_BLOCKS;
  assert.equal(await read(new FakeFile('ab'), [[0, 3]]), ['0 a1b1']);
  assert.equal(
    await read(new FakeFile('ab'), [
      [5, 1],
      [9, 1],
    ]),
    [],
  );
  assert.equal(await read(new FakeFile('ab'), [[0, 2 * n]]), ['0 a1b1']);
  assert.equal(
    await read(new FakeFile('a.'), [
      [0, 2 * n],
      [3 * n, n],
    ]),
    ['0 a1', '1+1 hole'],
  );
  assert.equal(await read(new FakeFile(''), [[0, 2 * n]]), []);
});

test('a file that is gone is no error', async () => {
  assert.equal(await read(new FakeFile('a'), [[0, 1]], fidOf(2)), ['gone']);
});

test('whatever changes between two calls, what is read is there', async () => {
  const n = SPARSE_BLOCKS;
  const before = `aa${'.'.repeat(n)}aa`;
  const after = [
    'b'.repeat(n + 4),
    'b',
    '',
    `${'.'.repeat(n + 4)}`,
    `.b${'.'.repeat(n)}bbbb`,
    'b'.repeat(3 * n),
  ];
  for (const changed of after) {
    for (let call = 1; call <= 8; call++) {
      const file = new FakeFile(before);
      file.changes.set(call, changed);
      const got = await contentsOf(file, n + 4);
      // Each block is as before or as after, or, if the file was shorter, not told of.
      for (let block = 0; block < n + 4; block++) {
        const letter = got.get(block);
        const possible = [before[block], changed[block]];
        if (letter === undefined)
          assert.ok(possible[1] === undefined, `${changed} ${call} ${block}`);
        else assert.ok(possible.includes(letter), `${changed} ${call} ${block} ${letter}`);
      }
    }
  }
});

/** The letter of each block that is told of; a dot for a hole, and for bytes that are zero. */
async function contentsOf(file: FakeFile, blocks: number): Promise<Map<number, string>> {
  const got = new Map<number, string>();
  const range = { offset: 0, length: blocks * BLOCK };
  await new FileContents(file).read(FILE, [range], (part) => {
    if (part.kind === 'gone') throw new Error('it is there');
    const length = part.kind === 'hole' ? part.length : part.bytes.length;
    for (let at = 0; at < length; at += BLOCK) {
      const byte = part.kind === 'hole' ? 0 : (part.bytes[at] ?? 0);
      got.set((part.offset + at) / BLOCK, byte === 0 ? '.' : String.fromCharCode(byte));
    }
    return undefined;
  });
  return got;
}

test('what cannot be read ends the stream with the reason, and the file is closed', async () => {
  for (const call of ['open', 'read', 'seekData', 'seekHole']) {
    const file = new FakeFile('ab');
    file.fails = call;
    try {
      await read(file, [[0, SPARSE_BLOCKS]]);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, SendError);
      assert.match(
        (error as SendError).message,
        /\.lustre\/fid\/\[0x200000401:0x1:0x0\].*EIO.*write that file anew or remove it/,
      );
    }
    assert.is(file.open_, 0);
  }
});

test('what the one who takes it throws is passed on as it is', async () => {
  const file = new FakeFile('ab');
  const range = { offset: 0, length: 1 };
  const why = new Error('enough');
  try {
    await new FileContents(file).read(FILE, [range], () => Promise.reject(why));
    assert.unreachable();
  } catch (error) {
    assert.is(error, why);
  }
  assert.is(file.open_, 0);
});

test.run();
