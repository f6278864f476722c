/** What locks mean, byte by byte: a file of few bytes, who has each of them, and who waits. */
import { Errno } from '../../../src/base/errno.js';
import type { FileLockWanted } from '../../../src/rpc/messages.js';

export const MODEL_BYTES = 12;

type Held = 'shared' | 'exclusive' | 'none';

export interface ModelWait {
  readonly owner: string;
  readonly wanted: FileLockWanted;
  outcome: Errno | 0 | undefined;
}

/** One file, in the world of fcntl(2). */
export class ByteModel {
  readonly #bytes = new Map<string, Held[]>();
  waits: ModelWait[] = [];

  held(owner: string): Held[] {
    let bytes = this.#bytes.get(owner);
    if (bytes === undefined) {
      bytes = new Array<Held>(MODEL_BYTES).fill('none');
      this.#bytes.set(owner, bytes);
    }
    return bytes;
  }

  /** Owners that have a byte which stands in the way. */
  inTheWay(owner: string, { type, start, end }: FileLockWanted): string[] {
    if (type === 'none') return [];
    const found: string[] = [];
    for (const [other, bytes] of this.#bytes) {
      const part = bytes.slice(start, end + 1);
      const stands = part.some(
        (byte) => byte !== 'none' && (type === 'exclusive' || byte === 'exclusive'),
      );
      if (other !== owner && stands) found.push(other);
    }
    return found;
  }

  #isDeadlock(owner: string, wanted: FileLockWanted): boolean {
    const reached = new Set(this.inTheWay(owner, wanted));
    for (const other of reached) {
      for (const wait of this.waits) {
        if (wait.owner !== other) continue;
        for (const next of this.inTheWay(other, wait.wanted)) reached.add(next);
      }
    }
    return reached.has(owner);
  }

  lock(owner: string, wanted: FileLockWanted, wait: boolean): ModelWait {
    const asked: ModelWait = { owner, wanted, outcome: undefined };
    const isFree = this.inTheWay(owner, wanted).length === 0;
    if (isFree) this.#take(asked);
    else if (!wait) asked.outcome = Errno.EAGAIN;
    else if (this.#isDeadlock(owner, wanted)) asked.outcome = Errno.EDEADLK;
    else this.waits.push(asked);
    this.#wake(isFree ? owner : undefined);
    return asked;
  }

  cancel(asked: ModelWait): void {
    if (asked.outcome !== undefined) return;
    this.waits = this.waits.filter((one) => one !== asked);
    asked.outcome = Errno.EINTR;
  }

  release(owner: string): void {
    for (const wait of this.waits.filter((one) => one.owner === owner)) this.cancel(wait);
    this.#bytes.delete(owner);
    this.#wake();
  }

  #take(asked: ModelWait): void {
    const { start, end, type } = asked.wanted;
    this.held(asked.owner).fill(type, start, end + 1);
    asked.outcome = 0;
  }

  /** Who got something may have closed a circle with what it waits for elsewhere. */
  #wake(taker?: string): void {
    const takers = new Set(taker === undefined ? [] : [taker]);
    for (;;) {
      const free = this.waits.find((one) => this.inTheWay(one.owner, one.wanted).length === 0);
      if (free === undefined) break;
      this.waits = this.waits.filter((one) => one !== free);
      this.#take(free);
      takers.add(free.owner);
    }
    for (const owner of takers) {
      for (const wait of this.waits.filter((one) => one.owner === owner)) {
        if (!this.#isDeadlock(owner, wait.wanted)) continue;
        this.waits = this.waits.filter((one) => one !== wait);
        wait.outcome = Errno.EDEADLK;
      }
    }
  }

  /** Owners wait for each other, and nobody is told. */
  get hasCircle(): boolean {
    return this.waits.some((one) => this.#isDeadlock(one.owner, one.wanted));
  }
}
