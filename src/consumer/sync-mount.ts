/** Everything that happened on a mount until now, made visible in its feeds. */
import * as fs from 'node:fs';
import { fromNodeError } from './errors.js';

const { O_RDONLY, O_DIRECTORY } = fs.constants;

/**
 * fsync(2) of the root of a mount. After it the records of all that happened before are on
 * disk and in the feeds, also of what was written to files that are still open. Throws
 * FeedError with the errno.
 */
export async function syncMount(mount: string): Promise<void> {
  try {
    const root = await fs.promises.open(mount, O_RDONLY | O_DIRECTORY);
    try {
      await root.sync();
    } finally {
      await root.close();
    }
  } catch (error) {
    throw fromNodeError(error, mount);
  }
}
