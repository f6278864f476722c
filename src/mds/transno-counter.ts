/** The number of the last mutation; committed together with the mutation that has it. */
import type { Transno } from '../feed/record.js';
import type { Table } from '../store/table.js';

const KEY = Buffer.from('transno', 'latin1');

export class TransnoCounter {
  readonly #meta: Table;
  #last: number;
  #dirty = false;

  constructor(meta: Table) {
    this.#meta = meta;
    this.#last = Number(meta.get(KEY)?.readBigUInt64LE(0) ?? 0n);
  }

  /** For the next mutation, which may still be refused. */
  get next(): Transno {
    return (this.#last + 1) as Transno;
  }

  /** Of the last mutation; 0 before the first. */
  get last(): Transno {
    return this.#last as Transno;
  }

  /** The mutation happened. */
  used(transno: Transno): void {
    this.#last = transno;
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
  }
}
