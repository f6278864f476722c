/**
 * Renames directories of a tree into one another, at random, until it has tried often
 * enough: `rename-worker.js ROOT SEED STEPS`. Others may do so at the same time, so
 * every refusal that a moving tree can bring is expected. Prints what came of the steps.
 */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { RENAME_EXCHANGE, renameat2 } from '../posix/libc.js';
import { Random } from '../support/random.js';

const EXPECTED = ['ENOENT', 'EINVAL', 'ENOTEMPTY', 'EBUSY'];
const DEPTH_MAX = 8;

const [root = '', seed, steps] = process.argv.slice(2);
const random = new Random(Number(seed));
const outcomes: Record<string, number> = {};

/** The errno's name, if it is one of those that are expected. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? `${error.code}` : `${error}`;
  if (!EXPECTED.includes(code)) throw error;
  return code;
}

/** A directory somewhere below the root, where it was a moment ago. */
function somewhere(): string {
  let path = root;
  for (let depth = 1 + random.below(DEPTH_MAX); depth > 0; depth--) {
    const below = readdirSync(path, { withFileTypes: true }).filter((one) => one.isDirectory());
    const chosen = random.pick(below);
    if (chosen === undefined) break;
    path = join(path, chosen.name);
  }
  return path;
}

function step(): string {
  try {
    const from = somewhere();
    const to = somewhere();
    if (random.chance(40)) renameat2(from, to, RENAME_EXCHANGE);
    else renameat2(from, join(random.chance(15) ? root : to, basename(from)), 0);
    return 'ok';
  } catch (error) {
    return codeOf(error);
  }
}

for (let i = 0; i < Number(steps); i++) {
  const outcome = step();
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}
console.log(JSON.stringify(outcomes));
