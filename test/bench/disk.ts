/**
 * The disk below all competitors: a new ext4 with a journal in an image on a tmpfs.
 * A worn ext4, or one without a journal, makes a file 40 times slower and would
 * hide every difference.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Cleanup } from './cleanup.js';
import { DISK_BYTES, TMPFS_BYTES } from './limits.js';
import { has, messageOf, run, unmount } from './shell.js';

export interface Disk {
  readonly dir: string;
  readonly description: string;
}

/** As root a fresh ext4; otherwise, or without loop devices, a folder of the temporary directory. */
export async function makeDisk(cleanup: Cleanup, dir: string): Promise<Disk> {
  const plain = path.join(dir, 'disk');
  fs.mkdirSync(plain);
  if (process.getuid?.() !== 0 || !has('mkfs.ext4')) {
    return { dir: plain, description: 'a folder of the temporary directory (not root)' };
  }
  try {
    return await makeImage(cleanup, dir);
  } catch (error) {
    process.stderr.write(`bench: no fresh ext4 (${messageOf(error)})\n`);
    return { dir: plain, description: 'a folder of the temporary directory (no loop device)' };
  }
}

async function makeImage(cleanup: Cleanup, dir: string): Promise<Disk> {
  const memory = path.join(dir, 'memory');
  const mountpoint = path.join(dir, 'ext4');
  fs.mkdirSync(memory);
  fs.mkdirSync(mountpoint);
  cleanup.defer('tmpfs', () => unmount(memory));
  await run('mount', ['-t', 'tmpfs', '-o', `size=${TMPFS_BYTES}`, 'bench', memory]);
  const image = path.join(memory, 'image');
  fs.writeFileSync(image, '');
  fs.truncateSync(image, DISK_BYTES);
  await run('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image]);
  cleanup.defer('ext4', () => unmount(mountpoint));
  // mount(8) makes the loop device, and it goes with the mount.
  await run('mount', ['-t', 'ext4', '-o', 'loop', image, mountpoint]);
  return { dir: mountpoint, description: 'new ext4 with a journal, loop device on a tmpfs' };
}
