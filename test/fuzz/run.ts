/** Runs a target: each input has a seed of its own, so one that failed comes again by its number. */
import { Random } from '../support/random.js';
import { shrink } from './shrink.js';
import type { Subject, Target } from './target.js';

const SHOWN_BYTES_MAX = 2_000;

/** What an input did that it must not, with all that is needed to see it again. */
export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure';
}

export interface FuzzRun {
  /** Of the first input; the next ones count up. */
  readonly seed: number;
  /** Whether there is to be one more, after so many. */
  readonly goOn: (done: number) => boolean;
}

/** Returns the number of inputs. Throws FuzzFailure at the first that fails. */
export async function fuzz(target: Target, { seed, goOn }: FuzzRun): Promise<number> {
  const subject = await target.open();
  let done = 0;
  try {
    for (; goOn(done); done++) {
      const input = subject.generate(new Random(seed + done));
      const error = await failureOf(subject, input);
      if (error !== undefined) throw await explained(target, subject, seed + done, input, error);
    }
  } finally {
    await subject.close?.();
  }
  return done;
}

/** What the tests run: the same inputs each time. */
export function fuzzForTest(target: Target): Promise<number> {
  return fuzz(target, { seed: 1, goOn: (done) => done < target.cases });
}

async function failureOf(subject: Subject, input: Uint8Array): Promise<Error | undefined> {
  try {
    await subject.check(input);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function explained(
  target: Target,
  subject: Subject,
  seed: number,
  input: Uint8Array,
  error: Error,
): Promise<FuzzFailure> {
  const fails = async (candidate: Uint8Array): Promise<boolean> =>
    (await failureOf(subject, candidate)) !== undefined;
  const small = await shrink(input, fails, subject.shrinkChecksMax);
  const last = (await failureOf(subject, small)) ?? error;
  const hex = Buffer.from(small).toString('hex');
  const lines = [
    `${target.name}: not true any more: ${target.holds}`,
    `again: npm run fuzz -- ${target.name} --seed ${seed}`,
    `input, shrunk from ${input.length} to ${small.length} bytes:`,
    (subject.show?.(small) ?? hex).slice(0, SHOWN_BYTES_MAX),
    ...(subject.show === undefined ? [] : [`as hex: ${hex.slice(0, SHOWN_BYTES_MAX)}`]),
    last.stack ?? last.message,
  ];
  return new FuzzFailure(lines.join('\n'), { cause: error });
}
