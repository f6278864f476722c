/** One line on a terminal that tells how far a command is, and is gone when it ends. */
import type { WriteStream } from 'node:tty';
import { COLUMNS_MAX } from './limits.js';

/** Between two states of the line, in ms. */
const SHOWN_MS = 200;

const CLEAR = '\r\u001b[K';

export class ProgressLine {
  readonly #terminal: WriteStream | undefined;
  #timer: NodeJS.Timeout | undefined;
  #shown = false;

  /** `text` is asked for each time; without a terminal nothing happens. */
  constructor(text: () => string, terminal: WriteStream = process.stderr) {
    if (terminal.isTTY !== true) return;
    this.#terminal = terminal;
    this.#timer = setInterval(() => {
      this.#shown = true;
      // A terminal that does not say how wide it is says 0.
      const columns = terminal.columns || COLUMNS_MAX;
      terminal.write(`${CLEAR}${text().slice(0, columns - 1)}`);
    }, SHOWN_MS);
    this.#timer.unref();
  }

  /** Makes room for another line; the progress comes again below it. */
  clear(): void {
    if (this.#shown) this.#terminal?.write(CLEAR);
    this.#shown = false;
  }

  end(): void {
    clearInterval(this.#timer);
    this.clear();
  }
}
