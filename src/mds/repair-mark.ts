/**
 * What `fsck --repair` changed is in no feed: it runs while nobody serves the store. So it
 * leaves a mark in table `meta`, in the transaction of what it changes, and the next server
 * tells every feed with one LOST record of no records: compare, for something was mended.
 * The mark goes in the transaction that brings the record.
 */
import { ROOT_FID } from '../base/fid.js';
import type { Clock } from '../base/time.js';
import type { RecordIndex, Transno } from '../feed/record.js';
import type { Participant } from '../store/group-commit.js';
import type { Table } from '../store/table.js';
import type { AppendRecord } from './transaction.js';

const KEY = Buffer.from('repaired', 'latin1');
const VALUE = Buffer.from([1]);

const REASON = 'feedfs fsck --repair changed the filesystem; compare with it';

/** Inside the write transaction of a repair. */
export function markRepaired(meta: Table): void {
  meta.put(KEY, VALUE);
}

export class RepairMark implements Participant {
  readonly #meta: Table;
  /** There is one, and it is told. */
  #told = false;

  constructor(meta: Table) {
    this.#meta = meta;
  }

  /** Once, before the first change, and before a commit; without `append` there is nobody to tell. */
  tell(clock: Clock, nextIndex: RecordIndex, append: AppendRecord | undefined): void {
    if (!this.#meta.has(KEY)) return;
    this.#told = true;
    if (append === undefined) return;
    const head = {
      transno: 0 as Transno,
      time: clock.now(),
      fid: ROOT_FID,
      ...{ uid: 0, gid: 0, pid: 0, nid: '0@lo', jobid: '' },
    };
    const range = { firstIndex: nextIndex, lastIndex: nextIndex, records: 0, bytes: 0 };
    append(head, { op: 'lost', lost: { ...range, reason: REASON } });
  }

  collect(): void {
    if (this.#told) this.#meta.remove(KEY);
  }

  committed(): void {
    this.#told = false;
  }

  flushed(): void {}
}
