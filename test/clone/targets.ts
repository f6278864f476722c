/** Where copies go in tests: filesystems of all kinds, gone afterwards. Needs root. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { type MountOptions, type TestMount, withMount } from '../support/mount.js';
import { runOk } from '../support/processes.js';

/** A filesystem of its own at `path`, which is made; unmounted after `use`, also when the process ends. */
export async function withFilesystem<T>(
  path: string,
  type: 'tmpfs' | 'ramfs',
  options: string,
  use: () => T | Promise<T>,
): Promise<T> {
  fs.mkdirSync(path);
  await runOk('mount', ['-t', type, '-o', options, type, path]);
  const release = (): void => {
    spawnSync('umount', ['-l', path], { stdio: 'ignore' });
  };
  process.on('exit', release);
  try {
    return await use();
  } finally {
    process.off('exit', release);
    release();
  }
}

/** Mounts `count` new stores, and unmounts them in the opposite order. */
export async function withMounts<T>(
  count: number,
  use: (...mounts: TestMount[]) => T | Promise<T>,
  options: MountOptions = {},
): Promise<T> {
  if (count === 0) return await use();
  return await withMount(
    (first) => withMounts(count - 1, (...others) => use(first, ...others), options),
    options,
  );
}
