/** What the copy's state says of itself: one row of JSON, replaced as a whole. */
import type { Fid } from '../../../base/fid.js';
import type { LogPlace } from '../../../rpc/baseline.js';
import type { NamePlace } from '../../../rpc/places.js';
import { StreamRefused } from '../refusal.js';
import type { CopyProgress } from '../target.js';
import { STATE_FORMAT } from './state-limits.js';
import type { FileType, Kept } from './steps.js';

export interface StateMeta {
  readonly format: number;
  /** Inode number of the target itself; 0: nothing was ever received. */
  readonly root: number;
  /** What names the filesystem that it is on; undefined: nothing does. */
  readonly targetFilesystem?: string | undefined;
  /** Undefined: nothing was ever received. */
  readonly copy: CopyProgress | undefined;
  /** Of the last baseline that was begun: 1, 2, … */
  readonly baselineId: number;
  /** A batch up to here was begun and not ended. */
  readonly interrupted: LogPlace | undefined;
}

export const EMPTY_META: StateMeta = {
  format: STATE_FORMAT,
  root: 0,
  copy: undefined,
  baselineId: 0,
  interrupted: undefined,
};

/** Where an object goes: what was begun and not ended can be found by it. */
export interface JournalEntry {
  readonly fid: Fid;
  readonly type: FileType;
  /** All its names when it is done; none: it goes. */
  readonly after: readonly NamePlace[];
  /** What it had before, where steps may take some. */
  readonly kept?: Kept | undefined;
}

interface JournalRow extends Omit<JournalEntry, 'kept'> {
  readonly mode?: number;
  /** Base64. */
  readonly capability?: string;
}

export function encodeMeta(meta: StateMeta): Buffer {
  return Buffer.from(JSON.stringify(meta));
}

/** StreamRefused if it is of a newer format. */
export function decodeMeta(row: Buffer, directory: string): StateMeta {
  const meta = JSON.parse(row.toString()) as StateMeta;
  if (meta.format <= STATE_FORMAT) {
    return { ...meta, copy: meta.copy ?? undefined, interrupted: meta.interrupted ?? undefined };
  }
  throw new StreamRefused(
    `${directory} has format ${meta.format}, and this feedfs knows ${STATE_FORMAT}`,
    { wayOut: 'receive with a newer feedfs' },
  );
}

export function encodeJournal(entries: readonly JournalEntry[]): Buffer {
  return Buffer.from(JSON.stringify(entries.map(rowOf)));
}

export function decodeJournal(row: Buffer | undefined): readonly JournalEntry[] {
  if (row === undefined) return [];
  return (JSON.parse(row.toString()) as JournalRow[]).map(entryOf);
}

function rowOf({ kept, ...entry }: JournalEntry): JournalRow {
  if (kept === undefined) return entry;
  const { mode, capability } = kept;
  if (capability === undefined) return { ...entry, mode };
  return { ...entry, mode, capability: Buffer.from(capability).toString('base64') };
}

function entryOf({ mode, capability, ...entry }: JournalRow): JournalEntry {
  if (mode === undefined) return entry;
  const value = capability === undefined ? undefined : Buffer.from(capability, 'base64');
  return { ...entry, kept: { mode, capability: value } };
}
