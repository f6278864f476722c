/** Trees of more and more files, and what one operation, mounting and memory are in each. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { warmUp } from '../competitors.js';
import type { Disk } from '../disk.js';
import { MAKER_CLIENTS } from '../limits.js';
import { memoryOf } from '../machine.js';
import { mountMs } from '../mount-time.js';
import type { Samples } from '../samples.js';
import type { BenchContext } from '../section.js';
import type { Feedfs } from '../servers.js';
import { number } from '../table.js';
import { acknowledgeAll, onBindfs, onFeedfs } from './store.js';

const MB = 1e6;
const TREE = 'tree';

export const storeName = (files: number) => `tree-${files}`;
const plainName = (files: number) => `plain-${files}`;
export const sampleName = (who: 'feedfs' | 'bindfs', files: number) => `${who} ${files}`;

export interface Made {
  readonly files: number;
  readonly seconds: number;
  /** Of the daemon that made the tree, MB: in the end, and at its worst. */
  readonly residentMb: number;
  readonly peakMb: number;
}

/** A tree in a store of its own and, for bindfs, the same on the disk. */
export async function makeTree(context: BenchContext, disk: Disk, files: number): Promise<Made> {
  const { client, peers } = context;
  context.progress(`scale: making a tree of ${number(files)} files`);
  const made = await onFeedfs(context, disk, storeName(files), async (server) => {
    const seconds = await client.growTree(path.join(server.mountpoint, TREE), files, MAKER_CLIENTS);
    await acknowledgeAll(context, server);
    const { rssBytes, peakBytes } = memoryOf(server.pid);
    return { files, seconds, residentMb: rssBytes / MB, peakMb: peakBytes / MB };
  });
  if (peers.bindfs) {
    const plain = path.join(disk.dir, plainName(files));
    fs.mkdirSync(plain);
    await client.growTree(path.join(plain, TREE), files, MAKER_CLIENTS);
  }
  return made;
}

/** One round for one size: nanoseconds per operation, and the daemon's memory after it. */
export async function measureTree(
  context: BenchContext,
  disk: Disk,
  files: number,
  round: number,
  samples: Samples,
): Promise<void> {
  const { client, peers, sizes } = context;
  const measure = async ({ mountpoint }: { readonly mountpoint: string }) => {
    await warmUp(context, mountpoint, sizes.files);
    return await client.treeOperations(path.join(mountpoint, TREE), files, sizes.treeOperations);
  };
  await onFeedfs(context, disk, storeName(files), async (server: Feedfs) => {
    const figures = await measure(server);
    await acknowledgeAll(context, server);
    const memory = memoryOf(server.pid).peakBytes / MB;
    samples.add(sampleName('feedfs', files), round, { ...figures, memory });
  });
  if (!peers.bindfs) return;
  await onBindfs(context, disk, plainName(files), async (server) => {
    samples.add(sampleName('bindfs', files), round, await measure(server));
  });
}

/** Milliseconds of `feedfs mount`; 0 files: an empty store. */
export function measureMount(context: BenchContext, disk: Disk, files: number): Promise<number> {
  const store = path.join(disk.dir, files === 0 ? 'empty' : storeName(files));
  return mountMs(context.cleanup, store, path.join(context.dir, 'mount-timed'));
}

/** The two mounts at once, so that each stays as warm as the other. */
export async function withTree<T>(
  context: BenchContext,
  disk: Disk,
  files: number,
  use: (trees: readonly { readonly name: string; readonly dir: string }[]) => Promise<T>,
): Promise<T> {
  return onFeedfs(context, disk, storeName(files), async (feedfs) => {
    const ours = { name: 'feedfs', dir: path.join(feedfs.mountpoint, TREE) };
    if (!context.peers.bindfs) return await use([ours]);
    return await onBindfs(context, disk, plainName(files), (bindfs) =>
      use([ours, { name: 'bindfs', dir: path.join(bindfs.mountpoint, TREE) }]),
    );
  });
}
