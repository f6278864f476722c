/**
 * What the parts of feedfs count about themselves, as numbers for people and for
 * monitoring. Everything counts from the start of the daemon; bytes, records and
 * microseconds, unless said otherwise.
 */
import type { HistogramSnapshot } from '../base/histogram.js';

export interface FeedStats {
  readonly id: number;
  readonly name: string;
  readonly state: 'active' | 'expired';
  readonly owedBytes: number;
  readonly owedRecords: number;
  /** Seconds since the oldest owed record was logged; null if nothing is owed. */
  readonly oldestSeconds: number | null;
}

export interface ServerStats {
  readonly commits: {
    readonly commits: number;
    readonly changes: number;
    readonly flushes: number;
    readonly failures: number;
    /** Changes that are in memory only. */
    readonly uncommitted: number;
    readonly us: HistogramSnapshot;
    readonly flushUs: HistogramSnapshot;
    /** Changes in one commit. */
    readonly batch: HistogramSnapshot;
  };
  readonly log: {
    readonly nextIndex: number;
    readonly nextOffset: number;
  };
  readonly purge: { readonly freedBlocks: number; readonly pending: boolean };
  readonly objects: { readonly inodes: number; readonly orphans: number };
  readonly feeds: readonly FeedStats[];
  /** Counts by name: what was refused, swallowed or could not be told, and why. */
  readonly events: Readonly<Record<string, number>>;
}

export interface ClientStats {
  readonly operations: readonly {
    readonly operation: string;
    readonly us: HistogramSnapshot;
    readonly waitedUs: HistogramSnapshot;
  }[];
  /** Requests that wait for their answer now. */
  readonly waiting: number;
  readonly wakeups: number;
  readonly invalidations: number;
  /** As the server's, of this mount. */
  readonly events: Readonly<Record<string, number>>;
}

/** Without what the client counts itself. */
export type SessionStats = Omit<ClientStats, 'events'>;

export interface Stats {
  readonly server: ServerStats;
  readonly client: ClientStats;
}
