/**
 * Clients of a server of several that is not one any more: the store is embedded now, and
 * serves a single mount. What they had is given up: that is the end of a recovery that nobody
 * came to.
 */
import type { Participant } from '../../store/group-commit.js';
import type { Table } from '../../store/table.js';

export class AbortedClients implements Participant {
  readonly #table: Table;
  /** Rows: of clients, and of their slots. */
  readonly #found: boolean;
  #removed = false;

  constructor(table: Table) {
    this.#table = table;
    this.#found = [...table.keys({ limit: 1 })].length > 0;
  }

  /** There were any. */
  get found(): boolean {
    return this.#found;
  }

  collect(): void {
    if (this.#removed || !this.#found) return;
    for (const key of [...this.#table.keys({})]) this.#table.remove(key);
  }

  committed(): void {
    this.#removed = true;
  }

  flushed(): void {}
}
