/** Lets a command end well when it is told to stop: once. A second time it ends at once. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export class StopSignals {
  readonly #controller = new AbortController();
  #received: NodeJS.Signals | undefined;

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#stop);
  }

  /** Aborts with the first of them. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** By Ctrl-C. */
  get isInterrupted(): boolean {
    return this.#received === 'SIGINT';
  }

  dispose(): void {
    for (const signal of SIGNALS) process.off(signal, this.#stop);
  }

  readonly #stop = (signal: NodeJS.Signals): void => {
    this.dispose();
    this.#received = signal;
    this.#controller.abort();
  };
}
