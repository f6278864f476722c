/**
 * How much the sections do. `quick` only shows that everything still works: its
 * figures mean nothing. `full` adds what takes many minutes.
 */
export type SizeName = 'quick' | 'default' | 'full';

export interface Sizes {
  readonly name: SizeName;
  /** Competitors take turns, so that a drift of the machine meets them all; the median of the rounds counts. */
  readonly rounds: number;
  /** With several clients, where a round takes as long and the scheduler matters less. */
  readonly roundsOfMany: number;
  /** Files a round of metadata operations, of all clients together. */
  readonly files: number;
  /** LoggedFS is slow: fewer files, a new process each round. */
  readonly filesLoggedfs: number;
  /** With a configuration LoggedFS 0.9 leaks about 1 MB of address space per file: fewer still. */
  readonly filesLoggedfsFiltered: number;
  readonly feeds: readonly number[];
  readonly feedsRounds: number;
  readonly treeFiles: readonly number[];
  readonly treeRounds: number;
  /** Operations of each kind a round. */
  readonly treeOperations: number;
  /** Entries of the one large directory, and of the small one beside it. */
  readonly flatEntries: readonly number[];
  readonly flatOperations: number;
  readonly mounts: number;
  readonly backlogRecords: readonly number[];
  readonly backlogRounds: number;
  /** Files a round, beside the backlog. */
  readonly backlogFiles: number;
  readonly backlogReads: number;
  /** How long the changes beside a purge are watched. */
  readonly purgeMs: number;
  /** How often they are watched without a purge, to know what is usual. */
  readonly purgeRounds: number;
  /** Records in the log of the filtered feeds. */
  readonly filterRecords: number;
  readonly ioBytes: number;
  readonly ioOperations: number;
  readonly ioRounds: number;
  readonly spinRounds: number;
  /** Files of the trees that are copied, and how many of them change each time. */
  readonly cloneFiles: readonly number[];
  readonly cloneChanges: number;
  readonly cloneBaselines: number;
  readonly cloneRounds: number;
  /** That a client has open when its server ends. */
  readonly openFiles: number;
}

const MIB = 1024 ** 2;

const DEFAULT: Sizes = {
  name: 'default',
  rounds: 5,
  roundsOfMany: 3,
  files: 5_000,
  filesLoggedfs: 1_000,
  filesLoggedfsFiltered: 250,
  feeds: [0, 1, 10, 100, 1_000],
  feedsRounds: 7,
  treeFiles: [1_000, 10_000, 100_000, 1_000_000],
  treeRounds: 5,
  treeOperations: 2_000,
  flatEntries: [1_000, 1_000_000],
  flatOperations: 10_000,
  mounts: 5,
  backlogRecords: [0, 10_000, 100_000, 1_000_000],
  backlogRounds: 5,
  backlogFiles: 1_000,
  backlogReads: 500,
  purgeMs: 3_000,
  purgeRounds: 3,
  filterRecords: 100_000,
  ioBytes: 256 * MIB,
  ioOperations: 20_000,
  ioRounds: 5,
  spinRounds: 5,
  cloneFiles: [10_000, 100_000],
  cloneChanges: 1_000,
  cloneBaselines: 3,
  cloneRounds: 5,
  openFiles: 10_000,
};

const QUICK: Sizes = {
  name: 'quick',
  rounds: 1,
  roundsOfMany: 1,
  files: 200,
  filesLoggedfs: 20,
  filesLoggedfsFiltered: 10,
  feeds: [0, 1, 10],
  feedsRounds: 1,
  treeFiles: [100, 1_000],
  treeRounds: 1,
  treeOperations: 50,
  flatEntries: [100, 1_000],
  flatOperations: 50,
  mounts: 1,
  backlogRecords: [0, 1_000, 10_000],
  backlogRounds: 1,
  backlogFiles: 200,
  backlogReads: 20,
  purgeMs: 300,
  purgeRounds: 1,
  filterRecords: 2_000,
  ioBytes: 8 * MIB,
  ioOperations: 500,
  ioRounds: 1,
  spinRounds: 1,
  cloneFiles: [100, 1_000],
  cloneChanges: 20,
  cloneBaselines: 1,
  cloneRounds: 1,
  openFiles: 100,
};

const FULL: Sizes = {
  ...DEFAULT,
  name: 'full',
  backlogRecords: [...DEFAULT.backlogRecords, 10_000_000],
  filterRecords: 1_000_000,
  cloneFiles: [...DEFAULT.cloneFiles, 1_000_000],
};

export const SIZES: Readonly<Record<SizeName, Sizes>> = {
  quick: QUICK,
  default: DEFAULT,
  full: FULL,
};
