/** How long `feedfs mount` takes, from the command to a mount that answers. */
import * as fs from 'node:fs';
import type { Cleanup } from './cleanup.js';
import { STOP_WAIT_MS_MAX } from './limits.js';
import { feedfsMain } from './project.js';
import { isMounted, run, unmount, waitUntil } from './shell.js';

/**
 * Milliseconds of the whole command, which ends once the mount answered it, and of a
 * stat of the root after it. Unmounts again.
 */
export async function mountMs(
  cleanup: Cleanup,
  store: string,
  mountpoint: string,
): Promise<number> {
  fs.mkdirSync(mountpoint, { recursive: true });
  let isMounting = true;
  const undo = cleanup.defer(`mount ${mountpoint}`, async () => {
    // The daemon is no child of ours: it mounts even when the command was stopped.
    if (isMounting) await waitUntil(() => isMounted(mountpoint), STOP_WAIT_MS_MAX);
    await unmount(mountpoint);
  });
  const start = performance.now();
  await run(process.execPath, [feedfsMain, 'mount', store, mountpoint]);
  isMounting = false;
  await fs.promises.stat(mountpoint);
  const ms = performance.now() - start;
  // It waits for the daemon, so that the store is free again.
  await run(process.execPath, [feedfsMain, 'umount', mountpoint]);
  await waitUntil(() => !isMounted(mountpoint), STOP_WAIT_MS_MAX);
  await undo();
  return ms;
}
