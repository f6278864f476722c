/** What the thread that has the steps and those that do them say to each other. */
import type { HandsErrorKind } from './hands-error.js';
import type { IdMap } from './id-map.js';
import type { ShortfallList } from './shortfalls.js';
import type { Step } from './steps.js';

/** How a thread begins. */
export interface WorkerSetup {
  /** Descriptor of the target: descriptors belong to the whole process. */
  readonly root: number;
  readonly reserved: string | undefined;
  readonly walk: boolean | undefined;
  readonly uids: IdMap;
  readonly gids: IdMap;
  readonly uid: number;
}

/** None depends on another. */
export interface WorkerTask {
  readonly steps: readonly Step[];
  /** {@link Shortfalls.ownersFailed} of the first thread. */
  readonly ownersFailed: boolean;
}

export interface WorkerFailure {
  readonly kind: HandsErrorKind;
  readonly errno: number;
  readonly path: string;
  readonly message: string;
}

/** To a task, each in its turn. */
export interface WorkerReply {
  /** For each step the inode number of what it made; -1 if it made nothing. */
  readonly inodes: readonly number[];
  /** Positions of steps that lacked permission, and did nothing. */
  readonly denied: readonly number[];
  readonly shortfalls: ShortfallList;
  /** What stopped it. */
  readonly failure: WorkerFailure | undefined;
}
