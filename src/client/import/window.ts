/** Sends messages of which only so many may be unanswered, and tells when all are answered. */
export class Window<T> {
  readonly #rest: Iterator<T>;
  readonly #max: number;
  readonly #send: (item: T) => void;
  readonly #done: () => void;
  #unanswered = 0;
  #isOver = false;

  constructor(
    items: Iterable<T>,
    parts: { readonly max: number; send(item: T): void; done(): void },
  ) {
    this.#rest = items[Symbol.iterator]();
    this.#max = parts.max;
    this.#send = (item) => parts.send(item);
    this.#done = () => parts.done();
  }

  /** Sends what may be sent. */
  go(): void {
    while (this.#unanswered < this.#max && !this.#isOver) {
      const { value, done } = this.#rest.next();
      if (done === true) {
        if (this.#unanswered > 0) return;
        this.#isOver = true;
        return this.#done();
      }
      this.#unanswered++;
      this.#send(value);
    }
  }

  answered(): void {
    this.#unanswered--;
    this.go();
  }
}
