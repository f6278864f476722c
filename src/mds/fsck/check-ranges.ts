/** Table `cancel`: what the feeds have cancelled. */
import { decodeRange } from '../../feed/cancel-row.js';
import type { Position, PositionRange } from '../../feed/position.js';
import type { Inspection } from '../../store/inspection.js';
import { offsetOfCancelKey } from '../../store/keys.js';
import type { Bound, FoundFeed } from './check-feeds.js';
import type { Meta } from './check-meta.js';
import { isExactKey } from './exact-key.js';
import { type Findings, showName } from './findings.js';
import type { Mend } from './mend.js';

/** A stored range of a feed. */
interface Range {
  readonly id: number;
  readonly epoch: number;
  readonly range: PositionRange;
  readonly key: Buffer;
  readonly value: Buffer;
}

/** Where the value of table `cancel` has its end: offset, index, text. */
const RANGE_END_FIELDS = [0, 16, 32];

/** Notes in the feeds what they have cancelled, and adds the ends of the ranges to `bounds`. */
export function checkRanges(
  store: Inspection,
  meta: Meta,
  { feeds, bounds }: { readonly feeds: ReadonlyMap<number, FoundFeed>; readonly bounds: Bound[] },
  findings: Findings,
): void {
  let last: Range | undefined;
  for (const { key, value } of store.entries('cancel')) {
    findings.saw('cancelled ranges');
    const removal: Mend = { do: 'remove', table: 'cancel', key: Buffer.from(key) };
    if (!isExactKey(key, 16, 8)) {
      const what = `range ${key.toString('hex')}`;
      findings.add('damaged-key', what, 'not a feed and an offset', removal);
      continue;
    }
    const id = key.readUInt32BE(0);
    const epoch = key.readUInt32BE(4);
    const offset = offsetOfCancelKey(key);
    const found = feeds.get(id);
    const name = found === undefined ? `${id}` : showName(found.feed.name);
    const where = `range at ${offset} of feed ${name}`;
    if (found === undefined) {
      findings.add('stray-value', where, 'there is no such feed', removal);
      continue;
    }
    const range = value === undefined ? undefined : decodeSafely(offset, value);
    if (value === undefined || range === undefined) {
      findings.add('damaged-value', where, 'its checksum or length is wrong', removal);
      continue;
    }
    const before = last?.id === id && last.epoch === epoch ? last : undefined;
    const problem = problemOf(range, epoch, meta);
    const meets = problem === undefined ? meeting(range, before) : undefined;
    if (problem !== undefined) findings.add('bad-range', where, problem, removal);
    else if (before !== undefined && meets !== undefined) {
      findings.add('bad-range', where, meets, joined(before, range, value), removal);
    } else {
      const mends = (): readonly Mend[] => [removal];
      for (const at of [range.start, range.end]) bounds.push({ epoch, at, where, mends });
    }
    if (problem !== undefined) continue;
    found.cancelledIn(epoch).add(range);
    last = { id, epoch, range, key: Buffer.from(key), value: Buffer.from(value) };
  }
}

function decodeSafely(offset: number, value: Buffer): PositionRange | undefined {
  try {
    return decodeRange(offset, value);
  } catch {
    return undefined;
  }
}

function problemOf(
  { start, end }: PositionRange,
  epoch: number,
  { spans }: Meta,
): string | undefined {
  if (start.offset >= end.offset || start.index >= end.index || start.text >= end.text) {
    return 'ends before it starts';
  }
  if (spans === undefined) return undefined;
  const span = spans.find((known) => known.epoch === epoch);
  if (span === undefined) return `is of epoch ${epoch}, of which there is no log`;
  return inside(end, span.end) ? undefined : 'reaches beyond the end of the log';
}

function inside(position: Position, end: Position): boolean {
  return position.offset <= end.offset && position.index <= end.index && position.text <= end.text;
}

function meeting({ start }: PositionRange, before: Range | undefined): string | undefined {
  if (before === undefined || before.range.end.offset < start.offset) return undefined;
  const touches = before.range.end.offset === start.offset;
  return touches ? 'touches the one before, they should be one' : 'overlaps the one before';
}

/** The range before, and this one, as one. */
function joined(before: Range, range: PositionRange, value: Buffer): Mend {
  const bytes = Buffer.from(before.value);
  if (range.end.offset > before.range.end.offset) {
    for (const at of RANGE_END_FIELDS) value.copy(bytes, at, at, at + 8);
  }
  return { do: 'put', table: 'cancel', key: before.key, value: bytes };
}
