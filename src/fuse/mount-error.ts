/** Why a mount or an unmount failed: a code for programs, and for people a sentence that says what to do. */

export type MountErrorCode =
  | 'no-device'
  | 'device-permission'
  | 'no-fusermount'
  | 'no-driver'
  | 'mountpoint-missing'
  | 'mountpoint-not-directory'
  | 'mountpoint-busy'
  | 'not-permitted'
  | 'failed';

export class MountError extends Error {
  override readonly name = 'MountError';
  readonly code: MountErrorCode;

  constructor(code: MountErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export type UnmountErrorCode =
  | 'busy'
  | 'not-mounted'
  | 'no-fusermount'
  | 'not-permitted'
  | 'failed';

export class UnmountError extends Error {
  override readonly name = 'UnmountError';
  readonly code: UnmountErrorCode;

  constructor(code: UnmountErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
