/** A mount whose store has a small disk of its own, to be filled. Needs root. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { TestMount, withFolder } from './mount.js';
import { runOk } from './processes.js';

/** The disk has `bytes`; it and the mount are gone afterwards, also when the process ends. */
export async function withSmallDisk(
  bytes: number,
  use: (mount: TestMount) => void | Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const mount = new TestMount(folder, {});
    fs.mkdirSync(mount.store);
    await runOk('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', mount.store]);
    const release = (): void => {
      mount.abandon();
      spawnSync('umount', ['-l', mount.store], { stdio: 'ignore' });
    };
    process.on('exit', release);
    try {
      await mount.mount();
      await use(mount);
    } finally {
      process.off('exit', release);
      await mount.destroy();
      release();
    }
  });
}
