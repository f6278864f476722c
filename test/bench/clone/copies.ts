/** The ways to bring a copy up to date, each as a user would call it; seconds. */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LONG_COMMAND_MS_MAX } from '../limits.js';
import { feedfsMain } from '../project.js';
import { run } from '../shell.js';
import { changedFiles, contentsOf, pathOf } from './tree.js';

const TREE_NODE = fileURLToPath(new URL('./tree-node.js', import.meta.url));
const DROP_CACHES = '/proc/sys/vm/drop_caches';
const MS_PER_S = 1_000;

export async function makeTree(dir: string, files: number): Promise<void> {
  await run(process.execPath, [TREE_NODE, 'make', dir, `${files}`], {
    timeoutMs: LONG_COMMAND_MS_MAX,
  });
}

/** Changes files in another process; when the last was closed, on the clock of {@link clockMs}. */
export async function changeTree(
  dir: string,
  files: number,
  count: number,
  version: number,
): Promise<number> {
  const args = ['change', dir, files, count, version].map(String);
  return Number(await run(process.execPath, [TREE_NODE, ...args]));
}

/** Milliseconds on a clock that all processes share. */
export function clockMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Whether a copy has the changes of that version: looked at from where it was not yet. */
export class ChangeLook {
  readonly #dir: string;
  readonly #files: readonly number[];
  readonly #version: number;
  #next = 0;

  constructor(dir: string, files: number, count: number, version: number) {
    this.#dir = dir;
    this.#files = changedFiles(files, count);
    this.#version = version;
  }

  hasAll(): boolean {
    for (; this.#next < this.#files.length; this.#next++) {
      const i = this.#files[this.#next] ?? 0;
      const path = join(this.#dir, pathOf(i));
      const wanted = contentsOf(i, this.#version);
      const stat = fs.statSync(path, { throwIfNoEntry: false });
      if (stat?.size !== wanted.length || !fs.readFileSync(path).equals(wanted)) return false;
    }
    return true;
  }
}

async function timed(command: string, args: readonly string[]): Promise<number> {
  const start = performance.now();
  await run(command, args, { timeoutMs: LONG_COMMAND_MS_MAX });
  return (performance.now() - start) / MS_PER_S;
}

export interface Sender {
  readonly mnt: string;
  readonly feed: string;
}

/** `feedfs send … | feedfs receive TARGET`, to the end of both. */
export function sendReceive(
  { mnt, feed }: Sender,
  from: '--baseline' | '--from last',
  target: string,
): Promise<number> {
  const script =
    'set -o pipefail; node=$1 main=$2 mnt=$3 feed=$4 target=$5; shift 5; ' +
    '"$node" "$main" send "$feed" -m "$mnt" --once "$@" | "$node" "$main" receive "$target"';
  const words = [process.execPath, feedfsMain, mnt, feed, target, ...from.split(' ')];
  return timed('bash', ['-c', script, 'bash', ...words]);
}

/** `rsync -a --delete SOURCE/ TARGET/`. */
export function rsync(source: string, target: string): Promise<number> {
  return timed('rsync', ['-a', '--delete', `${source}/`, `${target}/`]);
}

/** A copy and what is kept beside it. */
export function removeCopy(target: string): void {
  const state = join(dirname(target), `.${target.slice(dirname(target).length + 1)}.feedfs`);
  for (const path of [target, state]) fs.rmSync(path, { recursive: true, force: true });
}

/** What is not dirty goes from the kernel's caches; false where that is not allowed. */
export function dropCaches(): boolean {
  try {
    fs.writeFileSync(DROP_CACHES, '3\n');
    return true;
  } catch {
    return false;
  }
}
