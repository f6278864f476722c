/** The number of the last mutation; committed together with the mutation that has it. */
import type { Transno } from '../feed/record.js';
import type { Table, TableSnapshot } from '../store/table.js';

const KEY = Buffer.from('transno', 'latin1');

/** Of the last mutation that is in the table; 0 before the first. */
export function storedTransno(meta: TableSnapshot): Transno {
  return Number(meta.get(KEY)?.readBigUInt64LE(0) ?? 0n) as Transno;
}

export class TransnoCounter {
  readonly #meta: Table;
  #last: Transno;
  #committed: Transno;
  #onDisk: Transno;
  #dirty = false;

  constructor(meta: Table) {
    this.#meta = meta;
    this.#last = storedTransno(meta);
    this.#committed = this.#last;
    this.#onDisk = this.#last;
  }

  /** For the next mutation, which may still be refused. */
  get next(): Transno {
    return (this.#last + 1) as Transno;
  }

  /** Of the last mutation; 0 before the first. */
  get last(): Transno {
    return this.#last;
  }

  /** Of the last mutation that no crash of the machine takes back. */
  get onDisk(): Transno {
    return this.#onDisk;
  }

  /** The mutation happened; one that is made again has a number of its own, and leaves others out. */
  used(transno: Transno): void {
    if (transno > this.#last) this.#last = transno;
    this.#dirty = true;
  }

  collect(): void {
    if (!this.#dirty) return;
    const value = Buffer.alloc(8);
    value.writeBigUInt64LE(BigInt(this.#last), 0);
    this.#meta.put(KEY, value);
  }

  committed(): void {
    this.#dirty = false;
    this.#committed = this.#last;
  }

  /** True if that moved what is on disk. */
  flushed(): boolean {
    const moved = this.#onDisk !== this.#committed;
    this.#onDisk = this.#committed;
    return moved;
  }
}
