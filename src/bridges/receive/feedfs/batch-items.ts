/**
 * A batch of records as what a copy is told: each record one change, and the bytes that a
 * write record tells of right before it.
 *
 * So whatever was applied is whole: a receiver that is killed between two records needs no
 * contents again of those before. What was sent of a file is as it was after the record's
 * commit, or later; a truncation that comes behind takes away what it took away at the
 * source, and what was written after it has a record of its own, before which those bytes
 * are put in their place again.
 */
import type { Fid } from '../../../base/fid.js';
import { type ChangeRecord, type Extent, isChange } from '../../../feed/record.js';
import type { ReplicaItem } from '../../../rpc/replica-message.js';
import type { Contents } from '../../stream/frame.js';
import type { Batch, KeptContents } from '../target.js';
import { DATA_ITEM_BYTES } from './limits.js';
import { common, union, upTo, without } from './ranges.js';
import { changeOfRecord } from './record-change.js';

type WriteRecord = Extract<ChangeRecord, { readonly op: 'write' }>;

export function* itemsOfBatch({ to, records, contents, time }: Batch): Generator<ReplicaItem> {
  const placed = new PlacedContents(contents);
  for (const record of records) {
    if (!isChange(record)) continue;
    if (record.op === 'write') yield* placed.before(record);
    if (record.op === 'setattr') placed.resized(record.fid, record.attrs.size);
    yield changeOfRecord(record);
  }
  // Also accesses, which are not in the batch, are behind the copy. Where in the log a record
  // ends is known of the last one alone: before this the copy goes on from the batch's start.
  yield { do: 'place', place: to, time };
}

/** What of the contents is in place: a file that is written a hundred times is put there once. */
class PlacedContents {
  readonly #contents: KeptContents;
  /** By file. */
  readonly #ranges = new Map<Fid, readonly Extent[]>();

  constructor(contents: KeptContents) {
    this.#contents = contents;
  }

  /** What has to be in place when that record is made. */
  *before({ fid, extents, attrs: { size = 0 } }: WriteRecord): Generator<ReplicaItem> {
    // The record brings the file to its size: what is beyond does not stay.
    const there = upTo(this.#ranges.get(fid) ?? [], size);
    const wanted = upTo(union(extents, []), size);
    const missing = without(wanted, there);
    this.#ranges.set(fid, union(there, missing));
    const [first, last] = [missing[0], missing.at(-1)];
    if (first === undefined || last === undefined) return;
    const range = { offset: first.offset, length: last.offset + last.length - first.offset };
    for (const part of this.#contents.partsOf(fid, range)) yield* itemsWithin(part, missing);
  }

  resized(fid: Fid, size: number | undefined): void {
    const ranges = this.#ranges.get(fid);
    if (ranges !== undefined && size !== undefined) this.#ranges.set(fid, upTo(ranges, size));
  }
}

/** The part of it that is in those ranges. */
function* itemsWithin(part: Contents, ranges: readonly Extent[]): Generator<ReplicaItem> {
  if (part.kind === 'gone') return;
  const { fid, offset: start } = part;
  const whole = part.kind === 'hole' ? part.length : part.bytes.length;
  for (const { offset, length } of common(ranges, { offset: start, length: whole })) {
    if (part.kind === 'hole') yield { do: 'hole', fid, offset, length };
    else {
      const bytes = part.bytes.subarray(offset - start, offset - start + length);
      yield* itemsOfContents({ kind: 'data', fid, offset, bytes });
    }
  }
}

/** In pieces that fit into a message. */
export function* itemsOfContents(part: Contents): Generator<ReplicaItem> {
  if (part.kind === 'gone') return;
  const { fid, offset } = part;
  if (part.kind === 'hole') {
    yield { do: 'hole', fid, offset, length: part.length };
    return;
  }
  for (let at = 0; at < part.bytes.length; at += DATA_ITEM_BYTES) {
    const bytes = part.bytes.subarray(at, at + DATA_ITEM_BYTES);
    yield { do: 'data', fid, offset: offset + at, bytes };
  }
}
