export interface StopSignal {
  readonly signal: AbortSignal;
  dispose(): void;
}

/** A signal that aborts with the first of `signals`; `dispose` lets go of them. */
export function anySignal(signals: readonly (AbortSignal | undefined)[]): StopSignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  for (const signal of signals) {
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
  }
  return {
    signal: controller.signal,
    dispose: () => {
      for (const signal of signals) signal?.removeEventListener('abort', abort);
    },
  };
}
