/** What was sent and is not confirmed, where somebody confirms. */
import type { LogPlace } from '../../rpc/baseline.js';
import { WINDOW_BYTES, WINDOW_MARK_BYTES } from './limits.js';
import { SendError } from './send-error.js';
import { isBefore } from './standing.js';

/** Acknowledges everything before a place; resolves when that is on disk. */
export type Acknowledge = (place: LogPlace) => Promise<void>;

interface Mark {
  readonly to: LogPlace;
  /** Of the stream, up to and with that commit. */
  readonly bytes: number;
}

/**
 * Nothing is acknowledged that was not confirmed, and nothing can be confirmed that was not
 * sent. One acknowledgement is under way at a time; those that come meanwhile become one.
 */
export class Window {
  readonly #acknowledge: Acknowledge;
  /** Some of the commits that are not confirmed, ascending: once anything is, for before that nobody may. */
  readonly #marks: Mark[] = [];
  #markedBytes = 0;
  #sent: LogPlace | undefined;
  #confirmed: LogPlace | undefined;
  #acknowledged: LogPlace | undefined;
  #working: Promise<void> | undefined;
  #failure: unknown;
  /** The acknowledgement that failed. */
  #refusal: { readonly why: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(acknowledge: Acknowledge) {
    this.#acknowledge = acknowledge;
  }

  /** Everything before it is acknowledged by us. */
  get acknowledged(): LogPlace | undefined {
    return this.#acknowledged;
  }

  /** A commit went out, the stream then being so many bytes long. */
  sent(to: LogPlace, bytes: number): void {
    this.#sent = to;
    if (this.#confirmed === undefined || bytes - this.#markedBytes < WINDOW_MARK_BYTES) return;
    this.#marks.push({ to, bytes });
    this.#markedBytes = bytes;
  }

  /** Throws SendError `receiver` for a place that was never sent. */
  confirm(place: LogPlace): void {
    if (this.#sent === undefined || isBefore(this.#sent, place)) {
      const what = `record ${place.index - 1}, which was not sent`;
      throw new SendError('receiver', `the receiver confirmed ${what}`);
    }
    if (this.#confirmed !== undefined && !isBefore(this.#confirmed, place)) return;
    this.#confirmed = place;
    while (this.#marks[0] !== undefined && !isBefore(place, this.#marks[0].to)) this.#marks.shift();
    this.#working ??= this.#work();
    this.#wake?.();
  }

  /** Nobody will confirm any more, and why: whoever waits need not. */
  fail(why: unknown): void {
    this.#failure ??= why;
    this.#wake?.();
  }

  /** Resolves when so much is confirmed that more may be sent. Throws what {@link fail} was told. */
  async room(bytes: number): Promise<void> {
    await this.#until(() => bytes - (this.#marks[0]?.bytes ?? bytes) <= WINDOW_BYTES);
  }

  /** Resolves when everything that was sent is confirmed and acknowledged. */
  async drained(): Promise<void> {
    await this.#until(() => this.#sent === undefined || this.#isConfirmed(this.#sent));
    await this.settled();
  }

  /** Resolves when what was confirmed is acknowledged; throws why that failed. */
  async settled(): Promise<void> {
    await this.#working;
    if (this.#refusal !== undefined) throw this.#refusal.why;
  }

  #isConfirmed(place: LogPlace): boolean {
    return this.#confirmed !== undefined && !isBefore(this.#confirmed, place);
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #work(): Promise<void> {
    try {
      while (this.#confirmed !== undefined && this.#confirmed !== this.#acknowledged) {
        const place = this.#confirmed;
        await this.#acknowledge(place);
        this.#acknowledged = place;
      }
    } catch (why) {
      this.#refusal = { why };
      this.fail(why);
    } finally {
      this.#working = undefined;
    }
  }
}
