/** Compares every answer of a view with the model, byte by byte. */
import * as assert from 'uvu/assert';
import type { ByteCoordinate, Coordinate } from '../../src/feed/position.js';
import { nextRecord } from '../../src/feed/records.js';
import { owedAmount, readAt, readNext, seekData, seekHole } from '../../src/feed/view.js';
import { type FeedModel, type FeedStore, viewOf } from '../support/feed-model.js';

const ENXIO = -1;
const FILLER = { offset: 0, text: 0x0a } as const;

function orEnxio(seek: () => number): number {
  try {
    return seek();
  } catch (error) {
    if (error instanceof Error && 'errno' in error && error.errno === 6) return ENXIO;
    throw error;
  }
}

/** Where 0 or 1 next stands, for every place: by going backwards once. */
function nextOf(map: Uint8Array, wanted: number, none: number): Int32Array {
  const next = new Int32Array(map.length);
  let found = none;
  for (let at = map.length - 1; at >= 0; at--) {
    if (map[at] === wanted) found = at;
    next[at] = found;
  }
  return next;
}

/** SEEK_DATA and SEEK_HOLE from every byte, and from behind the end. */
export function checkSeeks(
  feeds: FeedStore,
  model: FeedModel,
  id: number,
  by: Coordinate,
  epoch = model.epoch,
): void {
  const view = viewOf(feeds, id, by, epoch);
  const map = model.dataMap(id, by, epoch);
  const data = nextOf(map, 1, ENXIO);
  const hole = nextOf(map, 0, map.length);
  // Records before the span have no place in it.
  for (let at = view.part.span.start[by]; at < map.length; at++) {
    const what = `from ${at} by ${by} in epoch ${epoch}`;
    assert.is(
      orEnxio(() => seekData(view, at)),
      data[at],
      `SEEK_DATA ${what}`,
    );
    assert.is(
      orEnxio(() => seekHole(view, at)),
      hole[at],
      `SEEK_HOLE ${what}`,
    );
  }
  for (const at of [map.length, map.length + 1, -1]) {
    assert.is(
      orEnxio(() => seekData(view, at)),
      ENXIO,
      `SEEK_DATA from ${at}`,
    );
    assert.is(
      orEnxio(() => seekHole(view, at)),
      ENXIO,
      `SEEK_HOLE from ${at}`,
    );
  }
  assert.is(
    owedAmount(view),
    map.reduce((sum, bit) => sum + bit, 0),
    `what is data by ${by}`,
  );
}

/** Positioned reads of one size, one after the other, give the whole sparse file. */
export function checkReadAt(
  feeds: FeedStore,
  model: FeedModel,
  id: number,
  options: ReadOptions,
): void {
  const { by, from, size, epoch = model.epoch } = options;
  const view = viewOf(feeds, id, by, epoch);
  const map = model.dataMap(id, by, epoch);
  const content = model.contentOf(id, by, epoch);
  const into = Buffer.alloc(size, 0xee);
  for (let at = from; ; ) {
    const { length, cursor, damaged } = readAt(view, at, into);
    assert.not.ok(damaged);
    assert.is(length, Math.max(0, Math.min(size, map.length - at)), `length at ${at}`);
    if (length === 0) break;
    for (let i = 0; i < length; i++) {
      const expected = map[at + i] === 1 ? content[at + i] : FILLER[by];
      if (into[i] !== expected) assert.is(into[i], expected, `byte ${at + i} by ${by}`);
    }
    at += length;
    assert.is(cursor, at, 'cursor');
  }
}

export interface ReadOptions {
  readonly by: ByteCoordinate;
  readonly from: number;
  readonly size: number;
  readonly epoch?: number;
}

/** FIFO reads with one buffer size from a cursor to the end. */
export function checkReadNext(
  feeds: FeedStore,
  model: FeedModel,
  id: number,
  options: ReadOptions,
): void {
  const { by, size, epoch = model.epoch } = options;
  const view = viewOf(feeds, id, by, epoch);
  const map = model.dataMap(id, by, epoch);
  const from = startOf(model, id, options);
  const places = owedPlaces(map, from);
  const content = model.contentOf(id, by, epoch);
  const ends = endsOf(model, id, by, epoch);
  const into = Buffer.alloc(size);
  let cursor = options.from;
  let done = 0;
  while (done < places.length) {
    const result = readNext(view, cursor, into);
    assert.not.ok(result.damaged);
    const expected = expectedLength(places, done, size, ends);
    assert.is(result.length, expected, `length by ${by} at ${cursor} with ${size} bytes of room`);
    for (let i = 0; i < result.length; i++) {
      const place = places[done + i] ?? 0;
      if (into[i] !== content[place]) assert.is(into[i], content[place], `byte ${place} by ${by}`);
    }
    done += result.length;
    cursor = result.cursor;
    // Behind the last byte, or already behind the hole that follows it.
    const behind = (places[done - 1] ?? 0) + 1;
    assert.ok(cursor >= behind && cursor <= (places[done] ?? map.length), `cursor ${cursor}`);
  }
  assert.is(readNext(view, cursor, into).length, 0, 'nothing is owed at the end');
}

/** Where a record of the feed may end. */
function endsOf(
  model: FeedModel,
  id: number,
  by: ByteCoordinate,
  epoch: number,
): ReadonlySet<number> {
  const { lost } = model.feed(id);
  const [from, to] = lost?.epoch === epoch ? lost[by] : [0, 0];
  const ends = model.records.filter((record) => record.epoch === epoch).map((r) => r[by][1]);
  // The LOST record lies over others.
  return new Set(ends.filter((end) => end <= from || end >= to));
}

/** A reader that stands inside a LOST record, and has room for it, gets it whole. */
function startOf(model: FeedModel, id: number, { by, from, size, epoch }: ReadOptions): number {
  const { lost } = model.feed(id);
  if (lost === undefined || lost.epoch !== (epoch ?? model.epoch)) return from;
  const [start, end] = lost[by];
  return from > start && from < end && size >= end - start ? start : from;
}

/** Where the owed bytes at or after `from` lie. */
function owedPlaces(map: Uint8Array, from: number): number[] {
  const places: number[] = [];
  for (let at = from; at < map.length; at++) if (map[at] === 1) places.push(at);
  return places;
}

/** As many whole records as fit; a part of one only if none does. */
function expectedLength(
  places: readonly number[],
  done: number,
  room: number,
  ends: ReadonlySet<number>,
): number {
  const most = Math.min(room, places.length - done);
  for (let length = most; length > 0; length--) {
    if (ends.has((places[done + length - 1] ?? 0) + 1)) return length;
  }
  return most;
}

/** The records one by one are those that are owed, whatever their places are counted in. */
export function checkRecords(
  feeds: FeedStore,
  model: FeedModel,
  id: number,
  by: Coordinate,
  epoch = model.epoch,
): void {
  const view = viewOf(feeds, id, by, epoch);
  const { lost } = model.feed(id);
  const owed = model
    .visibleOwed(id)
    .map((ordinal) => model.records[ordinal])
    .filter((record) => record?.epoch === epoch);
  const expected = lost?.epoch === epoch ? [lost, ...owed] : owed;
  let at = 0;
  for (const record of expected) {
    const found = nextRecord(view, at);
    assert.is(found?.kind, 'record');
    assert.equal([found?.start, found?.end], record?.[by], `record ${record?.index[0]} by ${by}`);
    if (found?.kind === 'record') assert.is(found.record.index, record?.index[0]);
    at = found?.end ?? 0;
  }
  assert.is(nextRecord(view, at), undefined);
}

/** The blocks that are there are those that some feed owes a byte of. */
export function checkBlocks(feeds: FeedStore, model: FeedModel): void {
  for (const span of feeds.log.spans) {
    const { epoch } = span;
    const end = span.visibleEnd.offset;
    const heads = feeds.log.heads(span, 0, end, Number.MAX_SAFE_INTEGER);
    const maps = [...model.feeds.keys()].map((id) => model.dataMap(id, 'offset', epoch));
    for (const [i, { lost }] of [...model.feeds.values()].entries()) {
      if (lost?.epoch === epoch) maps[i]?.fill(0, ...lost.offset);
    }
    const covered = new Uint8Array(end);
    for (const { start, end: to } of heads) {
      covered.fill(1, start.offset, to.offset);
      const owed = maps.some((map) => map.subarray(start.offset, to.offset).includes(1));
      assert.ok(owed, `the block at ${start.offset} of epoch ${epoch} is owed by nobody`);
    }
    for (const map of maps) {
      map.forEach((bit, at) => {
        if (bit === 1 && covered[at] !== 1) assert.unreachable(`byte ${at} was purged and is owed`);
      });
    }
  }
}
