/** Limits of the locks that programs take on files. Beyond them: ENOLCK. */
export interface FileLockLimits {
  /** Ranges that one client has locked, in all files. */
  readonly clientRanges: number;
  /** Ranges that are locked in one file, by all: each call looks at them. */
  readonly fileRanges: number;
  /** Calls of one client that wait. */
  readonly clientWaits: number;
  /** Calls that wait in one file, of all: whatever is given back there is compared with each. */
  readonly fileWaits: number;
}

export const FILE_LOCK_LIMITS: FileLockLimits = {
  clientRanges: 65_536,
  fileRanges: 8_192,
  clientWaits: 512,
  fileWaits: 256,
};

/** Owners that are followed in search of a circle. A longer one is not found, as by a kernel. */
export const CIRCLE_OWNERS_MAX = 64;
