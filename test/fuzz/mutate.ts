/** Bytes made wrong: a few small changes of something valid get further than noise does. */
import { must } from '../../src/base/assert.js';
import type { Random } from '../support/random.js';

const CHANGES_MAX = 4;
const PIECE_BYTES_MAX = 64;
/** Numbers at which code that counts goes wrong, as little-endian bytes. */
const EDGES = [
  [0x00],
  [0xff],
  [0x7f],
  [0x80],
  [0xff, 0xff],
  [0x00, 0x80],
  [0xff, 0xff, 0xff, 0xff],
  [0x00, 0x00, 0x00, 0x80],
  [0xff, 0xff, 0xff, 0x7f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0x00],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
] as const;

/** `words`: pieces that mean something where they stand. */
export function mutate(
  from: Uint8Array,
  random: Random,
  words: readonly Uint8Array[] = [],
): Buffer {
  let bytes: Buffer = Buffer.from(from);
  for (let left = 1 + random.below(CHANGES_MAX); left > 0; left--) {
    bytes = change(bytes, random, words);
  }
  return bytes;
}

export function noise(random: Random, bytesMax: number): Buffer {
  const bytes = Buffer.alloc(random.below(bytesMax + 1));
  for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(256);
  return bytes;
}

function change(bytes: Buffer, random: Random, words: readonly Uint8Array[]): Buffer {
  const at = random.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + 1 + random.below(PIECE_BYTES_MAX));
  const edge = Buffer.from(must(random.pick(EDGES), 'edge'));
  const word = random.pick(words) ?? edge;
  switch (random.below(8)) {
    case 0:
    case 1:
      return replaced(bytes, at, at + 1, [(bytes[at] ?? 0) ^ (1 << random.below(8))]);
    case 2:
      return replaced(bytes, at, at + edge.length, edge);
    case 3:
      return replaced(bytes, at, at, word);
    case 4:
      return replaced(bytes, at, at + word.length, word);
    case 5:
      return replaced(bytes, at, to, []);
    case 6:
      return replaced(bytes, at, at, bytes.subarray(at, to));
    default:
      return bytes.subarray(0, at);
  }
}

function replaced(bytes: Buffer, from: number, to: number, by: Iterable<number>): Buffer {
  return Buffer.concat([bytes.subarray(0, from), Uint8Array.from(by), bytes.subarray(to)]);
}
