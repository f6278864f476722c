/**
 * Looks after what nobody confirms: streams in regular files, which are remembered as far as
 * they are on disk, and acknowledging where that was asked for.
 */
import { cursorFile, readCursor, writeCursor } from '../bridges/send/cursor.js';
import type { Acknowledge } from '../bridges/send/window.js';
import { isSamePlace } from '../bridges/stream/frame-order.js';
import type { FeedInfo } from '../consumer/types.js';
import type { LogPlace } from '../rpc/baseline.js';
import type { Destination } from './send-destination.js';

/** Least time between two states of a stream in a file that are made durable, in ns. */
const KEEP_NS = 1_000_000_000n;

export interface SendKeeperParts {
  readonly info: FeedInfo;
  readonly to: Destination;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Undefined: what was handed on is not acknowledged by that. */
  readonly acknowledge: Acknowledge | undefined;
}

export class SendKeeper {
  readonly #parts: SendKeeperParts;
  readonly #file: string;
  #place: LogPlace | undefined;
  #time = 0n;

  constructor(parts: SendKeeperParts) {
    this.#parts = parts;
    this.#file = cursorFile(parts.env, parts.info.filesystem, parts.info.id);
  }

  /** End of the last stream that was kept in a file, if this one goes to a file, too. */
  kept(): LogPlace | undefined {
    const { info, to } = this.#parts;
    return to.isFile ? readCursor(this.#file, info.filesystem, info.id) : undefined;
  }

  /** Everything up to there was handed on; a file need not be synced each time. */
  async caughtUp(place: LogPlace, now: bigint): Promise<void> {
    if (!this.#parts.to.isFile || now - this.#time < KEEP_NS) return;
    this.#time = now;
    await this.#keep(place);
  }

  /** The stream is complete. */
  async complete(place: LogPlace): Promise<void> {
    await this.#keep(place);
  }

  async #keep(place: LogPlace): Promise<void> {
    const { info, to, acknowledge } = this.#parts;
    if (this.#place !== undefined && isSamePlace(this.#place, place)) return;
    await to.sync();
    if (to.isFile) writeCursor(this.#file, info.filesystem, info.id, place);
    await acknowledge?.(place);
    this.#place = place;
  }
}
