/** Writes a clone stream: numbers the frames, gathers small ones, and waits for who takes them. */

import { encodeFrame } from './codec.js';
import type { Frame } from './frame.js';
import { GATHERED_BYTES } from './limits.js';

/** Where the bytes go: resolves when they are taken, and then they may change. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

/** What was written so far. */
export interface WrittenCounts {
  readonly frames: number;
  readonly bytes: number;
}

export class StreamWriter {
  readonly #sink: ByteSink;
  readonly #compress: boolean;
  readonly #buffer = Buffer.allocUnsafeSlow(GATHERED_BYTES);
  #filled = 0;
  #frames = 0;
  #bytes = 0;

  constructor(sink: ByteSink, options: { readonly compress: boolean }) {
    this.#sink = sink;
    this.#compress = options.compress;
  }

  get written(): WrittenCounts {
    return { frames: this.#frames, bytes: this.#bytes };
  }

  /**
   * Takes a frame, whose bytes may change once this resolves; undefined: they may at once.
   * It may stay here until {@link flush}. Throws what the sink throws.
   */
  put(frame: Frame): Promise<void> | undefined {
    const parts = encodeFrame(frame, this.#frames, { compress: this.#compress });
    this.#frames += 1;
    let size = 0;
    for (const part of parts) size += part.length;
    this.#bytes += size;
    if (this.#filled + size > GATHERED_BYTES) return this.#putLarge(parts, size);
    this.#gather(parts);
    return undefined;
  }

  /** Resolves when everything is taken. */
  async flush(): Promise<void> {
    const filled = this.#filled;
    if (filled === 0) return;
    this.#filled = 0;
    await this.#sink.write(this.#buffer.subarray(0, filled));
  }

  async #putLarge(parts: readonly Uint8Array[], size: number): Promise<void> {
    await this.flush();
    if (size <= GATHERED_BYTES) this.#gather(parts);
    else for (const part of parts) await this.#sink.write(part);
  }

  #gather(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
    }
  }
}
