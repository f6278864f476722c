/**
 * Load for a filesystem that is about to be killed. Ends when a call fails because
 * the mount is dead.
 *
 *     node crash-load-child.js churn FOLDER ROUND
 *     node crash-load-child.js sync FOLDER ROUND
 *
 * Prints -1 once it is there. `churn` then makes, renames, links, writes and
 * removes without end; `sync` writes files and prints the number of each as soon as
 * fsync has acknowledged it.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { setxattr } from '../posix/libc.js';

/** How many of its directories a churn keeps. */
const KEPT = 20;
/** Empty, inline, on the edge of it, and in a file of its own. */
const SIZES = [0, 10, 5_000, 20_000, 70_000];
/** How calls on a dead mount fail; the one that was in progress fails with ECONNABORTED. */
const DEAD = new Set(['ENOTCONN', 'ECONNABORTED']);

/** What file `i` of a round contains. */
export function contentsOf(round: number, i: number): Buffer {
  return Buffer.alloc(SIZES[i % SIZES.length] ?? 0, `round ${round}, file ${i};`);
}

function churn(round: number): void {
  for (let i = 0; ; i++) {
    const dir = `d-${round}-${i}`;
    fs.mkdirSync(dir);
    fs.writeFileSync(join(dir, 'new'), contentsOf(round, i));
    fs.renameSync(join(dir, 'new'), join(dir, 'file'));
    fs.linkSync(join(dir, 'file'), join(dir, 'link'));
    setxattr(join(dir, 'file'), 'user.n', Buffer.from(`${i}`));
    fs.symlinkSync('file', join(dir, 'symlink'));
    fs.writeFileSync(join(dir, 'link'), contentsOf(round, i + 1));
    if (i >= KEPT) fs.rmSync(`d-${round}-${i - KEPT}`, { recursive: true });
  }
}

function sync(round: number): void {
  for (let i = 0; ; i++) {
    const fd = fs.openSync(`s-${i}`, 'w');
    fs.writeSync(fd, contentsOf(round, i));
    fs.fsyncSync(fd);
    fs.writeSync(1, `${i}\n`);
    fs.closeSync(fd);
  }
}

function main([kind, folder = '', round = '0']: readonly string[]): void {
  try {
    // Not by path: when the dead mount is taken away, the path is another folder's.
    process.chdir(folder);
    fs.writeSync(1, '-1\n');
    if (kind === 'churn') churn(Number(round));
    else sync(Number(round));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && DEAD.has(`${error.code}`))) throw error;
  }
}

if (process.argv[1]?.endsWith('crash-load-child.js')) main(process.argv.slice(2));
