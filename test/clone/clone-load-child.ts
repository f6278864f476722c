/**
 * Changes a tree without end, in generated steps, until its standard input ends; then
 * closes what it has open and ends.
 *
 *     node clone-load-child.js FOLDER SEED
 */
import { sequences } from './clone-step.js';
import { CloneWork } from './clone-work.js';

/** Sequences made at a time; then come others. */
const SEQUENCES = 20;
const STEPS_MAX = 50;

async function main(folder: string, seed: number): Promise<void> {
  let isEnding = false;
  process.stdin.on('end', () => {
    isEnding = true;
  });
  process.stdin.resume();
  const work = new CloneWork(folder);
  for (let more = 0; !isEnding; more++) {
    for (const steps of sequences(seed * 1_000 + more, SEQUENCES, STEPS_MAX)) {
      work.runAll(steps);
      work.close();
      // Hears of the end of its input.
      await new Promise((resolve) => setImmediate(resolve));
      if (isEnding) break;
    }
  }
}

await main(process.argv[2] ?? '', Number(process.argv[3]));
