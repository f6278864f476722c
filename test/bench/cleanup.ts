/**
 * Everything the bench makes is registered here when it is made, and undone in
 * reverse order: at the end, after a failure, and on a signal.
 */
interface Step {
  readonly what: string;
  readonly undo: () => Promise<void> | void;
  /** Set once the undoing has begun. */
  undone?: Promise<void>;
}

export class Cleanup {
  readonly #steps: Step[] = [];

  #ended = false;

  /**
   * Registers how to undo what is about to be made: before it is made, so that
   * nothing escapes; hence `undo` must bear that there is nothing yet. Throws when
   * all is being undone. Returns a function that undoes just this step, now.
   */
  defer(what: string, undo: () => Promise<void> | void): () => Promise<void> {
    if (this.#ended) throw new Error(`${what}: the bench is ending`);
    const step: Step = { what, undo };
    this.#steps.push(step);
    return () => this.#undo(step);
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /**
   * Undoes all; a step that fails is reported and does not stop the rest. A step that
   * is being undone already is waited for: what was made before it, a disk below a
   * server, may not go first.
   */
  async run(): Promise<void> {
    this.#ended = true;
    for (;;) {
      const step = this.#steps.at(-1);
      if (step === undefined) return;
      try {
        await this.#undo(step);
      } catch (error) {
        process.stderr.write(`bench: could not undo ${step.what}: ${String(error)}\n`);
      }
    }
  }

  async #undo(step: Step): Promise<void> {
    step.undone ??= Promise.resolve().then(() => step.undo());
    try {
      await step.undone;
    } finally {
      const at = this.#steps.indexOf(step);
      if (at >= 0) this.#steps.splice(at, 1);
    }
  }
}
