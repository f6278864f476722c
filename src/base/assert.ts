/** Checks that stay on in production: a broken invariant must not reach the disk. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws unless `condition` holds; the message is built only when it does not. */
export function assert(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new AssertionError(typeof message === 'string' ? message : message());
}

/** The value, which the caller knows to be present. */
export function must<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new AssertionError(`missing: ${what}`);
  return value;
}

/** The end of an exhaustive switch: a new variant fails to compile here. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable variant: ${JSON.stringify(value)}`);
}
