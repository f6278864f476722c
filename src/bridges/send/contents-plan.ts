/**
 * Which contents go with a batch of records: of each file the union of the extents that its
 * records name, so that a file written a hundred times is read once. Pure.
 */
import type { Fid } from '../../base/fid.js';
import type { Extent, FeedRecord } from '../../feed/record.js';

export interface WantedContents {
  readonly fid: Fid;
  /** Ascending, disjoint, none adjacent to the next. */
  readonly ranges: readonly Extent[];
}

export class ContentsPlan {
  /** In the order in which the files were first written. */
  readonly #extents = new Map<Fid, Extent[]>();
  readonly #removed = new Set<Fid>();

  add(record: FeedRecord): void {
    if (record.op === 'write') this.#write(record.fid, record.extents);
    else if (record.op === 'unlink' && record.last) this.#removed.add(record.fid);
    else if (record.op === 'rename' && record.over?.last) this.#removed.add(record.over.fid);
    // A file without a name may get one again (linkat): then it is wanted after all.
    else if (record.op === 'link') this.#removed.delete(record.fid);
  }

  /** Files that are gone when the batch ends are left out. */
  wanted(): WantedContents[] {
    const wanted: WantedContents[] = [];
    for (const [fid, extents] of this.#extents) {
      if (!this.#removed.has(fid)) wanted.push({ fid, ranges: union(extents) });
    }
    return wanted;
  }

  #write(fid: Fid, extents: readonly Extent[]): void {
    const known = this.#extents.get(fid);
    if (known === undefined) this.#extents.set(fid, [...extents]);
    else known.push(...extents);
  }
}

/** The same bytes, ascending and each once. */
export function union(extents: readonly Extent[]): Extent[] {
  const sorted = [...extents].sort((a, b) => a.offset - b.offset);
  const merged: Extent[] = [];
  for (const extent of sorted) {
    const last = merged.at(-1);
    if (last === undefined || last.offset + last.length < extent.offset) {
      merged.push(extent);
      continue;
    }
    const end = Math.max(last.offset + last.length, extent.offset + extent.length);
    merged[merged.length - 1] = { offset: last.offset, length: end - last.offset };
  }
  return merged;
}
