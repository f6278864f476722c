/**
 * The disk below all competitors: a new ext4 with a journal in an image on a tmpfs,
 * or a tmpfs itself. A worn ext4, or one without a journal, makes a file 40 times
 * slower and would hide every difference.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Cleanup } from './cleanup.js';
import { BYTES_PER_INODE, DISK_BYTES } from './limits.js';
import { has, messageOf, run, unmount } from './shell.js';

export interface Disk {
  readonly dir: string;
  readonly description: string;
}

export interface DiskOptions {
  /** Most it can hold; only what is written takes memory. */
  readonly bytes?: number;
  /** For millions of files. */
  readonly manyInodes?: boolean;
}

/** As root a fresh ext4; otherwise, or without loop devices, a folder of the temporary directory. `dir` must not exist. */
export async function makeDisk(
  cleanup: Cleanup,
  dir: string,
  options: DiskOptions = {},
): Promise<Disk> {
  fs.mkdirSync(dir);
  const plain = path.join(dir, 'plain');
  if (process.getuid?.() !== 0 || !has('mkfs.ext4')) {
    fs.mkdirSync(plain);
    return { dir: plain, description: 'a folder of the temporary directory (not root)' };
  }
  try {
    return await makeImage(cleanup, dir, options);
  } catch (error) {
    process.stderr.write(`bench: no fresh ext4 (${messageOf(error)})\n`);
    fs.mkdirSync(plain);
    return { dir: plain, description: 'a folder of the temporary directory (no loop device)' };
  }
}

/** Everything in memory; undefined when it cannot be mounted. `dir` must not exist. */
export async function makeTmpfs(
  cleanup: Cleanup,
  dir: string,
  options: DiskOptions = {},
): Promise<Disk | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  fs.mkdirSync(dir);
  cleanup.defer('tmpfs', () => unmount(dir));
  const size = options.bytes ?? DISK_BYTES;
  await run('mount', ['-t', 'tmpfs', '-o', `size=${size},nr_inodes=0`, 'bench', dir]);
  return { dir, description: 'tmpfs' };
}

async function makeImage(cleanup: Cleanup, dir: string, options: DiskOptions): Promise<Disk> {
  const bytes = options.bytes ?? DISK_BYTES;
  // The file's own metadata come on top.
  const memory = await makeTmpfs(cleanup, path.join(dir, 'memory'), { bytes: bytes * 1.25 });
  if (memory === undefined) throw new Error('no tmpfs');
  const image = path.join(memory.dir, 'image');
  fs.writeFileSync(image, '');
  fs.truncateSync(image, bytes);
  const inodes = options.manyInodes === true ? ['-i', String(BYTES_PER_INODE)] : [];
  const atOnce = ['-E', 'lazy_itable_init=0,lazy_journal_init=0'];
  await run('mkfs.ext4', ['-q', '-F', ...inodes, ...atOnce, image]);
  const mountpoint = path.join(dir, 'ext4');
  fs.mkdirSync(mountpoint);
  cleanup.defer('ext4', () => unmount(mountpoint));
  // mount(8) makes the loop device, and it goes with the mount.
  await run('mount', ['-t', 'ext4', '-o', 'loop', image, mountpoint]);
  return { dir: mountpoint, description: 'new ext4 with a journal, loop device on a tmpfs' };
}
