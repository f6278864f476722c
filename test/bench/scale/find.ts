/** find(1) over a whole tree. */
import type { Disk } from '../disk.js';
import { LONG_COMMAND_MS_MAX } from '../limits.js';
import type { Samples } from '../samples.js';
import type { BenchContext } from '../section.js';
import { run } from '../shell.js';
import { withTree } from './trees.js';

export const FIND_WAYS = [
  { what: 'find', condition: [] },
  // All match, but only an lstat of each tells.
  { what: 'find -newermt', condition: ['-newermt', '2000-01-01'] },
] as const;

/** Before the first pass nothing is in the kernel's caches of the mount. */
export const FIND_COLD = 'find, first';

/** Seconds. Throws when it does not come by every file. */
async function find(dir: string, condition: readonly string[], files: number): Promise<number> {
  const start = performance.now();
  const script = 'dir=$1; shift; find "$dir" "$@" -printf . | wc -c';
  const text = await run('sh', ['-c', script, 'sh', dir, ...condition], {
    timeoutMs: LONG_COMMAND_MS_MAX,
  });
  const seconds = (performance.now() - start) / 1_000;
  if (Number(text) < files) throw new Error(`find came by ${text.trim()} of ${files} files`);
  return seconds;
}

/** A first pass over each tree, then warm ones in turns. */
export async function measureFind(
  context: BenchContext,
  disk: Disk,
  files: number,
  samples: Samples,
): Promise<void> {
  await withTree(context, disk, files, async (trees) => {
    const first = new Map<string, number>();
    for (const { name, dir } of trees) {
      context.progress(`scale: the first find on ${name}`);
      first.set(name, await find(dir, [], files));
    }
    const rounds = context.sizes.roundsOfMany;
    for (let round = 0; round < rounds; round++) {
      for (const { name, dir } of trees) {
        context.progress(`scale: find on ${name}, round ${round + 1} of ${rounds}`);
        const figures: Record<string, number> = { [FIND_COLD]: first.get(name) ?? Number.NaN };
        for (const { what, condition } of FIND_WAYS)
          figures[what] = await find(dir, condition, files);
        samples.add(name, round, figures);
      }
    }
  });
}
