/** Feeds as the design describes them, byte by byte: what the log and its feeds are to agree with. */
import { ROOT_FID } from '../../src/base/fid.js';
import type { Timespec } from '../../src/base/time.js';
import { ndjsonBytes, renderNdjson } from '../../src/feed/encodings/ndjson.js';
import type { Coordinate } from '../../src/feed/position.js';
import type { FeedRecord, LogOffset, RecordIndex } from '../../src/feed/record.js';
import { RecordWriter } from '../../src/feed/record-codec.js';
import type { Unlogged } from './feed-store.js';

export { FeedStore, logRecord, plainRecord, type Unlogged, viewOf } from './feed-store.js';

type Extent = readonly [number, number];

/** A record of the model: where it lies in all coordinates. */
export interface ModelRecord {
  readonly epoch: number;
  readonly offset: Extent;
  readonly text: Extent;
  readonly index: Extent;
}

/** Where a LOST record lies in a feed, and what it says. */
export interface ModelLost extends ModelRecord {
  readonly bytes: Buffer;
  readonly line: Buffer;
  readonly record: Extract<FeedRecord, { op: 'lost' }>;
}

export interface ModelFeed {
  /** Ordinals that it owes, visible or not. */
  readonly owed: Set<number>;
  /** Takes only what names it. */
  indexed: boolean;
  lost: ModelLost | undefined;
  /** Where it began. */
  readonly start: { readonly epoch: number; readonly offset: number; readonly text: number };
}

/** The log as bytes and text, and what each feed owes. */
export class FeedModel {
  readonly records: ModelRecord[] = [];
  readonly #epochBytesMax: number;
  readonly #bytes: Buffer[] = [];
  readonly #text: Buffer[] = [];
  /** Feeds that were ever made. */
  made = 0;
  /** Records that the feeds show. */
  visible = 0;
  #committed = 0;
  readonly feeds = new Map<number, ModelFeed>();

  constructor(epochBytesMax = Number.MAX_SAFE_INTEGER) {
    this.#epochBytesMax = epochBytesMax;
  }

  create(id: number): void {
    const { epoch, offset, text } = this.#next();
    const start = { epoch, offset, text };
    this.feeds.set(id, { owed: new Set(), indexed: false, lost: undefined, start });
  }

  feed(id: number): ModelFeed {
    const feed = this.feeds.get(id);
    if (feed === undefined) throw new Error(`the model has no feed ${id}`);
    return feed;
  }

  /** The log's newest epoch. */
  get epoch(): number {
    return this.records.at(-1)?.epoch ?? 0;
  }

  /** Where the log ends. */
  #next(): { epoch: number; offset: number; text: number } {
    const last = this.records.at(-1);
    return { epoch: last?.epoch ?? 0, offset: last?.offset[1] ?? 0, text: last?.text[1] ?? 0 };
  }

  /** How the log will encode the next record; of the indexed feeds `takers` take it. */
  append(unlogged: Unlogged, takers: readonly number[] = []): void {
    let { epoch, offset, text } = this.#next();
    if (offset >= this.#epochBytesMax || text >= this.#epochBytesMax) {
      epoch++;
      offset = 0;
      text = 0;
    }
    const ordinal = this.records.length;
    const index = (ordinal + 1) as RecordIndex;
    const record = { ...unlogged, index } as FeedRecord;
    const { bytes, line } = encoded(record, offset);
    this.#bytes.push(bytes);
    this.#text.push(line);
    for (const [id, feed] of this.feeds) {
      if (!feed.indexed || takers.includes(id)) feed.owed.add(ordinal);
    }
    this.records.push({
      epoch,
      offset: [offset, offset + bytes.length],
      text: [text, text + line.length],
      index: [index, index + 1],
    });
  }

  committed(): void {
    this.#committed = this.records.length;
  }

  flushed(): void {
    this.visible = this.#committed;
  }

  /** What was not committed is gone: the process was killed. */
  killed(): void {
    this.records.length = this.#committed;
    this.#bytes.length = this.#committed;
    this.#text.length = this.#committed;
    for (const { owed } of this.feeds.values()) {
      for (const ordinal of owed) if (ordinal >= this.#committed) owed.delete(ordinal);
    }
    this.visible = this.#committed;
  }

  /** Where an epoch ends if the log has so many records. */
  end(count: number, epoch = this.epoch): { offset: number; text: number; index: number } {
    const records = this.records.slice(0, count).filter((record) => record.epoch === epoch);
    const last = records.at(-1);
    const first = this.records.findIndex((record) => record.epoch === epoch);
    const index = last?.index[1] ?? (first < 0 ? this.records.length : first) + 1;
    return { offset: last?.offset[1] ?? 0, text: last?.text[1] ?? 0, index };
  }

  /** The bytes of an epoch, or the text. */
  content(by: 'offset' | 'text', epoch = this.epoch): Buffer {
    const parts = by === 'offset' ? this.#bytes : this.#text;
    return Buffer.concat(parts.filter((_, i) => this.records[i]?.epoch === epoch));
  }

  /** The same as a feed shows it: with its LOST record. */
  contentOf(id: number, by: 'offset' | 'text', epoch = this.epoch): Buffer {
    const content = Buffer.from(this.content(by, epoch));
    const { lost } = this.feed(id);
    if (lost?.epoch === epoch) content.set(by === 'offset' ? lost.bytes : lost.line, lost[by][0]);
    return content;
  }

  /** The bytes of one record. */
  bytesOf(ordinal: number): Buffer {
    return this.#bytes[ordinal] ?? Buffer.alloc(0);
  }

  /** One entry per visible byte of an epoch (or per index, from 0): 1 is data. */
  dataMap(id: number, by: Coordinate, epoch = this.epoch): Uint8Array {
    const map = new Uint8Array(this.end(this.visible, epoch)[by]);
    const { owed, lost } = this.feed(id);
    for (const ordinal of owed) {
      const record = this.records[ordinal];
      if (record === undefined || ordinal >= this.visible || record.epoch !== epoch) continue;
      map.fill(1, ...record[by]);
    }
    if (lost?.epoch === epoch) map.fill(1, ...lost[by]);
    return map;
  }

  /** Ordinals of what a feed owes and shows, in order. */
  visibleOwed(id: number): number[] {
    const owed = [...this.feed(id).owed].filter((ordinal) => ordinal < this.visible);
    return owed.sort((a, b) => a - b);
  }

  /** Cancels every visible record of an epoch wholly inside the range. */
  punch(id: number, by: Coordinate, offset: number, length: number, epoch = this.epoch): void {
    const feed = this.feed(id);
    const inside = (record: ModelRecord | undefined): boolean =>
      record?.epoch === epoch && record[by][0] >= offset && record[by][1] <= offset + length;
    for (const ordinal of this.visibleOwed(id)) {
      if (inside(this.records[ordinal])) feed.owed.delete(ordinal);
    }
    if (inside(feed.lost)) feed.lost = undefined;
  }

  /** Drops the fewest oldest records after which the feed owes at most `until`. Returns their number. */
  drop(
    id: number,
    until: { readonly bytes: number; readonly records: number },
    when: Timespec,
    reason: string,
  ): number {
    const feed = this.feed(id);
    const ordinals = this.visibleOwed(id);
    const bytesOf = (some: readonly number[]): number =>
      some.reduce((sum, ordinal) => sum + this.bytesOf(ordinal).length, 0);
    const { lost } = feed;
    const now = {
      bytes: bytesOf(ordinals) + (lost?.bytes.length ?? 0),
      records: ordinals.length + (lost === undefined ? 0 : 1),
    };
    if (now.bytes <= until.bytes && now.records <= until.records) return 0;
    for (let count = 1; count <= ordinals.length; count++) {
      const gone = ordinals.slice(0, count);
      const mark = this.#lost(feed, gone, bytesOf(gone), when, reason);
      const bytes = bytesOf(ordinals.slice(count)) + (mark?.bytes.length ?? 0);
      const fits = bytes <= until.bytes && ordinals.length - count + 1 <= until.records;
      if (mark === undefined || (!fits && count < ordinals.length)) continue;
      feed.lost = mark;
      for (const ordinal of gone) feed.owed.delete(ordinal);
      return count;
    }
    return 0;
  }

  /** The LOST record in place of these; undefined if there is no room before their end. */
  #lost(
    { lost: before, start }: ModelFeed,
    gone: readonly number[],
    bytes: number,
    when: Timespec,
    reason: string,
  ): ModelLost | undefined {
    const last = this.records[gone.at(-1) ?? -1];
    if (last === undefined) return undefined;
    const lost = {
      firstIndex: before?.record.lost.firstIndex ?? (((gone[0] ?? 0) + 1) as RecordIndex),
      lastIndex: last.index[0] as RecordIndex,
      records: (before?.record.lost.records ?? 0) + gone.length,
      bytes: (before?.record.lost.bytes ?? 0) + bytes,
      reason,
    };
    const head = { uid: 0, gid: 0, pid: 0, nid: '0@lo', jobid: '', fid: ROOT_FID };
    const transno = 0 as FeedRecord['transno'];
    const record = {
      op: 'lost',
      index: lost.lastIndex,
      transno,
      time: when,
      ...head,
      lost,
    } as const;
    const size = encoded(record, 0).bytes.length;
    const offset = last.offset[1] - size;
    const floor = start.epoch === last.epoch ? start : { offset: 0, text: 0 };
    if (offset < floor.offset) return undefined;
    const encoding = encoded(record, offset);
    const text = last.text[1] - encoding.line.length;
    if (text < floor.text) return undefined;
    const { epoch, index } = last;
    return {
      ...{ epoch, index, record, ...encoding },
      offset: [offset, last.offset[1]],
      text: [text, last.text[1]],
    };
  }
}

function encoded(record: FeedRecord, offset: number): { bytes: Buffer; line: Buffer } {
  const writer = new RecordWriter();
  writer.append(record, record);
  const line = renderNdjson(record, offset as LogOffset);
  if (ndjsonBytes(line) !== Buffer.byteLength(line)) throw new Error('a line of another length');
  return { bytes: Buffer.from(writer.bytes), line: Buffer.from(line) };
}
