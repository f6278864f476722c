/**
 * Steps of generated work on a directory tree: what they are, and the generator. Most
 * steps of a sequence fit what the ones before it made.
 */
import fc from 'fast-check';
import { UTIME_NOW, UTIME_OMIT } from '../posix/libc.js';
import { ACCESS, aclOf, DEFAULT } from '../support/acl.js';
import { CAPABILITY } from '../support/libc.js';

/** Below the root of the tree; bytes as a binary string. */
export type Path = string;

export type Step = { readonly user: boolean } & (
  | {
      readonly op: 'mkdir' | 'create' | 'fifo' | 'device';
      readonly path: Path;
      readonly mode: number;
    }
  | { readonly op: 'symlink'; readonly path: Path; readonly target: string }
  | {
      readonly op: 'link' | 'rename' | 'exchange' | 'noreplace';
      readonly path: Path;
      readonly to: Path;
    }
  | { readonly op: 'unlink' | 'rmdir'; readonly path: Path }
  | { readonly op: 'chmod'; readonly path: Path; readonly mode: number }
  | { readonly op: 'chown'; readonly path: Path; readonly uid: number; readonly gid: number }
  | { readonly op: 'utimens'; readonly path: Path; readonly atime: Time; readonly mtime: Time }
  | {
      readonly op: 'setxattr';
      readonly path: Path;
      readonly name: string;
      readonly size: number;
      readonly flags: number;
    }
  | { readonly op: 'removexattr'; readonly path: Path; readonly name: string }
  | {
      /** ACLs and capabilities: not any bytes will do. */
      readonly op: 'setspecial';
      readonly path: Path;
      readonly xattr: { readonly name: string; readonly value: Buffer };
    }
  | {
      readonly op: 'write' | 'append' | 'map';
      readonly path: Path;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly op: 'truncate'; readonly path: Path; readonly length: number }
  | { readonly op: 'open'; readonly path: Path; readonly slot: number }
  | {
      readonly op: 'pwrite';
      readonly slot: number;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly op: 'ftruncate'; readonly slot: number; readonly length: number }
  | { readonly op: 'fsync' | 'close'; readonly slot: number }
);

export interface Time {
  readonly sec: number;
  readonly nsec: number;
}

const SLOTS = 3;
const XATTRS = ['user.a', 'user.b', 'trusted.c'];
/** All of them together fit in the one block that ext4 gives them: a feed is applied there. */
const XATTR_BYTES = 1000;

// Few names, so that steps meet. One is not UTF-8, one is as long as a name can be.
const name = fc.constantFrom('a', 'b', 'c', 'd', '\xff\xfe', 'x'.repeat(255), '"\\\t');
const path: fc.Arbitrary<Path> = fc
  .oneof(
    { weight: 4, arbitrary: fc.tuple(name) },
    { weight: 4, arbitrary: fc.tuple(name, name) },
    { weight: 1, arbitrary: fc.tuple(name, name, name) },
  )
  .map((names) => names.join('/'));
const mode = fc.constantFrom(0o777, 0o755, 0o700, 0o644, 0o2775, 0o1777, 0o4755, 0o6777, 0);
const id = fc.constantFrom(0, 12_345, 23_456, 65_534);
/** On both sides of where small contents become an object file, and far beyond. */
const length = fc.constantFrom(0, 1, 100, 4096, 5000, 16_384, 20_000, 70_000);
const offset = fc.constantFrom(0, 1, 50, 4095, 8192, 16_000, 50_000, 1_000_000);
const time: fc.Arbitrary<Time> = fc.oneof(
  fc.record({ sec: fc.integer({ min: -1000, max: 2 ** 31 }), nsec: fc.nat(999_999_999) }),
  fc.constantFrom({ sec: 0, nsec: UTIME_NOW }, { sec: 0, nsec: UTIME_OMIT }),
);
const slot = fc.nat(SLOTS - 1);
const xattr = fc.constantFrom(...XATTRS);
const removable = fc.constantFrom(...XATTRS, ACCESS, DEFAULT, CAPABILITY);
const NAMED = ['u:12345:rwx', 'g::r-x', 'g:65534:rw-'];
const special = fc.oneof(
  fc.record({
    name: fc.constantFrom(ACCESS, DEFAULT),
    value: fc.constantFrom(
      aclOf('u::rwx', ...NAMED, 'm::rwx', 'o::r-x'),
      aclOf('u::rw-', ...NAMED, 'm::r--', 'o::---'),
      aclOf('u::rwx', 'g::r-x', 'm::r-x', 'o::r-x'),
      aclOf('u::rwx', 'g::rwx', 'o::--x'),
    ),
  }),
  // Version 2: cap_net_raw.
  fc.constant({
    name: CAPABILITY,
    value: Buffer.from(`0100000200200000${'00'.repeat(12)}`, 'hex'),
  }),
);

type Weighted = { readonly weight: number; readonly arbitrary: fc.Arbitrary<object> };

function kind(
  weight: number,
  ops: readonly string[],
  fields: Record<string, fc.Arbitrary<unknown>>,
): Weighted {
  return { weight, arbitrary: fc.record({ op: fc.constantFrom(...ops), ...fields }) };
}

const target = fc.constantFrom('a', '../b', '/no/such', '\xff', 'y'.repeat(4000));

export const step: fc.Arbitrary<Step> = fc
  .tuple(
    fc.oneof(
      kind(7, ['mkdir', 'create'], { path, mode }),
      kind(1, ['fifo', 'device'], { path, mode }),
      kind(1, ['symlink'], { path, target }),
      kind(5, ['link', 'rename', 'exchange', 'noreplace'], { path, to: path }),
      kind(3, ['unlink', 'rmdir'], { path }),
      kind(2, ['chmod'], { path, mode }),
      kind(1, ['chown'], { path, uid: id, gid: id }),
      kind(2, ['utimens'], { path, atime: time, mtime: time }),
      kind(2, ['setxattr'], {
        path,
        name: xattr,
        size: fc.constantFrom(0, 5, XATTR_BYTES),
        flags: fc.nat(2),
      }),
      kind(2, ['setspecial'], { path, xattr: special }),
      kind(1, ['removexattr'], { path, name: removable }),
      kind(5, ['write', 'append', 'map'], { path, offset, length }),
      kind(2, ['truncate'], { path, length }),
      kind(3, ['open'], { path, slot }),
      kind(4, ['pwrite'], { slot, offset, length }),
      kind(1, ['ftruncate'], { slot, length }),
      kind(1, ['fsync', 'close'], { slot }),
    ),
    fc.integer({ min: 0, max: 7 }),
  )
  .map(([what, who]) => ({ ...what, user: who === 0 }) as Step);
