/**
 * What a store knows of being a copy of another one: the value of key `replica` of table
 * `meta`, as JSON (store/FORMAT.md).
 *
 * With it stands the number of the last change that was made in the knowledge of this row. A
 * feedfs that does not know the key leaves it as it is when it changes the filesystem: so the
 * next one that does sees by that number that this is no copy any more.
 */
import { FsError } from '../base/errno.js';
import type { Timespec } from '../base/time.js';
import type { LogPlace } from '../rpc/baseline.js';
import { members, optional, place, time, unsigned32, whole, word } from '../rpc/replica-fields.js';

export interface ReplicaRow {
  /** `promoted`: it was one, and is an ordinary filesystem now. */
  readonly is: 'copy' | 'promoted';
  /** Identity of the other one, and the feed that it comes by. */
  readonly filesystem: string;
  readonly feed: number;
  readonly baseline: 'running' | 'complete';
  /** Where the source's records go on for this copy. */
  readonly place: LogPlace;
  /** Index of the next one that is not applied: that of `place`, or in a batch beyond it. */
  readonly applied: number;
  /** That came with `place` (rpc/replica.ts). */
  readonly time: Timespec | undefined;
  readonly transno: number;
}

const NAMES = ['is', 'filesystem', 'feed', 'baseline', 'place', 'applied', 'time', 'transno'];
const FILESYSTEM = /^[0-9a-f]{32}$/;

export function encodeReplicaRow(row: ReplicaRow): Buffer {
  const { epoch, offset, index } = row.place;
  const at = row.time === undefined ? undefined : [row.time.sec, row.time.nsec];
  return Buffer.from(JSON.stringify({ ...row, place: [epoch, offset, index], time: at }));
}

/** Undefined for what is no such row. */
export function decodeReplicaRow(value: Uint8Array): ReplicaRow | undefined {
  try {
    const from = members(JSON.parse(Buffer.from(value).toString('utf8')), 'row', NAMES);
    const { filesystem } = from;
    if (typeof filesystem !== 'string' || !FILESYSTEM.test(filesystem)) return undefined;
    const [start, applied] = [place(from, 'place'), whole(from, 'applied')];
    if (applied < start.index) return undefined;
    return {
      is: word(from, 'is', ['copy', 'promoted']),
      filesystem,
      feed: unsigned32(from, 'feed'),
      baseline: word(from, 'baseline', ['running', 'complete']),
      place: start,
      applied,
      time: optional(from, 'time', time),
      transno: whole(from, 'transno'),
    };
  } catch (error) {
    if (error instanceof FsError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
