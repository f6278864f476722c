/** The changes that one client sent to be made again, in the order of their numbers. */
import { Errno, FsError } from '../../base/errno.js';
import type { Xid } from '../../rpc/session.js';
import type { ReplayItem } from '../export/parts.js';
import { REPLAY_BYTES_QUEUED_MAX, REPLAYS_MAX, REPLAYS_QUEUED_MAX } from './limits.js';

export interface QueuedReplay {
  readonly item: ReplayItem;
  readonly done: (errno: Errno | 0) => void;
}

export class ReplayQueue {
  /** Those before `#head` are made. */
  #items: QueuedReplay[] = [];
  #head = 0;
  #bytes = 0;
  #lastTransno = 0;
  /** Made in this run of the server. */
  readonly #made = new Set<Xid>();

  get length(): number {
    return this.#items.length - this.#head;
  }

  wasMade(xid: Xid): boolean {
    return this.#made.has(xid);
  }

  /** Why it is not taken: EINVAL if it is not in order, ENOSPC if there are too many. */
  push(queued: QueuedReplay): FsError | undefined {
    const { receipt, payload } = queued.item;
    if (receipt.transno < this.#lastTransno) {
      const message = `change ${receipt.transno} comes after ${this.#lastTransno}`;
      return new FsError(Errno.EINVAL, message);
    }
    const bytes = this.#bytes + payload.bytes.byteLength;
    const full = this.length >= REPLAYS_QUEUED_MAX || bytes > REPLAY_BYTES_QUEUED_MAX;
    if (full || this.length + this.#made.size >= REPLAYS_MAX) {
      return new FsError(Errno.ENOSPC, 'too many changes to be made again');
    }
    this.#lastTransno = receipt.transno;
    this.#bytes = bytes;
    this.#items.push(queued);
    return undefined;
  }

  peek(): QueuedReplay | undefined {
    return this.#items[this.#head];
  }

  /** The first one, which counts as made. */
  take(): QueuedReplay | undefined {
    const first = this.#items[this.#head];
    if (first === undefined) return undefined;
    this.#head++;
    this.#bytes -= first.item.payload.bytes.byteLength;
    this.#made.add(first.item.xid);
    if (this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }

  /** Nobody waits for what is queued any more; what was made stays known. */
  forget(): void {
    this.#items = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#lastTransno = 0;
  }
}

/** Whether `a` was first: of one number, the change comes before the opens that followed it. */
export function precedes(a: ReplayItem, b: ReplayItem): boolean {
  if (a.receipt.transno !== b.receipt.transno) return a.receipt.transno < b.receipt.transno;
  return a.payload.method === 'reint' && b.payload.method !== 'reint';
}
