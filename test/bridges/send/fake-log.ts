/** A feed's `stream` in memory, and short records to put into it. */
import type { Fid } from '../../../src/base/fid.js';
import type { SparseFile } from '../../../src/consumer/feed-file.js';
import type { Readiness } from '../../../src/consumer/poller.js';
import type { Extent, RecordBody, RecordHead } from '../../../src/feed/record.js';
import { RecordWriter } from '../../../src/feed/record-codec.js';
import type { LogPlace } from '../../../src/rpc/baseline.js';

export const START_OFFSET = 4_096;
export const START_INDEX = 41;

/** Where the fake log begins. */
export function startPlace(): LogPlace {
  return { epoch: 0, offset: START_OFFSET, index: START_INDEX };
}

export function fidOf(number: number): Fid {
  return (2 ** 17 + number) as Fid;
}

const TIME = { sec: 1_700_000_000, nsec: 5 };

/** What a test says of a record; the log gives it the rest. */
export interface Sketch {
  readonly transno: number;
  readonly fid?: Fid;
  readonly body: RecordBody;
}

export function write(transno: number, fid: Fid, ...extents: readonly Extent[]): Sketch {
  return { transno, fid, body: { op: 'write', extents, attrs: { size: 1, ctime: TIME } } };
}

export function unlink(transno: number, fid: Fid, last = true): Sketch {
  const body = { op: 'unlink', parent: 1 as Fid, name: 'x', attrs: { nlink: 0 }, last } as const;
  return { transno, fid, body };
}

export function renameOver(transno: number, fid: Fid, over: Fid): Sketch {
  const places = { parent: 1 as Fid, name: 'a', newParent: 1 as Fid, newName: 'b' };
  const gone = { fid: over, attrs: { nlink: 0 }, last: true };
  return { transno, fid, body: { op: 'rename', ...places, attrs: { ctime: TIME }, over: gone } };
}

export function link(transno: number, fid: Fid): Sketch {
  const body = { op: 'link', parent: 1 as Fid, name: 'y', attrs: { nlink: 1 } } as const;
  return { transno, fid, body };
}

/** A record that is as long as `bytes` or a little longer. */
export function long(transno: number, bytes: number): Sketch {
  const value = new Uint8Array(bytes).fill(7);
  const xattr = { name: 'user.x', value, flags: 0 };
  return { transno, fid: fidOf(1), body: { op: 'setxattr', xattr, attrs: { ctime: TIME } } };
}

export function lost(transno: number): Sketch {
  const range = { firstIndex: 1, lastIndex: 9, records: 9, bytes: 900, reason: 'full' };
  const body = { op: 'lost', lost: range } as unknown as RecordBody;
  return { transno, body };
}

export class FakeLog implements SparseFile {
  readonly path = '/mnt/.lustre/feeds/backup/stream';
  /** Reads return at most so many bytes at once. */
  readBytes = Number.POSITIVE_INFINITY;
  closed = false;
  /** Called when a reader waits: whatever it adds is then there. */
  onWait: (() => void) | undefined;
  /** Everything from START_OFFSET on. */
  #bytes: Buffer = Buffer.alloc(0);
  #index = START_INDEX;
  #hasEnded = false;
  #wake: ((readiness: Readiness) => void) | undefined;

  /** Where the next record will be. */
  get end(): LogPlace {
    return { epoch: 0, offset: START_OFFSET + this.#bytes.length, index: this.#index };
  }

  /** Appends records, as one commit does. Returns their bytes. */
  add(...sketches: readonly Sketch[]): Buffer {
    const writer = new RecordWriter();
    for (const { transno, fid, body } of sketches) {
      const head: RecordHead = {
        index: this.#index as RecordHead['index'],
        transno: transno as RecordHead['transno'],
        time: { sec: TIME.sec, nsec: transno },
        fid: fid ?? (1 as Fid),
        uid: 0,
        gid: 0,
        pid: 1,
        nid: '0@lo',
        jobid: '',
      };
      writer.append(head, body);
      this.#index += 1;
    }
    const bytes = Buffer.from(writer.bytes);
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    this.#wake?.('readable');
    return bytes;
  }

  /** Records that this feed does not take: a hole as long as they are. */
  skip(records: number, bytes: number): void {
    this.#bytes = Buffer.concat([this.#bytes, Buffer.alloc(bytes)]);
    this.#index += records;
    this.#wake?.('readable');
  }

  /** The feed is removed, or its epoch over. */
  finish(): void {
    this.#hasEnded = true;
    this.#wake?.('hangup');
  }

  read(into: Uint8Array, position: number): number | 'again' {
    const start = position - START_OFFSET;
    if (start >= this.#bytes.length) return this.#hasEnded ? 0 : 'again';
    // What is before the first record is hole.
    const from = Math.max(0, start);
    const count = Math.min(into.length, this.readBytes, this.#bytes.length - start);
    into.fill(0, 0, count);
    if (from - start < count) this.#bytes.copy(into, from - start, from, start + count);
    return count;
  }

  seekData(position: number): number | undefined {
    for (let at = Math.max(0, position - START_OFFSET); at < this.#bytes.length; at++) {
      if (this.#bytes[at] !== 0) return at + START_OFFSET;
    }
    return undefined;
  }

  size(): number {
    return this.end.offset;
  }

  wait(signal?: AbortSignal): Promise<Readiness> {
    if (this.#hasEnded) return Promise.resolve('hangup');
    if (signal?.aborted) return Promise.resolve('aborted');
    const woken = new Promise<Readiness>((resolve) => {
      this.#wake = resolve;
      signal?.addEventListener('abort', () => resolve('aborted'), { once: true });
    });
    this.onWait?.();
    return woken;
  }

  close(): void {
    this.closed = true;
  }
}
