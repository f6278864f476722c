/**
 * What has to happen without a request: commits that are due, the purge, records of
 * data written, a server to be reached again. The session ticks it while it works; while
 * it sleeps, and where there is no session, one timer does.
 */
import type { LoopHooks } from '../fuse/api.js';

/** Something that has to be looked at now and then (serve/parts.ts). */
export interface Part {
  /** Does what is due; true while a completion of the event loop is outstanding. */
  tick(nowUs: number): boolean;
  /** In microseconds, when it has something to do again; undefined: not by itself. */
  dueInUs(nowUs: number): number | undefined;
  /** The thread must not sleep outside of the event loop: something waits to be sent. */
  readonly restless?: boolean;
  /** Takes what has come from elsewhere, without a turn of the event loop; true if something had. */
  poll?(): boolean;
}

/** A timer of Node's that is longer rings at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export class Heartbeat implements LoopHooks {
  readonly #parts: readonly Part[];
  readonly #polled: readonly Part[];
  #timer: NodeJS.Timeout | undefined;
  #timerAtUs = 0;
  #stopped = false;

  /** They are ticked in this order. */
  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    this.#polled = parts.filter((part) => part.poll !== undefined);
  }

  /** Looks at everything now: from the first time on, a timer rings when something is due. */
  beat(): void {
    this.tick(performance.now() * 1000);
  }

  tick(nowUs: number): boolean {
    if (this.#stopped) return false;
    let busy = false;
    for (const part of this.#parts) if (part.tick(nowUs)) busy = true;
    this.#arm(nowUs);
    return busy;
  }

  poll(): boolean {
    if (this.#stopped) return false;
    let some = false;
    for (const part of this.#polled) if (part.poll?.() === true) some = true;
    return some;
  }

  restUs(nowUs: number): number {
    if (this.#parts.some((part) => part.restless === true)) return 0;
    return this.#waitUs(nowUs) ?? Number.POSITIVE_INFINITY;
  }

  /** Whatever is flushed from here on wakes nothing: the store may be closed. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** One timer, set again only when it must ring earlier than it would. */
  #arm(nowUs: number): void {
    const waitUs = this.#waitUs(nowUs);
    if (waitUs === undefined) return;
    const atUs = nowUs + waitUs;
    if (this.#timer !== undefined && this.#timerAtUs <= atUs) return;
    clearTimeout(this.#timer);
    this.#timerAtUs = atUs;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.beat();
      },
      Math.min(TIMER_MS_MAX, Math.ceil(waitUs / 1000)),
    );
  }

  #waitUs(nowUs: number): number | undefined {
    let earliest: number | undefined;
    for (const part of this.#parts) {
      const due = part.dueInUs(nowUs);
      if (due !== undefined && (earliest === undefined || due < earliest)) earliest = due;
    }
    return earliest;
  }
}
