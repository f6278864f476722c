/**
 * What fsck can do about a finding, as data: the checks say what they want, and
 * fsck-repair.ts does it in the order of the phases.
 */
import type { Fid } from '../../base/fid.js';
import type { TableName } from '../../store/keys.js';

/** Attributes of an inode that other tables tell. */
export interface InodeFix {
  readonly nlink?: number;
  readonly entries?: number;
  readonly size?: number;
  readonly hasXattrs?: boolean;
  /** Where the primary name is; of an object without any, 0. */
  readonly parent?: Fid | 0;
  readonly slot?: number;
}

export const COUNTERS = ['fid.reserved', 'stats', 'transno', 'feed.next', 'log.end'] as const;
/** A key of table `meta` that the rest of the store tells. */
export type CounterName = (typeof COUNTERS)[number];

export type Mend =
  /** Opening the store, as a mount does, is enough. */
  | { readonly do: 'open' }
  /** What can be read is copied into a new environment. */
  | { readonly do: 'salvage' }
  /** A flush marker that knows of nothing is made: the store is opened at its last transaction but one. */
  | { readonly do: 'marker' }
  /** A folder of the store that is missing is made. */
  | { readonly do: 'folder'; readonly name: string }
  | { readonly do: 'counter'; readonly name: CounterName }
  /** The log ends behind its last block: once that is as it will be. */
  | { readonly do: 'log end' }
  | { readonly do: 'remove'; readonly table: TableName; readonly key: Buffer }
  | {
      readonly do: 'put';
      readonly table: TableName;
      readonly key: Buffer;
      readonly value: Buffer;
    }
  /** The entries of the bucket that holds the slot are put where lookups find them; those to nothing go. */
  | { readonly do: 'bucket'; readonly directory: Fid; readonly slot: number }
  /** A root directory is made. */
  | { readonly do: 'root' }
  /** Gets a name in lost+found. */
  | { readonly do: 'adopt'; readonly fid: Fid }
  /** An entry leads to a directory that says it is elsewhere: one of the two gives way. */
  | { readonly do: 'parent'; readonly fid: Fid; readonly directory: Fid }
  | { readonly do: 'inode'; readonly fid: Fid; readonly set: InodeFix }
  /** A file below `objects` is put aside. */
  | { readonly do: 'file'; readonly folder: string; readonly name: string };

/**
 * The order of mending: what a later one builds on comes first, and after each the
 * store is checked again.
 */
export const PHASES = [
  'salvage',
  'open',
  'counters',
  'rows',
  'log end',
  'root',
  'entries',
  'parents',
  'names',
  'counts',
  'files',
] as const;
export type Phase = (typeof PHASES)[number];

/** What was done, for people. */
export const DONE: Readonly<Record<Mend['do'], string>> = {
  open: 'settled by opening the store',
  salvage: 'left out of a new environment, which has all that can be read',
  marker: 'made; the store goes back to the transaction before its last',
  folder: 'made',
  counter: 'derived anew',
  'log end': 'put behind the last block',
  remove: 'taken out',
  put: 'stored anew',
  bucket: 'put where it belongs, or taken out',
  root: 'made',
  adopt: 'named in lost+found',
  parent: 'has one parent again',
  inode: 'counted anew',
  file: 'put aside',
};

const PHASE_OF: Readonly<Record<Mend['do'], Phase>> = {
  open: 'open',
  salvage: 'salvage',
  marker: 'open',
  folder: 'open',
  counter: 'counters',
  'log end': 'log end',
  remove: 'rows',
  put: 'rows',
  bucket: 'entries',
  root: 'root',
  adopt: 'names',
  parent: 'parents',
  inode: 'counts',
  file: 'files',
};

export function phaseOf(mend: Mend): Phase {
  return PHASE_OF[mend.do];
}
