/** The parsers of filters and policies: text that anybody may write. */
import { deepEqual } from 'node:assert/strict';
import { must } from '../../src/base/assert.js';
import { Errno, FsError } from '../../src/base/errno.js';
import { formatFilter, parseFilter } from '../../src/feed/filter.js';
import { formatPolicy, parsePolicy } from '../../src/feed/policy.js';
import type { Random } from '../support/random.js';
import { mutate } from './mutate.js';
import type { Subject, Target } from './target.js';

/** A reason is for a person to read. */
const REASON_BYTES_MAX = 1_000;

export const FILTERS: readonly string[] = [
  '',
  '{}',
  '{"ops":["create","unlink"],"subtree":"[0x200000401:0x2:0x0]","name":"*.jpg"}',
  '{"ops":"changes","uid":[0,1000,4294967294],"gid":100}',
  '{"ops":["accesses","rename"],"not":{"name":["*.tmp","~*"],"uid":0}}',
  '{"name":[{"base64":"/w=="},"[a-z]?*","\\\\*"]}',
];
export const POLICIES: readonly string[] = [
  '',
  '{}',
  '{"maxIdle":"30d","maxBytes":"64M","then":"drop-oldest"}',
  '{"maxIdle":"never","maxRecords":100000,"then":"block"}',
  '{"minFree":"5%","maxBytes":1048576,"then":"expire"}',
];
export const SETTING_WORDS: readonly Buffer[] = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\\',
  '*',
  '%',
  '-1',
  '0',
  '1e999',
]
  .concat([
    'null',
    'true',
    '"not":',
    '"ops":',
    '"uid":',
    '"name":',
    '"subtree":',
    '"then":',
    '"maxIdle":',
  ])
  .concat([
    '"maxBytes":',
    '"minFree":',
    '"drop-oldest"',
    '"block"',
    '"never"',
    '"0s"',
    '"__proto__":',
    '9e15',
    '\ufeff',
  ])
  .map((word) => Buffer.from(word));

interface Language {
  readonly corpus: readonly string[];
  /** The text of what was understood. FsError(EINVAL). */
  readonly understood: (text: string) => { readonly value: unknown; readonly text: string };
}

const FILTER: Language = {
  corpus: FILTERS,
  understood: (text) => {
    const value = parseFilter(text);
    return { value, text: formatFilter(value) };
  },
};
const POLICY: Language = {
  corpus: POLICIES,
  understood: (text) => {
    const value = parsePolicy(text);
    return { value, text: formatPolicy(value) };
  },
};

class Settings implements Subject {
  readonly #language: Language;
  readonly #corpus: readonly Buffer[];

  constructor(language: Language) {
    this.#language = language;
    this.#corpus = language.corpus.map((text) => Buffer.from(text));
  }

  generate(random: Random): Uint8Array {
    const start = must(random.pick(this.#corpus), 'text');
    return mutate(start, random, [...SETTING_WORDS, ...this.#corpus]);
  }

  check(input: Uint8Array): void {
    const text = Buffer.from(input).toString('utf8');
    let first: ReturnType<Language['understood']>;
    try {
      first = this.#language.understood(text);
    } catch (error) {
      const refused = error instanceof FsError && error.errno === Errno.EINVAL;
      if (!refused || error.message.length > REASON_BYTES_MAX) throw error;
      return;
    }
    deepEqual(this.#language.understood(first.text), first);
  }

  show(input: Uint8Array): string {
    return JSON.stringify(Buffer.from(input).toString('utf8'));
  }
}

const HOLDS =
  'a text is refused with EINVAL and a reason, or understood; its own text says the same';

export const filters: Target = {
  name: 'filters',
  holds: HOLDS,
  cases: 20_000,
  open: () => new Settings(FILTER),
};
export const policies: Target = {
  name: 'policies',
  holds: HOLDS,
  cases: 20_000,
  open: () => new Settings(POLICY),
};
