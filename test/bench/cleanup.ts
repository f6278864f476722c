/**
 * Everything the bench makes is registered here when it is made, and undone in
 * reverse order: at the end, after a failure, and on a signal.
 */
export class Cleanup {
  readonly #steps: { readonly what: string; readonly undo: () => Promise<void> | void }[] = [];

  #ended = false;

  /**
   * Registers how to undo what is about to be made: before it is made, so that
   * nothing escapes; hence `undo` must bear that there is nothing yet. Throws when
   * all is being undone. Returns a function that undoes just this step, now.
   */
  defer(what: string, undo: () => Promise<void> | void): () => Promise<void> {
    if (this.#ended) throw new Error(`${what}: the bench is ending`);
    const step = { what, undo };
    this.#steps.push(step);
    return async () => {
      const at = this.#steps.indexOf(step);
      if (at < 0) return;
      this.#steps.splice(at, 1);
      await undo();
    };
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Undoes all; a step that fails is reported and does not stop the rest. */
  async run(): Promise<void> {
    this.#ended = true;
    for (;;) {
      const step = this.#steps.pop();
      if (step === undefined) return;
      try {
        await step.undo();
      } catch (error) {
        process.stderr.write(`bench: could not undo ${step.what}: ${String(error)}\n`);
      }
    }
  }
}
