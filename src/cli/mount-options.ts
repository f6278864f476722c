/**
 * The `-o` options of `feedfs mount`. Every option that mount(8) knows for any
 * filesystem is taken, so that a line of fstab works as it is: those with an
 * effect here have it, the others are dropped. Anything else is refused.
 */
import type { AccessPolicy } from '../client/access-times.js';
import { accessPolicy } from './access-policy.js';
import { parseInteger } from './arguments.js';
import { usageError } from './cli-error.js';
import { BUSY_POLL_US_MAX } from './limits.js';

/** What speaks to the kernel: the session of ../fuse, or libfuse 2 by the package fuse-native. */
export type Driver = 'feedfs' | 'fuse-native';

export interface MountOptions {
  readonly readOnly: boolean;
  /** Undefined: the default for this user. */
  readonly allowOther: boolean | undefined;
  /** Undefined: the default for this machine. */
  readonly busyPollUs: number | undefined;
  readonly visibility: 'disk' | 'commit';
  readonly driver: Driver;
  readonly accessTimes: AccessPolicy;
  /** For the kernel, in order. */
  readonly kernelOptions: readonly string[];
}

/** Flags that the kernel applies to any mount. A later one undoes an earlier one. */
const KERNEL_FLAGS = new Set([
  ...['suid', 'nosuid', 'dev', 'nodev', 'exec', 'noexec', 'sync', 'async', 'dirsync'],
  ...['atime', 'noatime', 'relatime', 'norelatime', 'strictatime', 'nostrictatime'],
  ...['diratime', 'nodiratime', 'lazytime', 'nolazytime', 'nosymfollow', 'symfollow'],
]);

/** Of these, what fusermount3 takes from an ordinary user; it fails on the others. */
const FUSERMOUNT_FLAGS = new Set([
  ...['suid', 'nosuid', 'dev', 'nodev', 'exec', 'noexec', 'sync', 'async', 'dirsync'],
  ...['atime', 'noatime', 'nodiratime', 'norelatime', 'nostrictatime'],
]);

/** Known to mount(8) or fstab(5), but without a meaning for this mount. */
const IGNORED_FLAGS = new Set([
  ...[
    'defaults',
    'auto',
    'noauto',
    'nofail',
    '_netdev',
    'user',
    'nouser',
    'users',
    'owner',
    'group',
  ],
  ...['iversion', 'noiversion', 'mand', 'nomand', 'silent', 'loud', 'acl', 'noacl', 'rec', 'norec'],
  // feedfs decides these itself.
  ...[
    'default_permissions',
    'nonempty',
    'remount',
    'bind',
    'rbind',
    'move',
    'big_writes',
    'splice_read',
  ],
  ...['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave', 'unbindable', 'runbindable'],
]);
const IGNORED_VALUES = new Set([
  ...[
    'comment',
    'fsname',
    'subtype',
    'max_read',
    'helper',
    'uhelper',
    'offset',
    'sizelimit',
    'loop',
  ],
]);
/** SELinux labels. */
const KERNEL_VALUES = new Set(['context', 'fscontext', 'defcontext', 'rootcontext']);

/** Ours, as the help lists them. */
export const OWN_OPTIONS: readonly (readonly [string, string])[] = [
  ['busy_poll=US', 'microseconds that the daemon keeps polling after a request (0: never)'],
  ['visibility=disk|commit', 'feeds show a record once it is on disk (default), or once committed'],
  ['allow_other, noallow_other', 'other users may use the mount (default: for root yes, else no)'],
  [
    'driver=feedfs|fuse-native',
    'fuse-native: served by libfuse 2, without reading feeds, for the mounting user only',
  ],
  ['ro, rw', 'the mount is read-only, or not (default)'],
];

/** Splits at commas outside double quotes, which SELinux contexts need. */
function split(list: string): string[] {
  return list.match(/(?:[^,"]|"[^"]*")+/g) ?? [];
}

/** What decides which options the kernel can be given. */
export interface MountRights {
  readonly root: boolean;
  readonly selinux: boolean;
}

/** Throws CliError USAGE for an option that nobody knows, or a value out of range. */
export function parseMountOptions(lists: readonly string[], rights: MountRights): MountOptions {
  const flags = rights.root ? KERNEL_FLAGS : FUSERMOUNT_FLAGS;
  let readOnly = false;
  let allowOther: boolean | undefined;
  let busyPollUs: number | undefined;
  let visibility: 'disk' | 'commit' = 'disk';
  let driver: Driver = 'feedfs';
  const given = lists.flatMap(split);
  const kernelOptions: string[] = [];
  for (const option of given) {
    const equals = option.indexOf('=');
    const name = equals < 0 ? option : option.slice(0, equals);
    const value = equals < 0 ? undefined : option.slice(equals + 1);
    if (option === 'ro' || option === 'rw') readOnly = option === 'ro';
    else if (option === 'allow_other' || option === 'noallow_other')
      allowOther = option === 'allow_other';
    else if (name === 'busy_poll' && value !== undefined) {
      busyPollUs = parseInteger(value, '-o busy_poll', 0, BUSY_POLL_US_MAX);
    } else if (name === 'visibility') {
      if (value !== 'disk' && value !== 'commit') {
        throw usageError('-o visibility takes disk or commit');
      }
      visibility = value;
    } else if (name === 'driver') {
      if (value !== 'feedfs' && value !== 'fuse-native') {
        throw usageError('-o driver takes feedfs or fuse-native');
      }
      driver = value;
    } else if (value === undefined && KERNEL_FLAGS.has(option)) {
      if (flags.has(option)) kernelOptions.push(option);
    } else if (value !== undefined && KERNEL_VALUES.has(name)) {
      if (rights.selinux) kernelOptions.push(option);
    } else if (!isIgnored(name, value)) throw unknownOption(option);
  }
  if (driver === 'fuse-native' && allowOther === true) {
    throw usageError(
      '-o allow_other is not possible with driver=fuse-native, which does not tell who calls',
    );
  }
  // Of all that was given: what the kernel cannot be told counts here all the same.
  const accessTimes = accessPolicy(given, readOnly);
  return { readOnly, allowOther, busyPollUs, visibility, driver, accessTimes, kernelOptions };
}

function isIgnored(name: string, value: string | undefined): boolean {
  if (name.startsWith('x-') || name.startsWith('X-')) return true;
  return value === undefined ? IGNORED_FLAGS.has(name) : IGNORED_VALUES.has(name);
}

function unknownOption(option: string): Error {
  const own = OWN_OPTIONS.map(([name]) => name).join(', ');
  return usageError(
    `unknown mount option "${option}"; feedfs has: ${own}; and the generic ones of mount(8)`,
  );
}
