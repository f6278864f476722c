/** Generators of filters as people write them: JSON values that parseFilter takes. */
import fc from 'fast-check';
import { formatFid } from '../../src/base/fid.js';
import { ACCESS_OPS, CHANGE_OPS } from '../../src/feed/filter-value.js';
import { arbitraryFid } from './arbitrary-record.js';

const OPS = [...CHANGE_OPS, ...ACCESS_OPS];

/** One value, or a list of up to `max`. */
function oneOrMore<T>(value: fc.Arbitrary<T>, max: number): fc.Arbitrary<T | T[]> {
  return fc.oneof(value, fc.array(value, { minLength: 1, maxLength: max }));
}

const pattern = fc.oneof(
  fc.constantFrom('*.jpg', '?', '[a-c]*', '[!.]*', '\\*', 'é?', '*~', 'a[]x]b'),
  fc.constantFrom({ base64: '/w==' }),
);

export const arbitraryOps: fc.Arbitrary<string | string[]> = oneOrMore(
  fc.constantFrom('changes', 'accesses', ...OPS),
  5,
);

const conditions = {
  uid: oneOrMore(fc.constantFrom(0, 1, 1000, 2 ** 32 - 2), 4),
  gid: oneOrMore(fc.constantFrom(0, 1, 1000, 2 ** 32 - 2), 4),
  name: oneOrMore(pattern, 4),
};

/** Some of these contradict themselves: a test leaves those out that parseFilter refuses. */
export const arbitraryFilterJson: fc.Arbitrary<object> = fc.record(
  {
    ops: arbitraryOps,
    subtree: arbitraryFid.filter((fid) => fid < 2 ** 52).map(formatFid),
    ...conditions,
    not: fc.record(
      { ops: arbitraryOps, ...conditions },
      { requiredKeys: [], noNullPrototype: true },
    ),
  },
  { requiredKeys: [], noNullPrototype: true },
);
