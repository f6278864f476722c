/**
 * The changes that the server made and may lose: each is kept, as it was encoded, until it is
 * told to be on disk. In the order of their numbers, for that is the order in which they are
 * made again.
 *
 * Slots are free as soon as a change is answered, so two of the list may have the same one.
 * The server's row of a slot has the last number on disk; a change with a lower one is on
 * disk too, and counts as made.
 */
import type { Fid } from '../../base/fid.js';
import type { Payload, Receipt, Slot, Xid } from '../../rpc/session.js';

export interface ReplayItem {
  readonly xid: Xid;
  readonly slot: Slot;
  readonly payload: Payload;
  readonly receipt: Receipt;
  /** What it left open by the receipt's handle: with a rename the file that was replaced, which the change is not about. */
  readonly opened?: Fid | undefined;
}

/** An item as objects and arrays of the engine, beside its bytes. */
const ITEM_BYTES = 256;

export function bytesOf(item: ReplayItem): number {
  return ITEM_BYTES + item.payload.bytes.byteLength;
}

/** By transno. An open has that of the change before it: it comes after that. */
export function compareItems(a: ReplayItem, b: ReplayItem): number {
  return a.receipt.transno - b.receipt.transno || rankOf(a) - rankOf(b) || a.xid - b.xid;
}

function rankOf({ payload: { method } }: ReplayItem): number {
  return method === 'reint' ? 0 : 1;
}

export class ReplayList {
  /** In order, from `#start` on. */
  #items: ReplayItem[] = [];
  #start = 0;
  #committed = 0;
  #bytes = 0;

  get size(): number {
    return this.#items.length - this.#start;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The highest transno that is known to be on disk. */
  get committed(): number {
    return this.#committed;
  }

  /** Nothing happens if it is on disk. Answers mostly come in order; those sent again may not. */
  add(item: ReplayItem): void {
    if (item.receipt.transno <= this.#committed) return;
    let at = this.#items.length;
    for (let last = this.#items[at - 1]; last !== undefined; last = this.#items[at - 1]) {
      if (at === this.#start || compareItems(last, item) <= 0) break;
      at--;
    }
    this.#items.splice(at, 0, item);
    this.#bytes += bytesOf(item);
  }

  /** The same change, signed anew. */
  replace(old: ReplayItem, item: ReplayItem): void {
    const at = this.#items.indexOf(old, this.#start);
    if (at >= 0) this.#items[at] = item;
  }

  /** All up to `transno` is on disk. Calls back for each that goes. */
  prune(transno: number, gone: (item: ReplayItem) => void = () => {}): void {
    if (transno <= this.#committed) return;
    this.#committed = transno;
    for (;;) {
      const item = this.#items[this.#start];
      if (item === undefined || item.receipt.transno > transno) break;
      this.#start++;
      this.#bytes -= bytesOf(item);
      gone(item);
    }
    // At most half of the array is of no use.
    if (this.#start * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#start);
    this.#start = 0;
  }

  items(): ReplayItem[] {
    return this.#items.slice(this.#start);
  }

  /** Nothing is left to be made again, and `committed` is what is on disk now. */
  reset(committed: number): void {
    this.#items = [];
    this.#start = 0;
    this.#bytes = 0;
    this.#committed = committed;
  }
}
