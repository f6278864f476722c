/** `feedfs mds --rotate-key`: by the server, if one runs, else in the store itself. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { SystemClock } from '../../base/time.js';
import { StoredKeys } from '../../mds/keys/stored-keys.js';
import { StoreError } from '../../store/errors.js';
import { Store } from '../../store/store.js';
import { readPlace } from './place.js';

/** Throws StoreError; `locked` also if the store is mounted without a server of its own. */
export async function rotateKey(path: string): Promise<void> {
  let store: Store;
  try {
    store = Store.open(path, { create: false });
  } catch (error) {
    const served = readPlace(path);
    // The lock says that the process is there, and the file that it is a server.
    const isServer =
      error instanceof StoreError && error.code === 'locked' && error.pid === served?.pid;
    if (!isServer || served === undefined) throw error;
    process.kill(served.pid, 'SIGHUP');
    return;
  }
  try {
    const clock = new SystemClock();
    new StoredKeys({ path: join(path, 'keys'), clock, random: randomBytes }).rotate();
  } finally {
    await store.close();
  }
}
