/** The two parsers of NDJSON lines: feedfs' own, and the one that consumers get. */
import { deepEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { must } from '../../src/base/assert.js';
import { FeedError } from '../../src/consumer/errors.js';
import { parseRecord } from '../../src/consumer/parse.js';
import { parseNdjson, renderNdjson } from '../../src/feed/encodings/ndjson.js';
import type { LogOffset } from '../../src/feed/record.js';
import { RecordError } from '../../src/feed/record-error.js';
import { arbitraryRecord } from '../support/arbitrary-record.js';
import type { Random } from '../support/random.js';
import { mutate } from './mutate.js';
import type { Subject, Target } from './target.js';

const CORPUS_RECORDS = 200;
const CORPUS_SEED = 2_008;
const WORDS = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ',',
  ':',
  'null',
  '-1',
  '1e999',
  '"op"',
  '"fid"',
  '""',
  '{}',
]
  .concat(['18446744073709551616', '0.5', '"base64"', '"\\ud800"', 'true', '9007199254740993'])
  .map((word) => Buffer.from(word));

export const lines: Target = {
  name: 'lines',
  holds: 'a line is a record or a RecordError, to consumers a record or a BAD_RECORD',
  cases: 10_000,
  open: () => new Lines(),
};

class Lines implements Subject {
  readonly #corpus: readonly Buffer[] = fc
    .sample(arbitraryRecord, { numRuns: CORPUS_RECORDS, seed: CORPUS_SEED })
    .map((record, i) => Buffer.from(renderNdjson(record, (i * 64) as LogOffset)));

  generate(random: Random): Uint8Array {
    return mutate(must(random.pick(this.#corpus), 'line'), random, WORDS);
  }

  check(input: Uint8Array): void {
    const line = Buffer.from(input).toString('utf8');
    checkOwn(line);
    const text = { offset: 0, length: input.length };
    try {
      parseRecord({ line, text }, 'stream.ndjson');
    } catch (error) {
      if (!(error instanceof FeedError) || error.code !== 'BAD_RECORD') throw error;
    }
  }

  show(input: Uint8Array): string {
    return JSON.stringify(Buffer.from(input).toString('utf8'));
  }
}

/** What is taken is understood: its own line says the same. */
function checkOwn(line: string): void {
  try {
    const { record, offset } = parseNdjson(line);
    const again = parseNdjson(renderNdjson(record, offset));
    deepEqual(again, { record, offset });
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
  }
}
