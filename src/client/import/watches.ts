/**
 * The transient feeds of a mount. The server's number of a watch changes when it starts again,
 * the client's does not. Such a watch is opened anew with the filter that it had; what it would
 * have told of in between is lost, and the next thing that is read of it is a line that says so:
 *
 *     {"index":"0","offset":"0","time":"1700000000000000000","op":"lost","reason":"..."}
 *
 * Nobody knows what is lost, so there is no count. The line stands outside of the numbering,
 * which is the log's, or of an ordinary user's watch begins anew behind it.
 */
import { Errno } from '../../base/errno.js';
import { type Timespec, timeToNanoseconds } from '../../base/time.js';
import type { RequestOf, ResultOf, Watcher } from '../../rpc/messages.js';
import { type Restore, restore } from './restore.js';

const LINE_FEED = 0x0a;
const REASON = 'the metadata server was started again';

interface Watch {
  readonly who: Watcher;
  /** The server's number; undefined while there is none. */
  server: number | undefined;
  filter: { readonly by: Watcher; readonly text: string } | undefined;
  /** The last line that was read is not read to its end. */
  inLine: boolean;
  /** What is read before anything of the server's; `isWhole`: nothing of it was read yet. */
  lost: Uint8Array;
  isWhole: boolean;
}

const NOTHING = new Uint8Array(0);

export class Watches {
  readonly #watches = new Map<number, Watch>();
  #nextId = 1;

  /** The server's number for the client's. */
  serverId(id: number): number | undefined {
    return this.#watches.get(id)?.server;
  }

  opened({ who }: RequestOf<'watchOpen'>, { id: server }: ResultOf<'watchOpen'>): { id: number } {
    const id = this.#nextId++;
    const nothing = { filter: undefined, inLine: false, lost: NOTHING, isWhole: false };
    this.#watches.set(id, { who, server, ...nothing });
    return { id };
  }

  filtered({ id, by, text }: RequestOf<'watchFilter'>): void {
    const watch = this.#watches.get(id);
    if (watch !== undefined) watch.filter = { by, text };
  }

  read({ id, into }: RequestOf<'watchNext'>, { length }: ResultOf<'watchNext'>): void {
    const watch = this.#watches.get(id);
    if (watch !== undefined && length > 0) watch.inLine = into[length - 1] !== LINE_FEED;
  }

  closed(id: number): void {
    this.#watches.delete(id);
  }

  /** Whether there is something to read that the server knows nothing of. */
  tellsOfLoss(id: number): boolean {
    return (this.#watches.get(id)?.lost.length ?? 0) > 0;
  }

  takeLoss({ id, into }: RequestOf<'watchNext'>): { length: number } {
    const watch = this.#watches.get(id);
    const length = Math.min(into.length, watch?.lost.length ?? 0);
    if (watch !== undefined) {
      into.set(watch.lost.subarray(0, length));
      watch.lost = watch.lost.subarray(length);
      watch.inLine = false;
      if (length > 0) watch.isWhole = false;
    }
    return { length };
  }

  /** The server started again. */
  lost(now: Timespec): void {
    const line = lossLine(now);
    for (const watch of this.#watches.values()) {
      watch.server = undefined;
      if (watch.isWhole) continue;
      // Behind the rest of such a line, or of one that will never be whole.
      const begin = watch.inLine && watch.lost.length === 0 ? '\n' : '';
      watch.lost = Buffer.concat([watch.lost, Buffer.from(begin + line)]);
      watch.isWhole = true;
    }
  }

  restores(): Restore[] {
    return [...this.#watches.values()].map((watch) =>
      restore('watchOpen', { who: watch.who }, (_errno, opened) => {
        watch.server = opened?.id;
        if (opened === undefined || watch.filter === undefined) return undefined;
        return restore('watchFilter', { id: opened.id, ...watch.filter });
      }),
    );
  }

  /** Why a watch that the server does not know cannot be asked. */
  get errno(): Errno {
    return Errno.EIO;
  }
}

function lossLine(now: Timespec): string {
  const time = timeToNanoseconds(now);
  return `${JSON.stringify({ index: '0', offset: '0', time, op: 'lost', reason: REASON })}\n`;
}
