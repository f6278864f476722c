/** A time in which calls are not answered, as people are told of it. */
import type { Notices } from './notices.js';

export class Outage {
  readonly #log: (line: string) => void;
  readonly #notices: Notices;
  #isOn = false;

  constructor({ log, notices }: { log: (line: string) => void; notices: Notices }) {
    this.#log = log;
    this.#notices = notices;
  }

  /** Said once, however often it is tried to get a connection. */
  begin(line?: string): void {
    if (!this.#isOn && line !== undefined) this.#log(line);
    this.#isOn = true;
  }

  /** Calls are answered again. */
  end(): void {
    if (!this.#isOn) return;
    this.#isOn = false;
    this.#log('the metadata server is there again');
    this.#notices.catchUp();
  }
}
