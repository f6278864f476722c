/** What a section of the bench is given, and what it gives. */
import type { Cleanup } from './cleanup.js';
import type { Client } from './client.js';
import type { Disk } from './disk.js';
import type { Peers } from './peers.js';
import type { Ratio } from './stats.js';
import type { Table } from './table.js';

export interface BenchContext {
  readonly cleanup: Cleanup;
  /** Temporary directory of this run, on the machine's own disk. */
  readonly dir: string;
  readonly disk: Disk;
  readonly peers: Peers;
  readonly client: Client;
  /** Clients of the metadata section: 1, 2 or 8. */
  readonly clients: number;
  progress(text: string): void;
}

export interface SectionResult {
  readonly ratios: readonly Ratio[];
  readonly tables: readonly Table[];
  readonly notes: readonly string[];
  /** Everything measured, for the JSON file. */
  readonly data: unknown;
}

export interface Section {
  readonly name: string;
  readonly summary: string;
  run(context: BenchContext): Promise<SectionResult>;
}
