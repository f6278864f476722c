/**
 * `npm run fuzz -- [TARGET…] [--seconds N] [--seed S]`: bad input of all kinds, for as long
 * as wished. A target is named by the beginning of its name; without one all take their turn.
 * A failure is printed with its seed and its input, shrunk; the exit code is then 1.
 */
import { parseArgs } from 'node:util';
import { FuzzFailure, fuzz } from '../test/fuzz/run.js';
import type { Target } from '../test/fuzz/target.js';
import { TARGETS } from '../test/fuzz/targets.js';

const SECONDS_DEFAULT = 60;
const SEED_MAX = 2 ** 31;
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

interface Wish {
  readonly targets: readonly Target[];
  readonly seconds: number;
  /** Undefined: a new one. */
  readonly seed: number | undefined;
}

/** What is wrong with the command line, or what is wanted. */
function parse(argv: readonly string[]): Wish | string {
  const options = { seconds: { type: 'string' }, seed: { type: 'string' } } as const;
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (error) {
    return (error as Error).message;
  }
  const { values, positionals } = parsed;
  const names = TARGETS.map(({ name }) => name).join(', ');
  const unknown = positionals.find(
    (wanted) => !TARGETS.some(({ name }) => name.startsWith(wanted)),
  );
  if (unknown !== undefined) return `no target "${unknown}"; there are ${names}`;
  const seconds = numberOf(values.seconds ?? `${SECONDS_DEFAULT}`);
  if (seconds === undefined || seconds === 0) return '--seconds takes a number from 1 on';
  const seed = values.seed === undefined ? undefined : numberOf(values.seed);
  if (values.seed !== undefined && seed === undefined) return '--seed takes a whole number';
  const chosen = (name: string): boolean => positionals.some((wanted) => name.startsWith(wanted));
  const targets = positionals.length === 0 ? TARGETS : TARGETS.filter(({ name }) => chosen(name));
  return { targets, seconds, seed };
}

function numberOf(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

async function main(wish: Wish): Promise<number> {
  let failed = 0;
  const share = (wish.seconds * 1_000) / wish.targets.length;
  for (const target of wish.targets) {
    const seed = wish.seed ?? Math.floor(Math.random() * SEED_MAX);
    const until = performance.now() + share;
    try {
      const goOn = (done: number): boolean => done === 0 || performance.now() < until;
      const done = await fuzz(target, { seed, goOn });
      console.log(`${target.name}: ${done} inputs from seed ${seed}`);
    } catch (error) {
      if (!(error instanceof FuzzFailure)) throw error;
      failed++;
      console.log(error.message);
    }
  }
  return failed === 0 ? 0 : EXIT_FAILED;
}

const wish = parse(process.argv.slice(2));
if (typeof wish === 'string') {
  console.error(wish);
  process.exitCode = EXIT_USAGE;
} else {
  process.exitCode = await main(wish);
}
