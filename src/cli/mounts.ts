/** The feedfs mounts of this machine, as the kernel lists them. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { FEEDFS_TYPE, type MountEntry, parseMountinfo } from '../base/mountinfo.js';
import { feedsDirectory } from '../consumer/feeds.js';
import { CliError } from './cli-error.js';
import type { Context } from './command.js';
import { ExitCode } from './exit-codes.js';

export const FILESYSTEM_TYPE = FEEDFS_TYPE;
export type Mount = Pick<MountEntry, 'mountpoint' | 'type' | 'source' | 'device'>;

export function readMounts(): Mount[] {
  return parseMountinfo(fs.readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** Is `file` the directory, or below it? Both absolute and normalized. */
export function isWithin(file: string, directory: string): boolean {
  return file === directory || file.startsWith(directory === '/' ? '/' : `${directory}/`);
}

/** The mount that `file` lies on; of several on one directory the topmost, which is listed last. */
export function mountContaining(mounts: readonly Mount[], file: string): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    if (!isWithin(file, mount.mountpoint)) continue;
    if (best === undefined || mount.mountpoint.length >= best.mountpoint.length) best = mount;
  }
  return best;
}

/**
 * An absolute path without symbolic links. The last component is not looked at,
 * since looking at a mount whose server is gone fails.
 */
export function absolutePath(file: string, cwd: string): string {
  const absolute = path.resolve(cwd, file);
  try {
    return fs.realpathSync(absolute);
  } catch {
    return besideParent(absolute);
  }
}

/**
 * As {@link absolutePath}, of a place that something may be mounted on which does not answer:
 * only the directory that holds it is asked. A symbolic link to a mount is followed.
 */
export function mountpointPath(file: string, cwd: string): string {
  const place = besideParent(path.resolve(cwd, file));
  if (readMounts().some(({ mountpoint }) => mountpoint === place)) return place;
  try {
    // A link is not what it leads to: reading it asks nothing of that.
    return besideParent(path.resolve(path.dirname(place), fs.readlinkSync(place)));
  } catch {
    return place;
  }
}

function besideParent(absolute: string): string {
  try {
    return path.join(fs.realpathSync(path.dirname(absolute)), path.basename(absolute));
  } catch {
    return absolute;
  }
}

/** Why there are no feeds at `mountpoint`, which the user called `named`. */
export function noMountAt(mountpoint: string, named: string): CliError {
  const dead = readMounts().some(
    (mount) => mount.mountpoint === mountpoint && mount.type === FILESYSTEM_TYPE,
  );
  const message = dead
    ? `the daemon of ${named} does not answer: feedfs umount ${mountpoint}, then mount it again`
    : `${named} is not a mounted feedfs`;
  return new CliError(ExitCode.NO_MOUNT, message);
}

/** The mount that a feed's name refers to: `--mount`, `$FEEDFS_MOUNT` or the current directory. */
export function findMount(option: string | undefined, { env, cwd }: Context): string {
  const named: readonly (readonly [string | undefined, string])[] = [
    [option, '--mount'],
    [env.FEEDFS_MOUNT, '$FEEDFS_MOUNT'],
  ];
  for (const [value, origin] of named) {
    if (value === undefined || value === '') continue;
    const mountpoint = absolutePath(value, cwd);
    if (fs.existsSync(feedsDirectory(mountpoint))) return mountpoint;
    throw noMountAt(mountpoint, `${value} (${origin})`);
  }
  const mounts = readMounts();
  const here = mountContaining(mounts, absolutePath(cwd, cwd));
  if (here?.type === FILESYSTEM_TYPE) return here.mountpoint;
  const others = mounts.filter(({ type }) => type === FILESYSTEM_TYPE);
  const hint =
    others.length === 0
      ? 'none is mounted: feedfs mount STORE MNT'
      : `mounted: ${others.map(({ mountpoint }) => mountpoint).join(', ')}`;
  throw new CliError(
    ExitCode.NO_MOUNT,
    `the current directory is not on a feedfs; give --mount MNT or set FEEDFS_MOUNT (${hint})`,
  );
}
