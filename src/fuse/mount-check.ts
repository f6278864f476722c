/** What can be known to be wrong before the kernel is asked: each with the remedy. */
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { MountError } from './mount-error.js';
import { isMountpoint } from './mount-helper.js';

const DEVICE = '/dev/fuse';
const FUSE_CONF = '/etc/fuse.conf';

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** The mountpoint's resolved path. Throws MountError. Only for a mountpoint on which nothing of ours is mounted. */
export function checkMountpoint(mountpoint: string): string {
  let path: string;
  let directory: boolean;
  try {
    path = realpathSync(mountpoint);
    directory = statSync(path).isDirectory();
  } catch (error) {
    switch (codeOf(error)) {
      case 'ENOENT':
        throw new MountError(
          'mountpoint-missing',
          `${mountpoint} does not exist: create it with mkdir ${mountpoint}`,
        );
      case 'ENOTCONN':
        throw new MountError(
          'mountpoint-busy',
          `${mountpoint} holds a mount whose daemon is gone: remove it with umount ${mountpoint} ` +
            `(as an ordinary user: fusermount3 -u ${mountpoint})`,
        );
      case 'EACCES':
        throw new MountError(
          'not-permitted',
          `${mountpoint} cannot be reached: you need search permission on each directory above it`,
          { cause: error },
        );
      case 'ENOTDIR':
        throw new MountError(
          'mountpoint-not-directory',
          `${mountpoint}: part of the path is no directory`,
        );
      default:
        throw new MountError('failed', `${mountpoint}: ${String(error)}`, { cause: error });
    }
  }
  if (!directory) {
    throw new MountError(
      'mountpoint-not-directory',
      `${mountpoint} is no directory: name an (empty) directory to mount on`,
    );
  }
  if (isMountpoint(path)) {
    throw new MountError(
      'mountpoint-busy',
      `something is already mounted on ${mountpoint}: unmount it first (umount ${mountpoint}), or take another directory`,
    );
  }
  return path;
}

/** Throws MountError if the device is missing or closed to this process. */
export function checkDevice(): void {
  try {
    accessSync(DEVICE, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw deviceError(error);
  }
}

/** A descriptor of a new, not yet mounted connection. Throws MountError. */
export function openDevice(): number {
  try {
    return openSync(DEVICE, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (error) {
    throw deviceError(error);
  }
}

export function closeDevice(fd: number): void {
  closeSync(fd);
}

function deviceError(error: unknown): MountError {
  switch (codeOf(error)) {
    case 'ENOENT':
    case 'ENODEV':
    case 'ENXIO':
      return new MountError(
        'no-device',
        `${DEVICE} is missing: load the module with modprobe fuse; in a container, start it with --device ${DEVICE}`,
        { cause: error },
      );
    case 'EACCES':
    case 'EPERM':
      return new MountError(
        'device-permission',
        `${DEVICE} may not be opened by you: as root, chmod 0666 ${DEVICE}; in a container, start it with --device ${DEVICE}`,
        { cause: error },
      );
    default:
      return new MountError('failed', `${DEVICE}: ${String(error)}`, { cause: error });
  }
}

/** Throws MountError unless the administrator lets users share their mounts. */
export function checkAllowOther(): void {
  let text = '';
  try {
    text = readFileSync(FUSE_CONF, 'utf8');
  } catch {
    // A missing file says no, like one without the line.
  }
  if (allowsOther(text)) return;
  throw new MountError(
    'not-permitted',
    `${FUSE_CONF} does not let users share a mount: have root add the line user_allow_other to it, ` +
      'or mount without allow_other',
  );
}

/** The option stands alone on its line; a comment begins with #. */
export function allowsOther(fuseConf: string): boolean {
  return fuseConf.split('\n').some((line) => line.trim() === 'user_allow_other');
}
