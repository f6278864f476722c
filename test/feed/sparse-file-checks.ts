/** Compares every answer of a view with the model, byte by byte. */
import * as assert from 'uvu/assert';
import type { Coordinate } from '../../src/feed/position.js';
import { owedBytes, readAt, readNext, seekData, seekHole } from '../../src/feed/view.js';
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
export function checkSeeks(feeds: FeedStore, model: FeedModel, id: number, by: Coordinate): void {
  const view = viewOf(feeds, id, by);
  const map = model.dataMap(id, by);
  const data = nextOf(map, 1, ENXIO);
  const hole = nextOf(map, 0, map.length);
  for (let at = 0; at < map.length; at++) {
    assert.is(
      orEnxio(() => seekData(view, at)),
      data[at],
      `SEEK_DATA from ${at} by ${by}`,
    );
    assert.is(
      orEnxio(() => seekHole(view, at)),
      hole[at],
      `SEEK_HOLE from ${at} by ${by}`,
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
    owedBytes(view),
    map.reduce((sum, bit) => sum + bit, 0),
    'bytes that are data',
  );
}

/** Positioned reads of one size, one after the other, give the whole sparse file. */
export function checkReadAt(
  feeds: FeedStore,
  model: FeedModel,
  id: number,
  options: { readonly by: Coordinate; readonly from: number; readonly size: number },
): void {
  const { by, from, size } = options;
  const view = viewOf(feeds, id, by);
  const map = model.dataMap(id, by);
  const content = model.content(by);
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

/** FIFO reads with one buffer size from a cursor to the end. */
export function checkReadNext(
  feeds: FeedStore,
  model: FeedModel,
  id: number,
  options: { readonly by: Coordinate; readonly from: number; readonly size: number },
): void {
  const { by, from, size } = options;
  const view = viewOf(feeds, id, by);
  const map = model.dataMap(id, by);
  const places = owedPlaces(map, from);
  const content = model.content(by);
  const ends = new Set(model.records.map((record) => record[by][1]));
  const into = Buffer.alloc(size);
  let cursor = from;
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

/** The blocks that are there are those that some feed owes a byte of. */
export function checkBlocks(feeds: FeedStore, model: FeedModel): void {
  const end = feeds.log.visibleEnd.offset;
  const heads = feeds.log.heads(0, end, Number.MAX_SAFE_INTEGER);
  const maps = [...model.owed.keys()].map((id) => model.dataMap(id, 'offset'));
  const covered = new Uint8Array(end);
  for (const { start, end: to } of heads) {
    covered.fill(1, start.offset, to.offset);
    const owed = maps.some((map) => map.subarray(start.offset, to.offset).includes(1));
    assert.ok(owed, `the block at ${start.offset} is owed by nobody`);
  }
  for (const map of maps) {
    map.forEach((bit, at) => {
      if (bit === 1 && covered[at] !== 1) assert.unreachable(`byte ${at} was purged and is owed`);
    });
  }
}
