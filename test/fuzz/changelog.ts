/** The decoder of Lustre's changelog records, with which `feedfs changelog` prints them. */
import { must } from '../../src/base/assert.js';
import { decodeChangelog } from '../../src/feed/encodings/changelog-decode.js';
import { HEADER_BYTES } from '../../src/feed/encodings/changelog-layout.js';
import type { Random } from '../support/random.js';
import { mutate } from './mutate.js';
import type { Subject, Target } from './target.js';

const CORPUS = [0, 0x1000, 0x2000, 0x3000, 0xf000, 0xffff].map((flags) => {
  const bytes = Buffer.alloc(1_024, 'name of a file');
  bytes.writeUInt16LE(8, 0);
  bytes.writeUInt16LE(flags, 2);
  bytes.writeUInt32LE(0x1f, HEADER_BYTES + 64);
  return bytes;
});

export const changelog: Target = {
  name: 'changelog',
  holds: 'bytes are a record no longer than they are, or none',
  cases: 10_000,
  open: (): Subject => ({
    generate: (random: Random) => mutate(must(random.pick(CORPUS), 'record'), random),
    check: (input) => {
      const decoded = decodeChangelog(Buffer.from(input), 0);
      if (decoded === undefined) return;
      const { size } = decoded;
      if (size < HEADER_BYTES || size > input.length) throw new Error(`a record of ${size} bytes`);
    },
  }),
};
