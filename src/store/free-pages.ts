/**
 * A value of the tree of free pages: which pages a transaction freed. A u64 says how many
 * u64 follow, and each of those is a page, 0, or, as a negative number, how many
 * pages are free from the one on that comes next.
 */
import { PageError } from './page.js';

const WORD_BYTES = 8;

/** First page and number of each run. Throws PageError. */
export function* freeRuns(
  value: Buffer,
): Generator<{ readonly page: number; readonly count: number }> {
  const words = Math.floor(value.length / WORD_BYTES);
  const count = words === 0 ? 0 : Number(value.readBigUInt64LE(0));
  if (count >= words) throw new PageError('a list of free pages is longer than it is');
  for (let i = 1; i <= count; i++) {
    const word = Number(value.readBigInt64LE(i * WORD_BYTES));
    if (word === 0) continue;
    if (word > 0) yield { page: word, count: 1 };
    else {
      i++;
      if (i > count) throw new PageError('a list of free pages ends with a length');
      yield { page: Number(value.readBigInt64LE(i * WORD_BYTES)), count: -word };
    }
  }
}
