/** Written ranges of a file against a set of bytes. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Extents } from '../../src/client/extents.js';

const arbitraryWrites = fc.array(fc.tuple(fc.nat(120), fc.nat(12)), { maxLength: 40 });

function rangesOf(model: ReadonlySet<number>): { offset: number; length: number }[] {
  const ranges: { offset: number; length: number }[] = [];
  for (const at of [...model].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last.offset + last.length === at) last.length++;
    else ranges.push({ offset: at, length: 1 });
  }
  return ranges;
}

test('ascending, disjoint, merged where they touch', () => {
  fc.assert(
    fc.property(arbitraryWrites, (writes) => {
      const extents = new Extents();
      const model = new Set<number>();
      for (const [offset, length] of writes) {
        extents.add(offset, length);
        for (let at = offset; at < offset + length; at++) model.add(at);
        assert.equal(extents.list, rangesOf(model));
        assert.is(extents.bytes, model.size);
      }
      extents.clear();
      assert.equal([extents.list.length, extents.bytes], [0, 0]);
    }),
    { numRuns: 500 },
  );
});

test('at most so many: the last one spans the rest', () => {
  const extents = new Extents();
  for (let i = 0; i < 10; i++) extents.add(10 * i, 5);
  assert.equal(extents.atMost(10), extents.list);
  assert.equal(extents.atMost(3), [
    { offset: 0, length: 5 },
    { offset: 10, length: 5 },
    { offset: 20, length: 75 },
  ]);
  assert.equal(extents.atMost(1), [{ offset: 0, length: 95 }]);
});

test('asking whether there are many sorts nothing', () => {
  const extents = new Extents();
  for (let i = 0; i < 8; i++) extents.add(100 + 10 * i, 5);
  for (let i = 0; i < 3; i++) extents.add(10 * i, 5);
  assert.ok(extents.reaches(8));
  // Whether those aside are ranges of their own is not known, and not found out for this.
  assert.not.ok(extents.reaches(9));
  assert.is(extents.list.length, 11);
  assert.ok(extents.reaches(11));
});

test('so many are kept, and the last of them stands for the rest', () => {
  const extents = new Extents();
  for (let at = 0; at < 10; at++) extents.add(10 * at, 1);
  extents.keep(3);
  assert.equal(extents.list, [
    { offset: 0, length: 1 },
    { offset: 10, length: 1 },
    { offset: 20, length: 71 },
  ]);
  assert.is(extents.bytesAtMost, 73);
  extents.keep(3);
  assert.is(extents.list.length, 3);
});

test.run();
