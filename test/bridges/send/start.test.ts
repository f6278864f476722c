/** Where a stream begins, and when there can be none. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SendError } from '../../../src/bridges/send/send-error.js';
import type { FeedStanding } from '../../../src/bridges/send/standing.js';
import {
  type Copy,
  chooseStart,
  confirmedByCopy,
  type StartFacts,
} from '../../../src/bridges/send/start.js';
import type { LogPlace } from '../../../src/rpc/baseline.js';

function place(index: number): LogPlace {
  return { epoch: 0, offset: index * 100, index };
}

const STANDING: FeedStanding = {
  id: 3,
  name: 'backup',
  filesystem: 'abc',
  epoch: 0,
  nextOffset: 9_000,
  nextIndex: 90,
  acknowledged: place(41),
  gaps: 0,
  filter: undefined,
  filterFrom: undefined,
};

const COPY: Copy = { filesystem: 'abc', feed: 3, baseline: 'complete', place: place(50) };

function start(facts: Partial<StartFacts>): unknown {
  return chooseStart({
    wish: 'any',
    standing: STANDING,
    copy: undefined,
    kept: undefined,
    ...facts,
  });
}

function refusal(facts: Partial<StartFacts>): string {
  try {
    start(facts);
  } catch (error) {
    assert.instance(error, SendError);
    return `${(error as SendError).kind}: ${(error as SendError).message}`;
  }
  throw new Error('it was not refused');
}

function from(index: number): unknown {
  return { kind: 'records', from: place(index) };
}

test('where nothing is known it begins with a baseline', () => {
  assert.equal(start({}), { kind: 'baseline' });
  assert.equal(start({ wish: 'baseline', copy: COPY }), { kind: 'baseline' });
  assert.equal(start({ copy: null }), { kind: 'baseline' });
});

test('from last: behind what was acknowledged, or kept in a file later than that', () => {
  assert.equal(start({ wish: 'last' }), from(41));
  assert.equal(start({ wish: 'last', kept: place(60) }), from(60));
  assert.equal(start({ wish: 'last', kept: place(30) }), from(41));
  // Of another life of this log.
  assert.equal(start({ wish: 'last', kept: place(91) }), from(41));
  assert.equal(start({ wish: 'last', kept: { ...place(60), epoch: 1 } }), from(41));
});

test('from a record: what the feed still has, and no further than it goes', () => {
  assert.equal(start({ wish: { index: 41 } }), from(41));
  assert.equal(start({ wish: { index: 42 } }), { kind: 'index', index: 42 });
  assert.equal(start({ wish: { index: 90 } }), from(90));
  assert.match(refusal({ wish: { index: 40 } }), /^incomplete.*before record 41.*--baseline/);
  assert.match(
    refusal({ wish: { index: 91 } }),
    /^beyond.*the last one is 89.*--from last.*--baseline/,
  );
});

test('to a copy: behind what it has', () => {
  assert.equal(start({ copy: COPY }), from(50));
  assert.equal(start({ wish: 'last', copy: COPY }), from(50));
});

test('to a copy that lacks more than the feed has: a baseline, unless only changes are wanted', () => {
  const copies: readonly (readonly [Copy, RegExp])[] = [
    [{ ...COPY, feed: 4 }, /another feed/],
    [{ ...COPY, baseline: 'running' }, /not finished/],
    [{ ...COPY, place: place(40) }, /record 40 comes next/],
    // This filesystem was restored from a backup.
    [
      { ...COPY, place: place(91) },
      /ahead of the feed \(record 91 comes next there, and 90 here\)/,
    ],
    [{ ...COPY, place: { ...place(80), offset: 9_008 } }, /ahead of the feed/],
    [{ ...COPY, place: { ...place(80), epoch: 1 } }, /ahead of the feed/],
  ];
  for (const [copy, why] of copies) {
    const chosen = start({ copy }) as { kind: string; note: string };
    assert.is(chosen.kind, 'baseline');
    assert.match(chosen.note, why);
    assert.match(refusal({ wish: 'last', copy }), why);
  }
  assert.match(refusal({ wish: 'last', copy: null }), /no copy yet/);
});

test('to a copy of something else: nothing', () => {
  assert.match(refusal({ copy: { ...COPY, filesystem: 'def' } }), /^receiver.*another filesystem/);
});

test('what a copy has is acknowledged, if that is news and of this log', () => {
  const confirmed = (copy: Copy | null | undefined) => confirmedByCopy(STANDING, copy);
  assert.equal(confirmed(COPY), place(50));
  assert.equal(confirmed({ ...COPY, place: place(90) }), place(90));
  // A place inside a batch: its beginning, and a record of it.
  assert.equal(confirmed({ ...COPY, place: { ...place(50), index: 52 } }), {
    ...place(50),
    index: 52,
  });
  const others: readonly (Copy | null | undefined)[] = [
    undefined,
    null,
    { ...COPY, place: place(41) },
    { ...COPY, place: place(30) },
    { ...COPY, place: place(91) },
    { ...COPY, place: { ...place(80), offset: 9_008 } },
    { ...COPY, place: { ...place(50), epoch: 1 } },
    { ...COPY, baseline: 'running' },
    { ...COPY, feed: 4 },
    { ...COPY, filesystem: 'def' },
  ];
  for (const copy of others) assert.is(confirmed(copy), undefined, JSON.stringify(copy));
});

test('what a policy dropped nobody acknowledged', () => {
  const standing = { ...STANDING, lost: { firstIndex: 20, lastIndex: 40, records: 21 } };
  const asked = (index: number) => refusal({ wish: { index }, standing });
  assert.match(asked(30), /dropped by its policy \(21 records, 20 to 40\).*--baseline/);
  assert.not.match(asked(30), /acknowledged/);
  const older = { ...standing, lost: { ...standing.lost, lastIndex: 29 } };
  assert.match(refusal({ wish: { index: 30 }, standing: older }), /was acknowledged.*--baseline/);
});

test('a feed that has not taken everything is refused', () => {
  const filtered = { ...STANDING, filter: { op: ['unlink'] } };
  for (const wish of ['any', 'baseline', 'last', { index: 42 }] as const) {
    assert.match(refusal({ wish, standing: filtered }), /^incomplete.*filter/);
  }
  const once = { ...STANDING, filterFrom: place(45) };
  assert.match(refusal({ wish: 'last', standing: once }), /had a filter before record 45/);
  assert.equal(start({ wish: 'any', standing: once }), { kind: 'baseline' });
  assert.equal(start({ wish: { index: 45 }, standing: once }), { kind: 'index', index: 45 });
  const gaps = { ...STANDING, gaps: 2 };
  assert.match(refusal({ wish: 'last', standing: gaps }), /out of order behind record 41/);
  assert.equal(start({ standing: gaps }), { kind: 'baseline' });
});

test.run();
