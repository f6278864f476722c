import { Errno, errnoOf, FsError } from '../base/errno.js';

/** For answers outside of the transport's own call: an FsError is an errno. */
export function answerLater<R>(
  answer: (errno: Errno | 0, result: R | undefined) => void,
  work: () => R,
): void {
  let result: R;
  try {
    result = work();
  } catch (error) {
    // Whoever else waits must not suffer for a fault in one.
    if (!(error instanceof FsError)) console.error('feedfs: a request that waited failed:', error);
    return answer(errnoOf(error) ?? Errno.EIO, undefined);
  }
  answer(0, result);
}
