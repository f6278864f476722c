/** A receiver by hand: records of one mount, as messages into `.lustre/replica` of another. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { formatFid } from '../../src/base/fid.js';
import { changeOfRecord } from '../../src/bridges/receive/feedfs/record-change.js';
import { type ChangeRecord, isChange } from '../../src/feed/record.js';
import { decodeRecord } from '../../src/feed/record-codec.js';
import type { ReplicaState } from '../../src/rpc/messages.js';
import { encodeReplicaMessage, type ReplicaItem } from '../../src/rpc/replica-message.js';
import type { TestMount } from '../support/mount.js';

const { O_NONBLOCK, O_RDONLY, O_RDWR } = fs.constants;
const CHUNK_BYTES = 1 << 20;

export function replicaOf({ mnt }: TestMount): string {
  return join(mnt, '.lustre', 'replica');
}

export function stateOf(mount: TestMount): ReplicaState {
  return JSON.parse(fs.readFileSync(replicaOf(mount), 'utf8')) as ReplicaState;
}

/** All that the feed tells from that index on. */
export function recordsOf(mount: TestMount, feed: string, from = 1): ChangeRecord[] {
  const fd = fs.openSync(join(mount.feed(feed), 'stream'), O_RDONLY | O_NONBLOCK);
  const records: ChangeRecord[] = [];
  const into = Buffer.alloc(CHUNK_BYTES);
  try {
    for (;;) {
      const length = fs.readSync(fd, into);
      for (let at = 0; at < length; ) {
        const { record, size } = decodeRecord(into.subarray(0, length), at);
        at += size;
        if (isChange(record) && record.index >= from) records.push(structuredClone(record));
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    return records;
  } finally {
    fs.closeSync(fd);
  }
}

export class Receiver {
  readonly #source: TestMount;
  readonly #copy: TestMount;
  #fd: number | undefined;

  constructor(source: TestMount, copy: TestMount) {
    this.#source = source;
    this.#copy = copy;
  }

  get fd(): number {
    this.#fd ??= fs.openSync(replicaOf(this.#copy), O_RDWR);
    return this.#fd;
  }

  /** The copy was killed or is to be unmounted. */
  close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd === undefined) return;
    try {
      fs.closeSync(fd);
    } catch {
      // The mount behind it is dead.
    }
  }

  begin(): void {
    const { filesystem } = stateOf(this.#source);
    const place = { epoch: 0, offset: 0, index: 1 };
    this.send([{ do: 'begin', filesystem, feed: 1, baseline: 'complete', place }]);
  }

  send(items: readonly ReplicaItem[]): void {
    const message = encodeReplicaMessage(items);
    try {
      fs.writeSync(this.fd, message);
    } catch (error) {
      throw new Error(this.failure(), { cause: error });
    }
  }

  /** What the file says after a message that was refused. */
  failure(): string {
    const into = Buffer.alloc(4096);
    return into.toString('utf8', 0, fs.readSync(this.fd, into));
  }

  /** The feed's records that are not there yet, each with its contents as they are now. */
  messages(feed: string): ReplicaItem[][] {
    const from = stateOf(this.#copy).source?.applied ?? 1;
    return recordsOf(this.#source, feed, from).map((record) => [
      ...this.#contents(record),
      changeOfRecord(record),
    ]);
  }

  apply(feed: string): void {
    for (const items of this.messages(feed)) this.send(items);
  }

  #contents(record: ChangeRecord): ReplicaItem[] {
    if (record.op !== 'write') return [];
    const path = join(this.#source.mnt, '.lustre', 'fid', formatFid(record.fid));
    let bytes: Buffer;
    try {
      bytes = fs.readFileSync(path);
    } catch {
      return [];
    }
    return record.extents.flatMap(({ offset, length }) => {
      const part = bytes.subarray(offset, offset + length);
      const items: ReplicaItem[] = [];
      // A test's files are small enough for one message.
      if (part.length > 0) items.push({ do: 'data', fid: record.fid, offset, bytes: part });
      return items;
    });
  }
}

/** What tells one change from another, whichever log it is in. */
export function essence({ op, time, fid }: ChangeRecord): string {
  return `${op} ${fid} ${time.sec}.${time.nsec}`;
}
