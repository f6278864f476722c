/** Standard input as it comes, until it ends or nobody wants it any more. */
import type { ChunkSource } from '../bridges/stream/reader.js';

/** An abort ends it as the end of the input would; it is closed afterwards in any case. */
export function stdinChunks(signal: AbortSignal): ChunkSource {
  const { stdin } = process;
  return {
    async *[Symbol.asyncIterator]() {
      const stop = (): void => {
        stdin.destroy();
      };
      signal.addEventListener('abort', stop, { once: true });
      try {
        if (!signal.aborted) for await (const chunk of stdin) yield chunk as Uint8Array;
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        signal.removeEventListener('abort', stop);
        stdin.destroy();
      }
    },
  };
}
