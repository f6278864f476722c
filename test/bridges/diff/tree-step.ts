/** Random steps on a directory tree of a mount. No two leave anything in the same state. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { Errno } from '../../../src/base/errno.js';
import { RENAME_EXCHANGE, renameat2 } from '../../posix/libc.js';
import { lsetxattr } from '../../support/libc.js';
import type { Random } from '../../support/random.js';

const NAMES = ['a', 'b', 'c', 'd'];
const DEPTH_MAX = 4;

/** What a step may meet, in a tree that is not looked at before. */
const EXPECTED: ReadonlySet<number> = new Set([
  ...[Errno.ENOENT, Errno.EEXIST, Errno.ENOTDIR, Errno.EISDIR, Errno.ENOTEMPTY],
  ...[Errno.EINVAL, Errno.EPERM, Errno.ELOOP, Errno.EBUSY],
]);

/** What is the same in the state of an object before and after is what `count` is the same in. */
export function treeStep(root: string, random: Random, count: number): void {
  try {
    attempt(root, random, count);
  } catch (error) {
    if (!EXPECTED.has(errnoOf(error) ?? 0)) throw error;
  }
}

function attempt(root: string, random: Random, count: number): void {
  const [path, other] = [somewhere(root, random), somewhere(root, random)];
  switch (random.below(12)) {
    case 0:
    case 1:
      return fs.mkdirSync(path);
    case 2:
    case 3:
      return fs.writeFileSync(path, `${count}`, { flag: 'a' });
    case 4:
      return fs.symlinkSync(`${count}`, path);
    case 5:
      return fs.linkSync(path, other);
    case 6:
    case 7:
      return fs.renameSync(path, other);
    case 8:
      return renameat2(path, other, RENAME_EXCHANGE);
    case 9:
      return fs.rmSync(path, { recursive: random.chance(20) });
    case 10:
      return fs.lchownSync(path, count, 0);
    default:
      return lsetxattr(Buffer.from(path), Buffer.from('user.count'), Buffer.from(`${count}`), 0);
  }
}

function errnoOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  // Node's own errno is negative, and missing where it did not ask the kernel at all.
  if ('errno' in error) return Math.abs(Number(error.errno));
  const code = 'code' in error ? `${error.code}`.replace('ERR_FS_', '') : '';
  return Errno[code as keyof typeof Errno];
}

function somewhere(root: string, random: Random): string {
  const depth = 1 + random.below(DEPTH_MAX);
  return join(root, ...Array.from({ length: depth }, () => random.pick(NAMES) ?? ''));
}
