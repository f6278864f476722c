/** Steps gathered into phases: those of one phase are in order, or in any order. */
import type { Fid } from '../../../base/fid.js';
import { STEPS_AT_ONCE } from './state-limits.js';
import type { Step } from './steps.js';

export interface Phase {
  /** None of the steps depends on another. */
  readonly together: boolean;
  readonly steps: readonly Step[];
}

/** Gathers steps that come in the order in which they must be done. */
export class PhaseList {
  #phases: Phase[] = [];
  #steps: Step[] = [];
  #together = false;
  /** Directories that the steps gathered make. */
  readonly #made = new Set<Fid>();

  /** A step that those after it may depend on. */
  add(step: Step): void {
    if (this.#together) this.#close();
    this.#together = false;
    this.#steps.push(step);
    if (this.#steps.length >= STEPS_AT_ONCE) this.#close();
  }

  /** A new object, at a place that no step gathered beside it concerns unless by making its directory. */
  addMake(step: Extract<Step, { do: 'make' }>): void {
    const { parent } = step.at;
    if (!this.#together || (parent !== 0 && this.#made.has(parent))) this.#close();
    this.#together = true;
    this.#steps.push(step);
    this.#made.add(step.fid);
    if (this.#steps.length >= STEPS_AT_ONCE) this.#close();
  }

  /** What was gathered since it was last asked. */
  take(): readonly Phase[] {
    this.#close();
    const taken = this.#phases;
    this.#phases = [];
    return taken;
  }

  #close(): void {
    if (this.#steps.length > 0) {
      this.#phases.push({ together: this.#together, steps: this.#steps });
      this.#steps = [];
    }
    this.#made.clear();
  }
}

/** Steps of which none depends on another, in phases of a bounded size. */
export function* phasesOf(steps: readonly Step[]): Generator<Phase> {
  for (let at = 0; at < steps.length; at += STEPS_AT_ONCE) {
    yield { together: true, steps: steps.slice(at, at + STEPS_AT_ONCE) };
  }
}
