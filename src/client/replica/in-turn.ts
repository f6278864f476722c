/** Work on one thing after the other, each when the one before it called back. */
import type { Errno } from '../../base/errno.js';

type Done = (errno: Errno | 0) => void;

/**
 * Stops at the first that fails, and says which that was. A loop where the answers come at
 * once, for thousands of calls in each other would need too much of a stack.
 */
export function inTurn<T>(
  items: readonly T[],
  work: (item: T, done: Done) => void,
  end: (errno: Errno | 0, at: number) => void,
): void {
  let at = 0;
  const run = (): void => {
    for (;;) {
      const item = items[at];
      if (item === undefined) return end(0, at);
      let failed: Errno | 0 | undefined;
      let waits = false;
      work(item, (errno) => {
        if (!waits) failed = errno;
        else if (errno !== 0) end(errno, at);
        else {
          at++;
          run();
        }
      });
      if (failed === undefined) {
        waits = true;
        return;
      }
      if (failed !== 0) return end(failed, at);
      at++;
    }
  };
  run();
}
