/**
 * What came is no message, or what should go cannot be one. Of what came: the connection is of
 * no use any more. The message says why, and where in the message that is.
 */
export class WireError extends Error {
  override readonly name: string = 'WireError';

  constructor(reason: string) {
    // It is an answer to whatever a stranger sent: no stack is collected for it.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(reason);
    Error.stackTraceLimit = limit;
  }
}

/** What should go is longer than a message may be. */
export class TooLongError extends WireError {
  override readonly name = 'TooLongError';

  constructor(max: number) {
    super(`longer than a message may be: ${max} bytes`);
  }
}
