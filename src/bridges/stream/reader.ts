/**
 * Reads a clone stream: frames in their order, each checked before it is given out.
 * Where the stream breaks off, or is not what was sent, everything before that has been
 * given out, and the iteration throws a {@link StreamError} that says where and why.
 */
import type { ReceivedFrame } from './codec.js';
import { FrameParser } from './parser.js';

/** Standard input, a file's ReadStream, or anything else that gives chunks which then stay as they are. */
export type ChunkSource = AsyncIterable<Uint8Array>;

export class StreamReader implements AsyncIterable<ReceivedFrame> {
  readonly #source: ChunkSource;
  readonly #parser = new FrameParser();

  /** Is iterated once; leaving the iteration ends the source. */
  constructor(source: ChunkSource) {
    this.#source = source;
  }

  /** Ends behind the stream's end; throws StreamError, or whatever the source throws. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ReceivedFrame, void, void> {
    for await (const chunk of this.#source) {
      this.#parser.push(chunk);
      let received = this.#parser.next();
      while (received !== undefined) {
        yield received;
        received = this.#parser.next();
      }
    }
    this.#parser.finish();
  }
}
