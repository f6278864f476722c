/** The filter of a feed as the store has it: it was accepted once. */
import { FsError } from '../base/errno.js';
import { parseFilter } from './filter-parse.js';
import { ACCESS_OPS, CHANGE_OPS, EVERY_CHANGE, type Filter } from './filter-value.js';

/** Accesses too. */
const EVERYTHING: Filter = { ops: new Set([...CHANGE_OPS, ...ACCESS_OPS]) };

export interface StoredFilter {
  readonly filter: Filter;
  /** Why it is not the feed's own. */
  readonly refusal: string | undefined;
}

/**
 * Null is a feed without one. A text that is not understood, because the store is damaged
 * or was written by a newer version, lets everything pass: shown rather than lost.
 */
export function storedFilter(text: string | null): StoredFilter {
  if (text === null) return { filter: EVERY_CHANGE, refusal: undefined };
  try {
    return { filter: parseFilter(text), refusal: undefined };
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    const refusal = `the stored filter is not understood, so that everything passes: ${error.message}`;
    return { filter: EVERYTHING, refusal };
  }
}
