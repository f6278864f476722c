/**
 * All tables as they were in one transaction, while later ones commit: what is read of a
 * snapshot belongs together. As long as it is open, no page that it needs is used again, so
 * the file grows by what is overwritten meanwhile.
 */
import type { Transaction } from 'lmdb';
import type { TableName } from './keys.js';
import type { Tables } from './opening.js';
import type { TableSnapshot } from './table.js';

export type SnapshotTables = { readonly [Name in TableName]: TableSnapshot };

export class StoreSnapshot {
  /** Values are valid until the next read, as those of the tables themselves. Not to be read during a commit. */
  readonly tables: SnapshotTables;
  readonly #transaction: Transaction;
  #open = true;

  constructor(tables: Tables, transaction: Transaction) {
    this.#transaction = transaction;
    const views = Object.values(tables).map((table) => [table.name, table.within(transaction)]);
    this.tables = Object.fromEntries(views) as unknown as SnapshotTables;
  }

  /** Lets go of it. Whoever still goes through a range of its tables must have ended that before. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#transaction.done();
  }
}
