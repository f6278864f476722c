/** Stores and directories that are made once and then measured on new mounts, in turns. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Disk, makeDisk } from '../disk.js';
import { LARGE_COUNT, LARGE_DISK_BYTES, LARGE_MEMORY_BYTES_MIN } from '../limits.js';
import { availableMemoryBytes } from '../machine.js';
import type { BenchContext } from '../section.js';
import { type Feedfs, startBindfs, startFeedfs } from '../servers.js';
import type { Server } from '../shell.js';

/** A disk with room for `count` files or records. Throws when the machine has no memory for it. */
export async function diskFor(context: BenchContext, count: number): Promise<Disk> {
  if (count < LARGE_COUNT) return context.disk;
  if (availableMemoryBytes() < LARGE_MEMORY_BYTES_MIN) {
    const gib = LARGE_MEMORY_BYTES_MIN / 1024 ** 3;
    throw new Error(`${count} files or records need ${gib} GiB of memory that is available`);
  }
  return await makeDisk(context.cleanup, path.join(context.dir, 'large'), {
    bytes: LARGE_DISK_BYTES,
    manyInodes: true,
  });
}

/** Runs `use` on a new mount of the store `name`, which is made if there is none. */
export async function onFeedfs<T>(
  context: BenchContext,
  disk: Disk,
  name: string,
  use: (server: Feedfs) => Promise<T>,
): Promise<T> {
  const server = await startFeedfs(context.cleanup, {
    store: path.join(disk.dir, name),
    mountpoint: path.join(context.dir, `mount-${name}`),
  });
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

/** Runs `use` on a new bindfs over the directory `name` of the disk. */
export async function onBindfs<T>(
  context: BenchContext,
  disk: Disk,
  name: string,
  use: (server: Server) => Promise<T>,
): Promise<T> {
  const mountpoint = path.join(context.dir, `mount-${name}`);
  const server = await startBindfs(context.cleanup, path.join(disk.dir, name), mountpoint);
  try {
    return await use(server);
  } finally {
    await server.stop();
  }
}

/** Acknowledges every record, so that what is measured next is not the backlog. */
export async function acknowledgeAll(context: BenchContext, { feed }: Feedfs): Promise<void> {
  const stream = path.join(feed, 'stream');
  const { size } = fs.statSync(stream);
  if (size > 0) await context.client.punch(stream, 0, size);
}
