/**
 * A store that is the copy of another one: who may change it, and how far it is. The index of
 * a record is committed in the transaction of the change that it leads to, so that each change
 * is made exactly once, however often the receiver is killed.
 */
import { Errno, FsError } from '../base/errno.js';
import type { ReintRequest, ReplicaMethods, ReplicaState } from '../rpc/messages.js';
import type { Participant } from '../store/group-commit.js';
import type { Table } from '../store/table.js';
import { decodeReplicaRow, encodeReplicaRow, type ReplicaRow } from './replica-row.js';
import type { TransnoCounter } from './transno-counter.js';

const KEY = Buffer.from('replica', 'latin1');

export class Replica implements Participant {
  readonly #meta: Table;
  readonly #transnos: TransnoCounter;
  #row: ReplicaRow | undefined;
  #dirty = false;

  /** Before the first change of this run. FsError(EIO) if what is stored is no such state. */
  constructor(meta: Table, transnos: TransnoCounter) {
    this.#meta = meta;
    this.#transnos = transnos;
    const value = meta.get(KEY);
    if (value === undefined) return;
    this.#row = decodeReplicaRow(value);
    if (this.#row === undefined) throw new FsError(Errno.EIO, 'damaged value of meta replica');
    if (this.active && transnos.last > this.#row.transno) this.#changedBesides();
  }

  /** Nobody but the receiver changes anything. */
  get active(): boolean {
    return this.#row?.is === 'copy';
  }

  /** It was a copy, and is none any more. */
  get promoted(): boolean {
    return this.#row?.is === 'promoted';
  }

  get source(): ReplicaState['source'] {
    if (this.#row?.is !== 'copy') return undefined;
    const { filesystem, feed, baseline, place, applied, time } = this.#row;
    return { filesystem, feed, baseline, place, applied, time };
  }

  /**
   * Before a change. FsError(EROFS) of a copy unless it is its receiver's, EPERM if that
   * changes what is no copy, ESTALE if it was made before.
   */
  admit({ verbatim }: ReintRequest): void {
    if (verbatim === undefined) return this.admitOthers();
    if (this.#row?.is !== 'copy') throw new FsError(Errno.EPERM, 'this is no copy');
    const { applied } = verbatim;
    if (applied !== undefined && applied <= this.#row.applied) {
      throw new FsError(Errno.ESTALE, `record ${applied - 1} was applied before`);
    }
  }

  /** FsError(EROFS) of a copy. */
  admitOthers(): void {
    if (this.active) throw new FsError(Errno.EROFS, 'a copy is changed by its receiver alone');
  }

  /** The change was made. */
  applied({ verbatim }: ReintRequest): void {
    if (this.#row === undefined || verbatim?.applied === undefined) return;
    this.#set({ ...this.#row, applied: verbatim.applied });
  }

  /** `empty`: there is nothing in the store. FsError(EPERM, ENOTEMPTY, EINVAL, EBUSY). */
  begin(request: ReplicaMethods['replicaBegin']['request'], empty: boolean): void {
    const { filesystem, feed, baseline, place, time } = request;
    const row = this.#row;
    if (row === undefined && !empty) throw new FsError(Errno.ENOTEMPTY, 'there is something in it');
    if (row?.is === 'promoted') throw new FsError(Errno.EPERM, 'it was promoted');
    if (row !== undefined && row.filesystem !== filesystem) {
      throw new FsError(Errno.EPERM, `it is a copy of ${row.filesystem}`);
    }
    if (row?.baseline === 'complete' && baseline === 'complete') {
      if (isSame(row, request)) return;
      throw new FsError(Errno.EINVAL, `it goes on at record ${row.place.index}`);
    }
    this.#set({ is: 'copy', filesystem, feed, baseline, place, applied: place.index, time });
  }

  /** FsError(EINVAL) unless it is a copy, and that place is not behind it. */
  setPlace({ place, time }: ReplicaMethods['replicaPlace']['request']): void {
    const row = this.#row;
    if (row?.is !== 'copy') throw new FsError(Errno.EINVAL, 'this is no copy');
    if (place.index < row.applied) {
      throw new FsError(Errno.EINVAL, `it goes on at record ${row.applied}`);
    }
    this.#set({ ...row, place, applied: place.index, time });
  }

  /** FsError(EINVAL) if it is no copy. */
  promote(): void {
    if (this.#row?.is !== 'copy') throw new FsError(Errno.EINVAL, 'this is no copy');
    this.#set({ ...this.#row, is: 'promoted' });
  }

  #set(row: Omit<ReplicaRow, 'transno'>): void {
    this.#row = { ...row, transno: 0 };
    this.#dirty = true;
  }

  #changedBesides(): void {
    console.error('feedfs: the copy was changed by an older feedfs: it is no copy any more');
    this.promote();
  }

  collect(): void {
    if (this.#row === undefined) return;
    const { last } = this.#transnos;
    const moved = this.#row.is === 'copy' && this.#row.transno !== last;
    if (!this.#dirty && !moved) return;
    this.#row = { ...this.#row, transno: last };
    this.#meta.put(KEY, encodeReplicaRow(this.#row));
    // Until it is committed: a commit that fails is tried again.
    this.#dirty = true;
  }

  committed(): void {
    this.#dirty = false;
  }

  flushed(): void {}
}

function isSame(row: ReplicaRow, other: ReplicaMethods['replicaBegin']['request']): boolean {
  const { epoch, offset, index } = row.place;
  const { place } = other;
  const here = place.epoch === epoch && place.offset === offset && place.index === index;
  return here && row.feed === other.feed;
}
