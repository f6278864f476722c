/** Keys hold numbers of 64 bits, of which feedfs uses those that a double holds exactly. */

const TWO_32 = 2 ** 32;
const HIGH_WORD_MAX = 2 ** 21;

/**
 * True if the key has so many bytes, and its numbers of 64 bits at `numbersAt` are below
 * 2^53. No other can be one of ours: it would be taken for its neighbour.
 */
export function isExactKey(key: Buffer, bytes: number, ...numbersAt: readonly number[]): boolean {
  return key.length === bytes && numbersAt.every((at) => isExact(key, at));
}

function isExact(key: Buffer, at: number): boolean {
  const high = key.readUInt32BE(at);
  return high < HIGH_WORD_MAX && Number.isSafeInteger(high * TWO_32 + key.readUInt32BE(at + 4));
}
