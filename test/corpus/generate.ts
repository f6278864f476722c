/** Makes a corpus from a seed: the same seed, kind and count give the same operations. */
import { constants } from 'node:fs';
import { must } from '../../src/base/assert.js';
import { UTIME_NOW, UTIME_OMIT } from '../posix/libc.js';
import type { Random } from '../support/random.js';
import { DIFFERENCES } from './differences.js';
import type { Operation, Path, Time } from './operation.js';

/** `shared`: only what both drivers can express, by one user. */
export type Kind = 'shared' | 'all';

type Draft = Operation extends infer O ? (O extends Operation ? Omit<O, 'user'> : never) : never;

export const SLOTS = 4;
const LONGEST = 'n'.repeat(255);
const TOO_LONG = 'n'.repeat(256);
/** Few names, so that operations meet: the first ones mostly of directories. */
const DIRECTORIES = ['d', 'e', 'f'];
/** The last in bytes of UTF-8. */
const LEAVES = ['a', 'b', 'c', LONGEST, '\xc3\xa9'];
const ODD_NAMES = [TOO_LONG, '.', '..', '\xff\xfe', ' ', '\\,"', '-n'];
const TARGETS = ['a', 'b', 'a/b', './c', '../a', 'missing/x', 'n'.repeat(300), 't'.repeat(4095)];
const USUAL_MODES = [0o644, 0o755, 0o777, 0o666, 0o775];
const ODD_MODES = [0o600, 0o000, 0o4755, 0o2755, 0o6777, 0o1777, 0o444, 0o2644];
const UMASKS = [0, 0o22, 0o77, 0o27];
const IDS = [0, 12_345, 23_456, -1];
const SIZES = [0, 1, 10, 4095, 4096, 8192, 8193, 70_000, 2 ** 24];
const KINDS = [0o100000, 0o010000, 0o140000, 0o020000, 0o060000, 0, 0o040000, 0o120000, 0o030000];
const XATTRS = ['user.a', 'user.b', 'trusted.t', 'user.', 'none', `user.${LONGEST}`, 'other.x'];
const ROOMS = [0, 1, 5, 300, 65_536];

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND } = constants;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

export function generate(random: Random, kind: Kind, count: number): Operation[] {
  const operations = DIRECTORIES.flatMap(mkdirs);
  while (operations.length < count) {
    const operation: Operation = { ...draft(random), user: random.chance(40) };
    const one = kind === 'shared' ? { ...operation, user: false } : operation;
    if (kind === 'shared' && DIFFERENCES.some(({ concerns }) => concerns(one))) continue;
    operations.push(one);
  }
  return operations;
}

/** To begin with, places for what follows. */
function mkdirs(name: string): Operation[] {
  return [name, `${name}/${name}`].map((path) => ({
    call: 'mkdir',
    path,
    mode: 0o777,
    umask: 0,
    user: false,
  }));
}

function any<T>(random: Random, choices: readonly T[]): T {
  return must(random.pick(choices), 'a choice');
}

/** Up to three names; now and then one that cannot be, or a slash at the end. */
function pathOf(random: Random, last: readonly string[] = LEAVES): Path {
  if (random.chance(1)) return `${'./'.repeat(2100)}a`;
  if (random.chance(1)) return '';
  const depth = any(random, [1, 1, 2, 2, 3]);
  const names = Array.from({ length: depth }, (_none, i) => {
    if (random.chance(2)) return any(random, ODD_NAMES);
    const usual = i + 1 < depth ? DIRECTORIES : last;
    return any(random, random.chance(15) ? [...DIRECTORIES, ...LEAVES] : usual);
  });
  return `${inside(names)}${random.chance(4) ? '/' : ''}`;
}

/** An object of any kind. */
function anyPath(random: Random): Path {
  return pathOf(random, random.chance(30) ? DIRECTORIES : LEAVES);
}

/** Never above the directory of the corpus. */
function inside(names: readonly string[]): string {
  return names.map((name, i) => (name === '..' && i === 0 ? '.' : name)).join('/');
}

function modeOf(random: Random): number {
  return any(random, random.chance(60) ? USUAL_MODES : ODD_MODES);
}

function timeOf(random: Random): Time {
  const sec = any(random, [0, 1, 1_000_000_000, 2_000_000_000, 4_000_000_000, -1]);
  return { sec, nsec: any(random, [0, 1_000_000, 999_000_000, 1, UTIME_NOW, UTIME_OMIT]) };
}

function openFlags(random: Random): number {
  // A FIFO that nobody reads must not stop the run.
  let flags = O_NONBLOCK | any(random, [O_RDONLY, O_WRONLY, O_RDWR, O_RDWR]);
  if (random.chance(60)) flags |= O_CREAT;
  for (const flag of [O_EXCL, O_TRUNC, O_APPEND]) if (random.chance(20)) flags |= flag;
  for (const flag of [O_DIRECTORY, O_NOFOLLOW]) if (random.chance(5)) flags |= flag;
  return flags;
}

/** Each maker is drawn as often as it is listed. */
const MAKERS: readonly (readonly [number, (random: Random) => Draft])[] = [
  [24, open],
  [22, onSlot],
  [14, make],
  [20, onNames],
  [16, onAttributes],
  [10, onXattrs],
  [8, look],
];
const WEIGHTED = MAKERS.flatMap(([weight, maker]) => Array.from({ length: weight }, () => maker));

function draft(random: Random): Draft {
  return any(random, WEIGHTED)(random);
}

function open(random: Random): Draft {
  const kept = random.chance(35);
  return {
    call: 'open',
    path: pathOf(random),
    flags: openFlags(random),
    mode: modeOf(random),
    umask: any(random, UMASKS),
    bytes: any(random, [0, 0, 7, 300, 9000]),
    slot: kept ? random.below(SLOTS) : undefined,
  };
}

function onSlot(random: Random): Draft {
  const slot = random.below(SLOTS);
  const offset = any(random, [0, 3, 4096, 8190, 100_000, 2 ** 24]);
  const length = any(random, [1, 9, 4096, 10_000]);
  switch (random.below(9)) {
    case 0:
    case 1:
      return { call: 'pread', slot, offset, length };
    case 2:
    case 3:
      return { call: 'pwrite', slot, offset, length };
    case 4:
      return { call: 'ftruncate', slot, size: any(random, SIZES) };
    case 5:
      return { call: 'fchmod', slot, mode: modeOf(random) };
    case 6:
      return { call: 'fchown', slot, uid: any(random, IDS), gid: any(random, IDS) };
    case 7:
      // Allocate, keep the size, punch.
      return { call: 'fallocate', slot, mode: any(random, [0, 1, 3]), offset, length };
    default:
      return { call: any(random, ['close', 'fstat', 'fsync'] as const), slot };
  }
}

function make(random: Random): Draft {
  const kind = random.below(7);
  const path = pathOf(random, kind > 2 ? DIRECTORIES : LEAVES);
  const common = { path, mode: modeOf(random), umask: any(random, UMASKS) };
  switch (kind) {
    case 0:
      return {
        call: 'mknod',
        ...common,
        mode: common.mode | any(random, KINDS),
        // The null device, and one that no machine has.
        device: any(random, [
          [1, 3],
          [240, 99],
        ] as const),
      };
    case 1:
      return { call: 'tmpfile', ...common };
    case 2:
      return { call: 'symlink', path: common.path, target: any(random, TARGETS) };
    default:
      return { call: 'mkdir', ...common };
  }
}

function onNames(random: Random): Draft {
  const path = anyPath(random);
  switch (random.below(8)) {
    case 0:
    case 1:
      return { call: 'link', path: pathOf(random), to: pathOf(random) };
    case 2:
    case 3:
      return { call: 'rename', path, to: anyPath(random), flags: 0 };
    case 4:
      // RENAME_NOREPLACE, RENAME_EXCHANGE, both; RENAME_WHITEOUT, and without replacing.
      return { call: 'rename', path, to: anyPath(random), flags: any(random, [1, 2, 3, 4, 5]) };
    case 5:
      return { call: 'rmdir', path: pathOf(random, DIRECTORIES) };
    default:
      return { call: 'unlink', path: pathOf(random) };
  }
}

function onAttributes(random: Random): Draft {
  const path = anyPath(random);
  switch (random.below(4)) {
    case 0:
      return { call: 'chmod', path, mode: modeOf(random) };
    case 1: {
      const ids = { uid: any(random, IDS), gid: any(random, IDS) };
      return { call: 'chown', path, ...ids, follow: random.chance(50) };
    }
    case 2:
      return { call: 'truncate', path, size: any(random, SIZES) };
    default: {
      const times = { atime: timeOf(random), mtime: timeOf(random) };
      return { call: 'utimens', path, ...times, follow: random.chance(70) };
    }
  }
}

function onXattrs(random: Random): Draft {
  const path = anyPath(random);
  const name = any(random, XATTRS);
  switch (random.below(5)) {
    case 0:
      return { call: 'getxattr', path, name, room: any(random, ROOMS) };
    case 1:
      return { call: 'listxattr', path, room: any(random, ROOMS) };
    case 2:
      return { call: 'removexattr', path, name };
    default: {
      // All of them together fit in the one block that ext4 gives them: the feed is applied there.
      const bytes = any(random, [0, 5, 300, 65_537]);
      return { call: 'setxattr', path, name, bytes, flags: any(random, [0, 0, 1, 2]) };
    }
  }
}

function look(random: Random): Draft {
  const path = anyPath(random);
  switch (random.below(4)) {
    case 0:
      return { call: 'access', path, mode: random.below(8) };
    case 1:
      return { call: any(random, ['readlink', 'statfs'] as const), path };
    default:
      return { call: 'readdir', path };
  }
}
