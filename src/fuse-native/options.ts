/** The mount options of libfuse 2. */
import { MountError } from '../fuse/mount-error.js';
import { IO_BYTES_MAX, OPTIONS_BYTES_MAX } from './limits.js';

export interface DriverMountOptions {
  /** What /proc/mounts shows as the source. */
  readonly fsname: string;
  /** The type is shown as `fuse.SUBTYPE`. */
  readonly subtype: string;
  readonly readOnly: boolean;
  /** Flags for the kernel, of which libfuse 2 takes some; the others are dropped. */
  readonly kernelOptions: readonly string[];
  readonly root: boolean;
}

const KERNEL_FLAGS = new Set([
  ...['suid', 'nosuid', 'dev', 'nodev', 'exec', 'noexec', 'sync', 'async', 'dirsync'],
  ...['atime', 'noatime'],
]);

/**
 * Without allow_other, always: fuse-native does not tell who calls, so only one user
 * may. Nothing is cached, because a file with two names is two files to libfuse's path
 * interface, and what is changed through one must be seen through the other.
 */
const FIXED = [
  ...['default_permissions', 'use_ino', 'direct_io', 'big_writes'],
  ...['attr_timeout=0', 'entry_timeout=0', 'negative_timeout=0', `max_read=${IO_BYTES_MAX}`],
];

/** Throws MountError if the names are too long for the binding, which would cut them. */
export function optionArgument(options: DriverMountOptions): string {
  const list = [
    `fsname=${escapeComma(options.fsname)}`,
    `subtype=${escapeComma(options.subtype)}`,
    ...FIXED,
  ];
  // libfuse's default is nosuid and nodev for everybody.
  if (options.root) list.push('suid', 'dev');
  list.push(...options.kernelOptions.filter((option) => KERNEL_FLAGS.has(option)));
  if (options.readOnly) list.push('ro');
  const argument = `-o${list.join(',')}`;
  if (Buffer.byteLength(argument) >= OPTIONS_BYTES_MAX) {
    throw new MountError('failed', 'the path of the store is too long for the driver fuse-native');
  }
  return argument;
}

function escapeComma(text: string): string {
  return text.replace(/[\\,]/g, (character) => `\\${character}`);
}
