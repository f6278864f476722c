/**
 * Requests that a handler left unanswered, by their `unique`: what INTERRUPT
 * looks into, and what has to be answered before a session may end.
 */
import type { Errno } from '../base/errno.js';
import { PARKED_MAX } from './limits.js';
import type { PendingReply } from './pending-reply.js';

export class ParkedReplies {
  readonly #replies = new Map<number, PendingReply>();

  get size(): number {
    return this.#replies.size;
  }

  /** False when the table is full. */
  add(reply: PendingReply): boolean {
    if (this.#replies.size >= PARKED_MAX) return false;
    reply.parked = true;
    this.#replies.set(reply.unique, reply);
    return true;
  }

  remove(unique: number): void {
    this.#replies.delete(unique);
  }

  get(unique: number): PendingReply | undefined {
    return this.#replies.get(unique);
  }

  /**
   * Empties the table: each owner is told by its cancel, and who has none or does
   * not answer in it is answered with `errno`.
   */
  abandonAll(errno: Errno, onError: (error: unknown) => void): void {
    for (const reply of [...this.#replies.values()]) {
      try {
        reply.interrupt();
      } catch (error) {
        onError(error);
      }
      reply.abandon(errno);
    }
    this.#replies.clear();
  }
}
