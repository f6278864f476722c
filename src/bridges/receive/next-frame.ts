/** Takes frames from a stream, and knows whether the next one is already there. */
import type { ReceivedFrame } from '../stream/codec.js';

/** What an async iterator with a value in hand takes at most to give it out. */
const MICROTASKS = 8;

export class NextFrame {
  readonly #frames: AsyncIterator<ReceivedFrame, void>;
  /** The answer that was asked for and not taken. */
  #asked: Promise<IteratorResult<ReceivedFrame, void>> | undefined;
  #isSettled = false;

  constructor(frames: AsyncIterable<ReceivedFrame, void>) {
    this.#frames = frames[Symbol.asyncIterator]();
  }

  /**
   * Whether {@link take} gives something without waiting for whoever sends: what one turn
   * of the event loop brings counts. The stream is read on while the answer is acted on.
   */
  async isThere(): Promise<boolean> {
    const asked = this.#ask();
    for (let i = 0; i < MICROTASKS && !this.#isSettled; i++) await undefined;
    if (!this.#isSettled) await Promise.race([settled(asked), nextTurn()]);
    return this.#isSettled;
  }

  /** The next frame; undefined at the end. Throws what the stream throws. */
  async take(): Promise<ReceivedFrame | undefined> {
    const asked = this.#ask();
    const result = await asked;
    this.#asked = undefined;
    return result.done === true ? undefined : result.value;
  }

  /**
   * Nothing more is wanted. It is not waited for: where an answer is still awaited, the
   * iteration ends behind that.
   */
  close(): void {
    this.#frames.return?.().catch(() => {});
  }

  #ask(): Promise<IteratorResult<ReceivedFrame, void>> {
    if (this.#asked !== undefined) return this.#asked;
    this.#isSettled = false;
    const asked = this.#frames.next();
    this.#asked = asked;
    // Whoever takes it gets the error; until then it must not count as unhandled.
    settled(asked).then(() => {
      this.#isSettled = true;
    });
    return asked;
  }
}

function settled(promise: Promise<unknown>): Promise<void> {
  return promise.then(
    () => {},
    () => {},
  );
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
