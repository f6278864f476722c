/** How long a step of a recovery may take: to the end of the window at least, and never for ever. */
import { STEP_US } from './limits.js';

export class StepLimit {
  #deadlineUs: number;
  #last = false;

  /** `windowEndUs`: how long a client may be missing. */
  constructor(windowEndUs: number) {
    this.#deadlineUs = windowEndUs;
  }

  leftUs(nowUs: number): number {
    return Math.max(0, this.#deadlineUs - nowUs);
  }

  /** It has been passed in this step before: next time nobody is spared. */
  get isLast(): boolean {
    return this.#last;
  }

  stepBegins(nowUs: number): void {
    this.#deadlineUs = Math.max(this.#deadlineUs, nowUs + STEP_US);
    this.#last = false;
  }

  /** After whoever was late is evicted. */
  passed(nowUs: number): void {
    this.#deadlineUs = nowUs + STEP_US;
    this.#last = true;
  }
}
