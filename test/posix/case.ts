/**
 * What a filesystem must do, as plain functions that take a directory. The same
 * table runs on an ordinary filesystem as the control and on feedfs, so an
 * expectation that is wrong about Linux fails on the control first.
 */
import * as fs from 'node:fs';
import * as assert from 'uvu/assert';

export interface PosixCase {
  readonly name: string;
  /** Needs root: other owners, devices, trusted attributes. */
  readonly root: boolean;
  /** `dir` is empty, mode 0755, and this case's own. */
  readonly run: (dir: string) => void | Promise<void>;
}

export function posix(name: string, run: (dir: string) => void): PosixCase {
  return { name, root: false, run };
}

export function posixAsRoot(name: string, run: (dir: string) => void): PosixCase {
  return { name, root: true, run };
}

/** A case that waits for other processes. */
export function posixAsync(name: string, run: (dir: string) => Promise<void>): PosixCase {
  return { name, root: false, run };
}

/** Asserts that `call` fails with one of the given errno names. */
export function fails(code: string | readonly string[], call: () => unknown): void {
  const wanted = [code].flat();
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    const actual = error instanceof Error && 'code' in error ? `${error.code}` : `${error}`;
    assert.ok(wanted.includes(actual), `expected ${wanted.join(' or ')}, got ${actual}`);
    return;
  }
  assert.unreachable(`expected ${wanted.join(' or ')}, but the call returned ${result}`);
}

/** Opens, hands over the descriptor, closes in any case. */
export function withFile<T>(
  path: string,
  flags: string | number,
  use: (fd: number) => T,
  mode = 0o644,
): T {
  const fd = fs.openSync(path, flags, mode);
  try {
    return use(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Whose rights a call is made with. */
export interface Who {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups?: readonly number[];
}

/** Someone without any right of root. */
export const USER = { uid: 12_345, gid: 23_456 } as const satisfies Who;

/** Runs `call` with the rights of `who`; needs root. */
export function as<T>(who: Who, call: () => T): T {
  const groups = process.getgroups?.() ?? [];
  process.setgroups?.([...(who.groups ?? [])]);
  process.setegid?.(who.gid);
  process.seteuid?.(who.uid);
  try {
    return call();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
    process.setgroups?.(groups);
  }
}

/** Runs `call` with the rights of {@link USER} and no supplementary groups. */
export function asUser<T>(call: () => T): T {
  return as(USER, call);
}

/** The permission bits with set-id and sticky. */
export function modeOf(path: string): number {
  return fs.lstatSync(path).mode & 0o7777;
}

export function exists(path: string): boolean {
  return fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** 2001-09-09, long before any test runs: a time that a change must replace. */
export const OLD = { sec: 1_000_000_000, nsec: 0 } as const;
export const OLD_NS = 1_000_000_000_000_000_000n;

/** Modification time in nanoseconds. */
export function mtimeNs(path: string): bigint {
  return fs.lstatSync(path, { bigint: true }).mtimeNs;
}
