/** The set of cancelled ranges against a set of record numbers. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CancelSet } from '../../src/feed/cancel-set.js';
import { CANCEL_CHUNK } from '../../src/feed/limits.js';
import type { Position, PositionRange } from '../../src/feed/position.js';
import type { LogOffset, RecordIndex, TextOffset } from '../../src/feed/record.js';
import { Random } from '../support/random.js';

/** Records of 8 to 64 bytes of log and 1 to 90 of text: boundaries by number. */
function boundaries(count: number): Position[] {
  const random = new Random(count);
  const positions: Position[] = [];
  let [offset, text] = [0, 0];
  for (let i = 0; i <= count; i++) {
    positions.push({
      offset: offset as LogOffset,
      index: (i + 1) as RecordIndex,
      text: text as TextOffset,
    });
    offset += 8 * (1 + random.below(8));
    text += 1 + random.below(90);
  }
  return positions;
}

function at(positions: readonly Position[], i: number): Position {
  const position = positions[i];
  if (position === undefined) throw new Error(`no boundary ${i}`);
  return position;
}

/** The ranges that the model's records make. */
function rangesOf(model: ReadonlySet<number>, positions: readonly Position[]): PositionRange[] {
  const ranges: PositionRange[] = [];
  for (let i = 0; i < positions.length; i++) {
    if (!model.has(i) || model.has(i - 1)) continue;
    let end = i;
    while (model.has(end)) end++;
    ranges.push({ start: at(positions, i), end: at(positions, end) });
  }
  return ranges;
}

function check(set: CancelSet, model: ReadonlySet<number>, positions: readonly Position[]): void {
  const ranges = rangesOf(model, positions);
  assert.equal([...set.ranges()], ranges);
  assert.is(set.count, ranges.length);
  const sum = (by: keyof Position): number =>
    ranges.reduce((total, { start, end }) => total + end[by] - start[by], 0);
  assert.equal(set.sums, { offset: sum('offset'), index: sum('index'), text: sum('text') });
}

test('any ranges in any order', () => {
  const count = 60;
  const positions = boundaries(count);
  const arbitraryRange = fc.tuple(fc.nat(count), fc.nat(20));
  fc.assert(
    fc.property(fc.array(arbitraryRange, { maxLength: 40 }), (ranges) => {
      const set = new CancelSet();
      const model = new Set<number>();
      /** What the store holds, from the changes that the set tells of. */
      const stored = new Map<number, PositionRange>();
      for (const [from, length] of ranges) {
        const to = Math.min(count, from + length);
        const change = set.add({ start: at(positions, from), end: at(positions, to) });
        for (const { start } of change.removed) assert.ok(stored.delete(start.offset));
        if (change.added !== undefined) stored.set(change.added.start.offset, change.added);
        for (let i = from; i < to; i++) model.add(i);
        check(set, model, positions);
      }
      const kept = [...stored.values()].sort((a, b) => a.start.offset - b.start.offset);
      assert.equal(kept, [...set.ranges()]);
    }),
    { numRuns: 300 },
  );
});

test('after, covers and endingBefore answer for every place', () => {
  const count = 40;
  const positions = boundaries(count);
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(count - 1), { maxLength: count }), (cancelled) => {
      const set = new CancelSet();
      for (const i of cancelled) set.add({ start: at(positions, i), end: at(positions, i + 1) });
      const ranges = rangesOf(new Set(cancelled), positions);
      for (const by of ['offset', 'text'] as const) {
        for (let place = 0; place <= at(positions, count)[by] + 1; place++) {
          const expected = ranges.find(({ end }) => end[by] > place);
          assert.equal(set.after(place, by), expected);
        }
      }
      for (let i = 0; i < count; i++) {
        const from = at(positions, i);
        const inside = ranges.find(({ start, end }) => start.index <= i + 1 && end.index > i + 1);
        const before = ranges.findLast(({ end }) => end.offset <= from.offset);
        assert.equal(set.endingBefore(from.offset), before);
        const to = at(positions, Math.min(count, i + 3));
        const covered = inside !== undefined && inside.end.offset >= to.offset;
        assert.is(set.covers(from.offset, to.offset), covered);
      }
    }),
    { numRuns: 60 },
  );
});

test('more ranges than a chunk holds, in random order, then all of them one', () => {
  const count = 5 * CANCEL_CHUNK;
  const positions = boundaries(2 * count);
  const order = Array.from({ length: count }, (_, i) => 2 * i);
  const random = new Random(3);
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const [a, b] = [order[i] ?? 0, order[j] ?? 0];
    order[i] = b;
    order[j] = a;
  }
  const set = new CancelSet();
  const model = new Set<number>();
  for (const i of order) {
    set.add({ start: at(positions, i), end: at(positions, i + 1) });
    model.add(i);
  }
  check(set, model, positions);
  set.add({ start: at(positions, 500), end: at(positions, 1500) });
  for (let i = 500; i < 1500; i++) model.add(i);
  check(set, model, positions);
  set.add({ start: at(positions, 0), end: at(positions, 2 * count) });
  assert.is(set.count, 1);
});

test('an empty range changes nothing', () => {
  const positions = boundaries(3);
  const set = new CancelSet();
  assert.equal(set.add({ start: at(positions, 1), end: at(positions, 1) }), {
    removed: [],
    added: undefined,
  });
  assert.is(set.count, 0);
});

test.run();
