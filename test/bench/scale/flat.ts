/** One directory of a million entries, beside a small one. */
import * as path from 'node:path';
import { warmUp } from '../competitors.js';
import type { Disk } from '../disk.js';
import { MAKER_CLIENTS } from '../limits.js';
import { memoryOf } from '../machine.js';
import type { Samples } from '../samples.js';
import type { BenchContext } from '../section.js';
import { number } from '../table.js';
import { acknowledgeAll, onFeedfs } from './store.js';

const MB = 1e6;
const FLAT = 'flat';
export const FLAT_OPERATIONS = ['lookup', 'list', 'list+stat', 'create', 'unlink'] as const;

/** Nanoseconds per operation, the sizes in turns. */
export async function measureFlat(
  context: BenchContext,
  disk: Disk,
  samples: Samples,
): Promise<void> {
  const { client, sizes } = context;
  const storeName = (entries: number) => `flat-${entries}`;
  for (const entries of sizes.flatEntries) {
    context.progress(`scale: making a directory of ${number(entries)} entries`);
    await onFeedfs(context, disk, storeName(entries), async (server) => {
      await client.growFlat(path.join(server.mountpoint, FLAT), entries, MAKER_CLIENTS);
      await acknowledgeAll(context, server);
    });
  }
  for (let round = 0; round < sizes.roundsOfMany; round++) {
    for (const entries of sizes.flatEntries) {
      context.progress(`scale: ${number(entries)} entries, round ${round + 1}`);
      await onFeedfs(context, disk, storeName(entries), async (server) => {
        await warmUp(context, server.mountpoint, sizes.files);
        const dir = path.join(server.mountpoint, FLAT);
        const figures = await client.flatOperations(dir, entries, sizes.flatOperations);
        await acknowledgeAll(context, server);
        const memory = memoryOf(server.pid).peakBytes / MB;
        samples.add(String(entries), round, { ...figures, memory });
      });
    }
  }
}
