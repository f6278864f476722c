/**
 * A server that stood still (suspended, swapped out) finds deadlines gone by whose answers lie
 * in its sockets, unread. Nobody is given up for that: what it did not hear does not count.
 */

/** While somebody owes something, the time is looked at so often, in microseconds. */
export const LOOK_US = 1_000_000;

/** More than this between two looks: it stood still. */
export const STALL_US = 2_000_000;

export class Stall {
  #lookedUs: number | undefined;

  /** How a moment since which somebody is waited for moves on, for all that have one. */
  look(nowUs: number): ((sinceUs: number) => number) | undefined {
    const before = this.#lookedUs ?? nowUs;
    this.#lookedUs = nowUs;
    if (nowUs - before <= STALL_US) return undefined;
    return (sinceUs) => sinceUs + nowUs - Math.min(nowUs, Math.max(before, sinceUs));
  }
}
