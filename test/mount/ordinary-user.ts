/** Running programs as an ordinary user, from a test that is root. */
import * as fs from 'node:fs';
import { MAIN } from '../support/mount.js';
import { type Finished, type RunOptions, run } from '../support/processes.js';

const DEVICE = '/dev/fuse';
/** nobody and nogroup: fusermount3 wants a user that has a name. */
export const USER = { uid: 65_534, gid: 65_534 } as const;

/**
 * Lets everyone open /dev/fuse for the time of `use`, as distributions do; some
 * machines keep it for root.
 */
export async function withDeviceForAll<T>(use: () => Promise<T>): Promise<T> {
  const mode = fs.statSync(DEVICE).mode & 0o7777;
  const restore = () => fs.chmodSync(DEVICE, mode);
  fs.chmodSync(DEVICE, 0o666);
  process.on('exit', restore);
  try {
    return await use();
  } finally {
    process.off('exit', restore);
    restore();
  }
}

/** Runs a program as {@link USER}, with `home` as its home and place for temporary files. */
export function runAsUser(
  command: string,
  args: readonly string[],
  home: string,
  options: RunOptions = {},
): Promise<Finished> {
  const env = { ...process.env, ...options.env, HOME: home, TMPDIR: home };
  return run(command, args, { cwd: home, ...options, env, ...USER });
}

/** False where the checkout lies in a folder that only its owner may enter. */
export async function userCanReadCheckout(): Promise<boolean> {
  const result = await run('test', ['-r', MAIN], { cwd: '/', ...USER });
  return result.code === 0;
}

/** Makes a folder below `folder` that belongs to {@link USER}. */
export function makeHome(folder: string): string {
  const home = `${folder}/home`;
  fs.mkdirSync(home);
  fs.chownSync(home, USER.uid, USER.gid);
  return home;
}
