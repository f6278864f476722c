/**
 * Mounting: by root with mount(8) and an inherited descriptor, by anyone else
 * with fusermount3(1), which sends the descriptor back over a socket.
 *
 * default_permissions is always on: the kernel judges permission from the
 * attributes that the filesystem reports. Once the mount is live nothing here
 * touches it: the process that serves a mount must not wait for it.
 */
import { closeSync } from 'node:fs';
import { FuseDevice } from './device.js';
import { openFdChannel } from './fd-passing.js';
import { IO_BYTES_MAX } from './limits.js';
import {
  checkAllowOther,
  checkDevice,
  checkMountpoint,
  closeDevice,
  openDevice,
} from './mount-check.js';
import { MountError, type MountErrorCode } from './mount-error.js';
import { type HelperResult, isRoot, runHelper } from './mount-helper.js';

export interface MountOptions {
  /** An existing directory. */
  readonly mountpoint: string;
  /** What /proc/mounts shows as the source. */
  readonly fsname: string;
  /** The type is shown as `fuse.SUBTYPE`. */
  readonly subtype: string;
  /** Other users may use the mount. Default: true for root, false for anyone else. */
  readonly allowOther?: boolean;
  readonly readOnly?: boolean;
  /** Passed through as they are: nosuid, nodev, noexec, noatime… */
  readonly extra?: readonly string[];
}

/** Mounts. The connection's INIT request waits on the device. Throws MountError. */
export async function mountFuse(options: MountOptions): Promise<FuseDevice> {
  const path = checkMountpoint(options.mountpoint);
  return new FuseDevice(
    isRoot() ? await mountAsRoot(path, options) : await mountAsUser(path, options),
  );
}

/** Options that both ways of mounting share. */
function commonOptions(options: MountOptions): string[] {
  const list = ['default_permissions', `max_read=${IO_BYTES_MAX}`, ...(options.extra ?? [])];
  if (options.readOnly) list.push('ro');
  return list;
}

async function mountAsRoot(path: string, options: MountOptions): Promise<number> {
  const fd = openDevice();
  const list = [
    'fd=3',
    'rootmode=40000',
    `user_id=${process.getuid?.() ?? 0}`,
    `group_id=${process.getgid?.() ?? 0}`,
    ...commonOptions(options),
  ];
  if (options.allowOther !== false) list.push('allow_other');
  // -i: mount.fuse(8), were it called, would try to start the filesystem itself.
  const args = [
    '-i',
    '-t',
    `fuse.${options.subtype}`,
    '-o',
    list.join(','),
    '--',
    options.fsname,
    path,
  ];
  const result = await runHelper('mount', args, { fd });
  if (result.status === 0) return fd;
  closeDevice(fd);
  throw mountFailure(result, 'mount', options.mountpoint);
}

async function mountAsUser(path: string, options: MountOptions): Promise<number> {
  checkDevice();
  if (options.allowOther) checkAllowOther();
  const list = [
    `fsname=${escapeComma(options.fsname)}`,
    `subtype=${escapeComma(options.subtype)}`,
    ...commonOptions(options),
  ];
  if (options.allowOther) list.push('allow_other');
  const channel = openFdChannel();
  try {
    const result = await runHelper('fusermount3', ['-o', list.join(','), '--', path], {
      fd: channel.remoteFd,
      env: { _FUSE_COMMFD: '3' },
    });
    if (result.status !== 0) throw mountFailure(result, 'fusermount3', options.mountpoint);
    const fd = channel.receive();
    if (fd === undefined) {
      throw new MountError('failed', 'fusermount3 succeeded but sent no descriptor back');
    }
    return fd;
  } finally {
    closeSync(channel.remoteFd);
    closeSync(channel.localFd);
  }
}

/** fusermount3 splits its options at commas that no backslash precedes. */
function escapeComma(text: string): string {
  return text.replace(/[\\,]/g, (character) => `\\${character}`);
}

function mountFailure(result: HelperResult, program: string, mountpoint: string): MountError {
  if (!result.found) {
    return program === 'fusermount3'
      ? new MountError(
          'no-fusermount',
          'fusermount3 is missing, without which only root can mount: install it with apt-get install fuse3',
        )
      : new MountError('failed', 'mount(8) is missing: install it with apt-get install mount');
  }
  const { complaint } = result;
  const said = complaint === '' ? `${program} exited with ${result.status}` : complaint;
  return new MountError(classify(complaint), advice(classify(complaint), said, mountpoint));
}

/** What a helper's complaint (in English, see runHelper) means. */
export function classify(complaint: string): MountErrorCode {
  if (/fuse device not found|unknown filesystem type/i.test(complaint)) return 'no-device';
  if (/failed to open \/dev\/fuse/i.test(complaint)) return 'device-permission';
  if (/busy|already mounted/i.test(complaint)) return 'mountpoint-busy';
  if (
    /permission denied|not permitted|must be superuser|no write access|not owned|only allowed if/i.test(
      complaint,
    )
  ) {
    return 'not-permitted';
  }
  return 'failed';
}

function advice(code: MountErrorCode, said: string, mountpoint: string): string {
  switch (code) {
    case 'no-device':
      return `${said}: load the module with modprobe fuse`;
    case 'mountpoint-busy':
      return `${said}: unmount what is on ${mountpoint} first, or take another directory`;
    case 'not-permitted':
      return `${said}: mounting needs CAP_SYS_ADMIN as root (in a container: --cap-add SYS_ADMIN), and as an ordinary user write access to ${mountpoint}`;
    default:
      return `mounting on ${mountpoint} failed: ${said}`;
  }
}
