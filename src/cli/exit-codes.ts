/** The exit codes of `feedfs`: one table for the code, the help text, the README and the tests. */
export const ExitCode = {
  OK: 0,
  FAILURE: 1,
  USAGE: 2,
  MOUNTPOINT: 3,
  BUSY: 4,
  STORE_LOCKED: 5,
  STORE_UNUSABLE: 6,
  STORE_NEWER: 7,
  FUSE_MISSING: 8,
  FSCK_FOUND: 9,
  NO_FEED: 10,
  NO_MOUNT: 11,
  FSCK_MENDED: 12,
  FEED_EXPIRED: 13,
  INTERRUPTED: 130,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export const EXIT_CODE_MEANING: Readonly<Record<ExitCode, string>> = {
  0: 'done',
  1: 'failed for another reason; the message says which',
  2: 'the command line is wrong; nothing was done',
  3: 'the mountpoint is missing or not a directory',
  4: 'the mountpoint is busy: mounted already, or in use',
  5: 'the store is open in another daemon',
  6: 'the store is damaged, or not a store',
  7: 'the store was written by a newer feedfs',
  8: 'FUSE is missing or not permitted; see feedfs doctor',
  9: 'fsck found something',
  10: 'no such feed',
  11: 'no mounted feedfs found',
  12: 'fsck --repair mended all that it found',
  13: 'the feed has expired: its consumer has to start anew',
  130: 'stopped by Ctrl-C',
};
