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
import { type MetricsAddress, parseMetricsAddress } from './metrics-address.js';

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
  /** Ordinary users may watch what they can see. */
  readonly userWatch: boolean;
  /** The server is a process of its own, which is started again when it ends. */
  readonly ha: boolean;
  /** Where monitoring finds statistics; undefined: nowhere. */
  readonly metrics: MetricsAddress | undefined;
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
    'user_watch, nouser_watch',
    'other users may open .lustre/watch, which shows them changes in directories that they can list (default: no)',
  ],
  [
    'driver=feedfs|fuse-native',
    'fuse-native: served by libfuse 2, without reading feeds, for the mounting user only',
  ],
  [
    'metrics=PORT|HOST:PORT|unix:/PATH',
    'statistics for Prometheus over HTTP (default: nowhere; PORT alone: on loopback)',
  ],
  [
    'ha',
    'the metadata server is a process of its own, started again when it ends: programs only see a pause',
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

/** Ours as they are read, one after the other: a later one counts. */
interface OwnOptions {
  readOnly: boolean;
  allowOther: boolean | undefined;
  userWatch: boolean;
  ha: boolean;
  busyPollUs: number | undefined;
  visibility: 'disk' | 'commit';
  driver: Driver;
  metrics: MetricsAddress | undefined;
}

/** Throws CliError USAGE for an option that nobody knows, or a value out of range. */
export function parseMountOptions(lists: readonly string[], rights: MountRights): MountOptions {
  const flags = rights.root ? KERNEL_FLAGS : FUSERMOUNT_FLAGS;
  const own: OwnOptions = {
    readOnly: false,
    allowOther: undefined,
    userWatch: false,
    ha: false,
    busyPollUs: undefined,
    visibility: 'disk',
    driver: 'feedfs',
    metrics: undefined,
  };
  const given = lists.flatMap(split);
  const kernelOptions: string[] = [];
  for (const option of given) {
    const equals = option.indexOf('=');
    const name = equals < 0 ? option : option.slice(0, equals);
    const value = equals < 0 ? undefined : option.slice(equals + 1);
    if (takeFlag(own, option) || takeValue(own, name, value ?? '')) continue;
    if (value === undefined && KERNEL_FLAGS.has(option)) {
      if (flags.has(option)) kernelOptions.push(option);
    } else if (value !== undefined && KERNEL_VALUES.has(name)) {
      if (rights.selinux) kernelOptions.push(option);
    } else if (!isIgnored(name, value)) throw unknownOption(option);
  }
  if (own.driver === 'fuse-native' && own.allowOther === true) {
    throw usageError(
      '-o allow_other is not possible with driver=fuse-native, which does not tell who calls',
    );
  }
  if (own.userWatch && !(own.allowOther ?? (rights.root && own.driver === 'feedfs'))) {
    throw usageError('-o user_watch needs -o allow_other: nobody else can use the mount without');
  }
  // Of all that was given: what the kernel cannot be told counts here all the same.
  const accessTimes = accessPolicy(given, own.readOnly);
  return { ...own, accessTimes, kernelOptions };
}

/** False if it is none of ours. */
function takeFlag(own: OwnOptions, option: string): boolean {
  switch (option) {
    case 'ro':
    case 'rw':
      own.readOnly = option === 'ro';
      return true;
    case 'allow_other':
    case 'noallow_other':
      own.allowOther = option === 'allow_other';
      return true;
    case 'user_watch':
    case 'nouser_watch':
      own.userWatch = option === 'user_watch';
      return true;
    case 'ha':
      own.ha = true;
      return true;
    default:
      return false;
  }
}

/** False if it is none of ours. */
function takeValue(own: OwnOptions, name: string, value: string): boolean {
  switch (name) {
    case 'busy_poll':
      own.busyPollUs = parseInteger(value, '-o busy_poll', 0, BUSY_POLL_US_MAX);
      return true;
    case 'visibility':
      own.visibility = oneOf(value, '-o visibility', ['disk', 'commit']);
      return true;
    case 'driver':
      own.driver = oneOf(value, '-o driver', ['feedfs', 'fuse-native']);
      return true;
    case 'metrics':
      own.metrics = parseMetricsAddress(value);
      return true;
    default:
      return false;
  }
}

function oneOf<T extends string>(value: string, option: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw usageError(`${option} takes ${choices.join(' or ')}`);
  return found;
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
