/**
 * Slots of mutations: the server keeps the last answer of each, so that a mutation that is sent
 * again is not made again. A slot is taken again only after its answer came.
 */
import { SLOTS_MAX } from '../../rpc/limits.js';
import type { Slot } from '../../rpc/session.js';
import { SLOTS_FOR_WRITES } from './limits.js';

export class Slots {
  readonly #free: Slot[] = [];

  constructor() {
    for (let slot = SLOTS_MAX - 1; slot >= 0; slot--) this.#free.push(slot as Slot);
  }

  get free(): number {
    return this.#free.length;
  }

  /** Undefined if none is free; some are for records of writes alone. */
  take(isWrite: boolean): Slot | undefined {
    return isWrite || this.#free.length > SLOTS_FOR_WRITES ? this.#free.pop() : undefined;
  }

  give(slot: Slot): void {
    this.#free.push(slot);
  }
}
