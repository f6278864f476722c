/** Contents of one file of a baseline as what a copy is told: what is equal there stays. */
import type { Timespec } from '../../../base/time.js';
import type { WrittenExtent } from '../../../rpc/changes.js';
import type { ReplicaItem } from '../../../rpc/replica-message.js';
import type { Step } from '../directory/steps.js';
import { itemsOfContents } from './batch-items.js';
import type { CopyReader } from './copy-reader.js';
import { change, itemOfWrite } from './step-items.js';

type ContentsStep = Extract<Step, { readonly do: 'contents' }>;

export function* itemsOfContentsStep(
  { fid, cut, parts, size, compare = false }: ContentsStep,
  reader: Pick<CopyReader, 'size' | 'hasContents'>,
  time: Timespec,
): Generator<ReplicaItem> {
  const before = reader.size(fid);
  const kept = Math.min(before, cut ?? before);
  if (kept < before) {
    yield change(fid, time, { op: 'setattr', fid, change: { size: kept } }, { ctime: time });
  }
  const written: WrittenExtent[] = [];
  let end = kept;
  for (const part of parts) {
    if (part.kind === 'gone') continue;
    const length = part.kind === 'data' ? part.bytes.length : part.length;
    const isThere = compare && part.offset + length <= kept && reader.hasContents(part);
    const isNothing = part.kind === 'hole' && part.offset >= end;
    if (isThere || isNothing) continue;
    yield* itemsOfContents(part);
    written.push({ offset: part.offset, length });
    if (part.kind === 'data') end = Math.max(end, part.offset + length);
  }
  const final = size ?? end;
  if (written.length === 0 && final === kept) return;
  yield itemOfWrite(fid, disjoint(written, final), final, time, time);
}

/** Ascending, merged, and no further than the end of the file. */
export function disjoint(extents: readonly WrittenExtent[], size: number): WrittenExtent[] {
  const sorted = extents.toSorted((a, b) => a.offset - b.offset);
  const merged: { offset: number; length: number }[] = [];
  for (const { offset, length } of sorted) {
    const end = Math.min(offset + length, size);
    if (end <= offset) continue;
    const last = merged.at(-1);
    if (last !== undefined && offset <= last.offset + last.length) {
      last.length = Math.max(last.length, end - last.offset);
    } else {
      merged.push({ offset, length: end - offset });
    }
  }
  return merged;
}
