/** The records of one commit as they come, until the commit closes them. */
import type { Fid } from '../../base/fid.js';
import { isControlFid } from '../../base/fid.js';
import { type FeedRecord, isChange } from '../../feed/record.js';
import { RecordReader } from '../../feed/record-codec.js';
import type { LogPlace } from '../../rpc/baseline.js';
import type { Commit } from '../stream/frame.js';
import type { StreamPlace } from '../stream/stream-error.js';
import { COMMIT_RECORD_BYTES_MAX, COMMIT_RECORDS_MAX } from './limits.js';
import { StreamRefused } from './refusal.js';

export class OpenCommit {
  /** Records in front of this place are applied, and left out. */
  readonly #applied: LogPlace;
  readonly #from: LogPlace;
  /** Number of the last change before: what comes is of later ones. */
  readonly #transnoBefore: number;
  readonly records: FeedRecord[] = [];
  /** Files with write records among them. */
  readonly written = new Set<Fid>();
  /** Files that a record of it may make shorter, and the smallest size that any gives them. */
  readonly cuts = new Map<Fid, number>();
  /** Of the records in the stream, those left out included. */
  bytes = 0;
  #count = 0;
  #hasContents = false;
  #lastIndex: number;
  #lastTransno: number;

  constructor(from: LogPlace, applied: LogPlace, transnoBefore: number) {
    this.#from = from;
    this.#applied = applied;
    this.#transnoBefore = transnoBefore;
    this.#lastIndex = from.index - 1;
    this.#lastTransno = transnoBefore;
  }

  /** Takes whole records. Throws StreamRefused or RecordError. */
  add(bytes: Uint8Array, at: StreamPlace): void {
    if (this.#hasContents) {
      throw new StreamRefused('the stream is out of order: records behind their contents', { at });
    }
    this.bytes += bytes.length;
    if (this.bytes > COMMIT_RECORD_BYTES_MAX) throw tooLong(at);
    const reader = new RecordReader(bytes);
    for (let position = 0; position < bytes.length; ) {
      const { record, size } = reader.decode(position);
      this.#check(record, at);
      position += size;
      if (record.index < this.#applied.index || !isChange(record)) continue;
      this.records.push(record);
      if (record.op === 'write') this.written.add(record.fid);
      if (record.op === 'setattr') this.#resized(record.fid, record.attrs.size);
    }
  }

  #resized(fid: Fid, size: number | undefined): void {
    if (size === undefined) return;
    this.cuts.set(fid, Math.min(this.cuts.get(fid) ?? size, size));
  }

  /** Whether contents of that file are needed. */
  wants(fid: Fid): boolean {
    this.#hasContents = true;
    return this.written.has(fid);
  }

  /** Throws StreamRefused unless the commit fits what came. */
  close({ to, transno }: Commit, at: StreamPlace): void {
    if (this.#lastIndex >= to.index) {
      throw new StreamRefused(
        `the stream is damaged: a commit up to record ${to.index} after record ${this.#lastIndex}`,
        { at },
      );
    }
    if (transno < this.#lastTransno) {
      throw new StreamRefused(
        `the stream is damaged: a commit of change ${transno} after change ${this.#lastTransno}`,
        { at },
      );
    }
  }

  #check(record: FeedRecord, at: StreamPlace): void {
    const { op, index, transno } = record;
    this.#count += 1;
    if (this.#count > COMMIT_RECORDS_MAX) throw tooLong(at);
    if (index <= this.#lastIndex) {
      const before = index < this.#from.index ? `its commit's start` : `record ${this.#lastIndex}`;
      throw new StreamRefused(`the stream is out of order: record ${index} after ${before}`, {
        at,
      });
    }
    this.#lastIndex = index;
    if (op === 'lost' && record.lost.lastIndex >= this.#applied.index) {
      const { records, firstIndex, lastIndex } = record.lost;
      throw new StreamRefused(
        `${records} of records ${firstIndex} to ${lastIndex} are lost: the feed dropped them`,
        { at, wayOut: BASELINE_REUSES },
      );
    }
    if (!isChange(record)) return;
    if (transno < this.#lastTransno || transno === this.#transnoBefore) {
      throw new StreamRefused(
        `the stream is out of order: change ${transno} (record ${index}) after change ${this.#lastTransno}`,
        { at },
      );
    }
    this.#lastTransno = transno;
    checkNames(record, at);
  }
}

export const BASELINE_REUSES =
  'send a new baseline (feedfs send FEED): it reuses what the copy has';

/** Names become names of a directory of the target: none may lead out of it. */
function checkNames(record: FeedRecord, at: StreamPlace): void {
  const bad = 'name' in record && !isEntryName(record.name) ? record.name : undefined;
  const badToo =
    record.op === 'rename' && !isEntryName(record.newName) ? record.newName : undefined;
  const name = bad ?? badToo;
  if (name !== undefined) {
    throw new StreamRefused(
      `the stream is damaged: ${JSON.stringify(name)} in record ${record.index} is no name of a directory entry`,
      { at },
    );
  }
  const parents = 'parent' in record ? [record.parent] : [];
  const newParents = record.op === 'rename' ? [record.newParent] : [];
  for (const fid of [record.fid, ...parents, ...newParents]) {
    if (!isControlFid(fid)) continue;
    throw new StreamRefused(
      `the stream is damaged: record ${record.index} is about the control tree`,
      { at },
    );
  }
}

function isEntryName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
}

function tooLong(at: StreamPlace): StreamRefused {
  return new StreamRefused('the stream is damaged: no sender closes so many records at once', {
    at,
  });
}
