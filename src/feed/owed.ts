/** How much a feed owes, and where that begins. One function says where, for all who ask. */
import type { Timespec } from '../base/time.js';
import type { Feed, Place } from './feed.js';
import type { Part } from './part.js';
import type { Position } from './position.js';
import type { RecordIndex } from './record.js';
import { nextRecord } from './records.js';
import type { Span } from './span.js';
import { NOTHING, plus, type Sums } from './sums.js';
import { firstOwed } from './view.js';

export interface OwedSums {
  readonly bytes: number;
  readonly records: number;
  /** Bytes of text. */
  readonly text: number;
}

/** What a feed owes of the visible log, as of now. */
export class Owed implements OwedSums {
  readonly bytes: number;
  readonly records: number;
  readonly text: number;
  readonly #part: Part | undefined;

  constructor(feed: Feed) {
    const { bytes, records, text } = owedSums(feed.parts, ({ owed }) => owed);
    this.bytes = bytes;
    this.records = records;
    this.text = text;
    this.#part = oldestPart(feed);
  }

  /** Where the first owed record starts; undefined if nothing is owed. Looked up when asked for. */
  get first(): Position | undefined {
    return this.#part === undefined ? undefined : firstOwedPosition(this.#part);
  }

  /** Its time; undefined if nothing is owed, or it is damaged. */
  get oldest(): Timespec | undefined {
    if (this.#part === undefined) return undefined;
    const found = nextRecord({ part: this.#part, coordinate: 'offset' }, 0);
    return found?.kind === 'record' ? found.record.time : undefined;
  }
}

export function owedSums(parts: readonly Part[], of: (part: Part) => Sums): OwedSums {
  let sums = NOTHING;
  for (const part of parts) sums = plus(sums, of(part));
  return { bytes: sums.offset, records: sums.index, text: sums.text };
}

/** The part in which the feed's oldest debt is. */
function oldestPart(feed: Feed): Part | undefined {
  return feed.parts.find((part) => part.owed.index > 0);
}

/**
 * The part that an open of the feed belongs to: where it owes something, the oldest first;
 * else the newest. Also where that cannot be read yet, or a reader would skip it.
 */
export function openPart(feed: Feed): Part | undefined {
  return feed.parts.find((part) => part.owedAtEnd.index > 0) ?? feed.parts.at(-1);
}

/** Index of the first owed record that is not visible yet; undefined if there is none. */
export function firstHidden(feed: Feed): RecordIndex | undefined {
  for (const { span, start, passes } of feed.parts) {
    const { visibleEnd, end } = span;
    const from = start.offset > visibleEnd.offset ? start : visibleEnd;
    const takesAllTo = passes?.base ?? end;
    const first = from.offset < takesAllTo.offset ? from.index : passes?.firstHidden;
    if (first !== undefined) return first;
  }
  return undefined;
}

/** Where the first owed record starts, in all coordinates; undefined if nothing is owed. */
function firstOwedPosition(part: Part): Position | undefined {
  const { span, lost, cancelled, passes } = part;
  const at = firstOwed({ part, coordinate: 'offset' }, 0);
  if (at === undefined) return undefined;
  if (at === lost?.start.offset) return lost.start;
  const range = cancelled.endingBefore(at);
  if (range?.end.offset === at) return range.end;
  if (at === span.start.offset) return span.start;
  const block = span.blocks.blockAt(at, 'offset');
  const found = block?.positions.find(({ offset }) => offset === at);
  if (found !== undefined) return found;
  // A block that is missing: its row says where it starts.
  return passes?.from(at, 'offset')?.start;
}

/** Where a feed begins to owe, and where its next record will be: where an open that happens now stands. */
export interface FeedPlace {
  readonly epoch: number;
  readonly first: Position;
  readonly next: Position;
}

/** `newest`: the span that grows. */
export function placesOf(feed: Feed, newest: Span): FeedPlace {
  if (feed.state.kind === 'expired') return standing(feed.state.end);
  const part = openPart(feed);
  if (part === undefined) return standing({ epoch: newest.epoch, at: newest.visibleEnd });
  const { epoch, visibleEnd } = part.span;
  const first = part.owed.index > 0 ? firstOwedPosition(part) : undefined;
  return { epoch, first: first ?? visibleEnd, next: visibleEnd };
}

function standing({ epoch, at }: Place): FeedPlace {
  return { epoch, first: at, next: at };
}

/** Up to where everything of the feed is acknowledged; its start if nothing is. */
export interface Acknowledged extends Place {
  /** Ranges behind it that are acknowledged, too: somebody did so out of order. */
  readonly gaps: number;
}

/** `newest`: the span that grows. */
export function acknowledgedOf(feed: Feed, newest: Span): Acknowledged {
  if (feed.state.kind === 'expired') return { ...feed.state.end, gaps: 0 };
  const part = openPart(feed);
  if (part === undefined) return { epoch: newest.epoch, at: newest.visibleEnd, gaps: 0 };
  let { gaps } = part;
  for (const later of feed.parts) {
    if (later.span.epoch > part.span.epoch) gaps += later.cancelled.count;
  }
  return { epoch: part.span.epoch, at: part.acknowledged, gaps };
}
