/** Why a store cannot be opened; `message` says what to do. */
export type StoreErrorCode =
  | 'locked'
  | 'not-a-store'
  | 'newer-format'
  | 'corrupt'
  | 'missing'
  | 'no-space'
  | 'not-permitted';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  /** The process that has the store open, for `locked`. */
  readonly pid: number | undefined;

  constructor(code: StoreErrorCode, message: string, options?: { cause?: unknown; pid?: number }) {
    super(message, options);
    this.code = code;
    this.pid = options?.pid;
  }
}
