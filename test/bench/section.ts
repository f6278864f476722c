/** What a section of the bench is given, and what it gives. */
import type { Cleanup } from './cleanup.js';
import type { Client } from './client.js';
import type { Disk } from './disk.js';
import type { Peers } from './peers.js';
import type { Chart } from './plot/chart.js';
import type { Sizes } from './sizes.js';
import type { Ratio } from './stats.js';
import type { Table } from './table.js';

export interface BenchContext {
  readonly cleanup: Cleanup;
  /** Temporary directory of this run, on the machine's own disk. */
  readonly dir: string;
  /** Made for this section. */
  readonly disk: Disk;
  readonly peers: Peers;
  readonly client: Client;
  readonly sizes: Sizes;
  /** How many clients the metadata and spin sections have, one run after the other. */
  readonly clients: readonly number[];
  /** Values of the mount option busy_poll that the spin section tries beside the default. */
  readonly busyPoll: readonly string[];
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
  /** Of the `data` of a result, read back from its JSON. */
  charts?(data: unknown): readonly Chart[];
}
