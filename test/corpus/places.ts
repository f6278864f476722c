/** Where a corpus runs: tmpfs as the oracle, and feedfs by either driver. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ReplayMount } from '../mount/replay-mount.js';
import { feedfs, TestMount } from '../support/mount.js';
import { runOk } from '../support/processes.js';
import { snapshotTree, type Tree } from '../support/snapshot-tree.js';
import type { Kind } from './generate.js';

const CHILD = fileURLToPath(new URL('./run-child.js', import.meta.url));
/** A corpus that hangs fails. */
const RUN_MS = 240_000;

export interface Corpus {
  readonly kind: Kind;
  readonly seed: number;
  readonly count: number;
  /** Who runs it, and who mounts: root, if not given. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface Outcome {
  readonly lines: readonly string[];
  /** The tree at the end, without what no two filesystems have in common. */
  readonly tree: Tree;
}

/** Two levels down, so that a symlink with `..` in it does not lead out of the filesystem. */
function makeBase(root: string): string {
  const base = join(root, 'work', 'base');
  fs.mkdirSync(base, { recursive: true });
  for (const path of [root, join(root, 'work'), base]) fs.chmodSync(path, 0o777);
  return base;
}

async function run(base: string, { kind, seed, count, user }: Corpus): Promise<string[]> {
  const args = [CHILD, base, kind, `${seed}`, `${count}`];
  const output = await runOk(process.execPath, args, { ...user, cwd: '/', timeoutMs: RUN_MS });
  return output.split('\n').slice(0, -1);
}

export async function runOnTmpfs(folder: string, corpus: Corpus): Promise<Outcome> {
  const mountpoint = join(folder, 'tmpfs');
  fs.mkdirSync(mountpoint);
  // As fusermount mounts for an ordinary user.
  const options = corpus.user === undefined ? 'mode=777' : 'mode=777,nosuid,nodev';
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'feedfs-corpus', mountpoint]);
  try {
    const base = makeBase(mountpoint);
    const lines = await run(base, corpus);
    return { lines, tree: comparable(snapshotTree(base)) };
  } finally {
    execFileSync('umount', ['-l', mountpoint]);
  }
}

/**
 * Runs a corpus on a new store. Afterwards the store must pass fsck, and its feed must
 * describe the tree that is there; both are looked at by root and the own driver.
 */
export async function runOnFeedfs(
  folder: string,
  driver: string,
  corpus: Corpus,
): Promise<Outcome> {
  const home = join(folder, driver);
  fs.mkdirSync(home);
  const mount = new TestMount(home, {});
  const abandon = () => mount.abandon();
  process.on('exit', abandon);
  try {
    await mount.mount();
    const replay = new ReplayMount(mount);
    replay.begin();
    const base = makeBase(mount.mnt);
    await mount.unmount();
    if (corpus.user !== undefined) giveAway(home, corpus.user);
    await mount.mount({ ...corpus.user, options: `driver=${driver}` });
    const lines = await run(base, corpus);
    await mount.unmount();
    await check(mount.store);
    await mount.mount({});
    replay.check();
    const tree = comparable(snapshotTree(base));
    await mount.unmount();
    return { lines, tree };
  } finally {
    process.off('exit', abandon);
    await mount.destroy();
  }
}

async function check(store: string): Promise<void> {
  const { code, stdout, stderr } = await feedfs(['fsck', store]);
  if (code !== 0) throw new Error(`fsck found:\n${stdout}${stderr}`);
}

/** Whoever mounts owns the store and the mountpoint. */
function giveAway(folder: string, { uid, gid }: { uid: number; gid: number }): void {
  execFileSync('chown', ['-R', `${uid}:${gid}`, folder]);
}

/** Times differ from run to run. */
function comparable(tree: Tree): Tree {
  return Object.fromEntries(
    Object.entries(tree).map(([path, entry]) => [path, { ...entry, mtime: '', atime: '' }]),
  );
}
