/** The record decoder: what the log holds after the disk has had its way with it. */
import { deepEqual } from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { must } from '../../src/base/assert.js';
import { RecordError, RecordReader, RecordWriter } from '../../src/feed/record-codec.js';
import { CRC_BYTES } from '../../src/feed/record-layout.js';
import { arbitraryRecord } from '../support/arbitrary-record.js';
import type { Random } from '../support/random.js';
import { mutate, noise } from './mutate.js';
import type { Subject, Target } from './target.js';

const CORPUS_RECORDS = 200;
const CORPUS_SEED = 2_008;
const NOISE_BYTES_MAX = 512;

export const records: Target = {
  name: 'records',
  holds: 'bytes are a record that encodes to the same bytes, or a RecordError',
  cases: 20_000,
  open: () => new Records(),
};

class Records implements Subject {
  readonly #corpus: readonly Buffer[];
  readonly #writer = new RecordWriter();

  constructor() {
    this.#corpus = fc
      .sample(arbitraryRecord, { numRuns: CORPUS_RECORDS, seed: CORPUS_SEED })
      .map((record) => this.#encode(record));
  }

  generate(random: Random): Uint8Array {
    if (random.chance(5)) return noise(random, NOISE_BYTES_MAX);
    const bytes = mutate(must(random.pick(this.#corpus), 'record'), random);
    // Without a right sum no other check would be reached.
    if (bytes.length >= 2 * CRC_BYTES && random.chance(80)) {
      bytes.writeUInt32LE(bytes.length, 0);
      bytes.writeUInt32LE(crc32(bytes.subarray(0, -CRC_BYTES)), bytes.length - CRC_BYTES);
    }
    return bytes;
  }

  check(input: Uint8Array): void {
    let decoded: ReturnType<RecordReader['decode']>;
    try {
      decoded = new RecordReader(input).decode(0);
    } catch (error) {
      if (error instanceof RecordError) return;
      throw error;
    }
    const again = this.#encode(decoded.record);
    deepEqual(again, Buffer.from(input.subarray(0, decoded.size)));
  }

  #encode(record: ReturnType<RecordReader['decode']>['record']): Buffer {
    this.#writer.reset();
    this.#writer.append(record, record);
    return Buffer.from(this.#writer.bytes);
  }
}
