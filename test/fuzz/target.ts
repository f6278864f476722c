/** What is fuzzed. Every input is bytes, whatever they stand for, so one shrinker serves all. */
import type { Random } from '../support/random.js';

export interface Target {
  readonly name: string;
  /** What must hold for every input. */
  readonly holds: string;
  /** Inputs in a run of the tests; by command there are as many as the time allows. */
  readonly cases: number;
  /** Makes ready: a corpus, a store, a mount. */
  open(): Subject | Promise<Subject>;
}

export interface Subject {
  generate(random: Random): Uint8Array;
  /** Throws if the code did what it must not. */
  check(input: Uint8Array): void | Promise<void>;
  /** The input for people; hex if it says nothing. */
  show?(input: Uint8Array): string;
  /** Checks made to shrink an input that failed; fewer where each takes long. */
  readonly shrinkChecksMax?: number;
  close?(): void | Promise<void>;
}
