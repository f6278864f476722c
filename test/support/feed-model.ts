/**
 * A feed as the design describes it, byte by byte, and the log that is to agree with
 * it: a real store in a folder, whose flushes the test finishes.
 */
import { join } from 'node:path';
import type { Fid } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { ndjsonBytes, renderNdjson } from '../../src/feed/encodings/ndjson.js';
import { type ChangeHead, Log } from '../../src/feed/log.js';
import type { Coordinate } from '../../src/feed/position.js';
import type { FeedRecord, LogOffset, RecordBody, RecordIndex } from '../../src/feed/record.js';
import { RecordWriter } from '../../src/feed/record-codec.js';
import { FeedRegistry } from '../../src/feed/registry.js';
import type { ViewOf } from '../../src/feed/view.js';
import { GroupCommit } from '../../src/store/group-commit.js';
import { Store } from '../../src/store/store.js';
import { FakeClock } from './fake-clock.js';

/** A record of the model: where it lies in both coordinates. */
export interface ModelRecord {
  readonly offset: readonly [number, number];
  readonly text: readonly [number, number];
}

export class FeedStore {
  readonly clock = new FakeClock();
  readonly #path: string;
  store: Store;
  log: Log;
  registry: FeedRegistry;
  commit: GroupCommit;
  #flush: (() => void) | undefined;
  /** Fails the next commits with this. */
  refuse: Error | undefined;

  constructor(path: string) {
    this.#path = path;
    ({
      store: this.store,
      log: this.log,
      registry: this.registry,
      commit: this.commit,
    } = this.#open());
  }

  #open(): { store: Store; log: Log; registry: FeedRegistry; commit: GroupCommit } {
    const store = Store.open(this.#path, { create: true });
    const log = new Log(store.tables, this.clock, 'disk');
    const registry = new FeedRegistry(store.tables, log, this.clock);
    const target = {
      commit: (write: () => void): number => {
        if (this.refuse !== undefined) throw this.refuse;
        return store.commit(write);
      },
      flush: (done: (error: Error | null) => void): void => {
        this.#flush = () => done(null);
      },
      freeBytes: () => Number.POSITIVE_INFINITY,
    };
    const commit = new GroupCommit(target, this.clock, (done) => done(null));
    commit.join(log);
    commit.join(registry);
    return { store, log, registry, commit };
  }

  get flushing(): boolean {
    return this.#flush !== undefined;
  }

  finishFlush(): void {
    const flush = this.#flush;
    this.#flush = undefined;
    flush?.();
  }

  settle(): void {
    this.commit.note();
    this.finishFlush();
    this.commit.run();
    this.finishFlush();
  }

  /** Purges until there is nothing to look at. */
  purge(): void {
    this.settle();
    while (this.registry.purge.pending) {
      this.registry.purge.step();
      this.settle();
    }
  }

  /** Closes and opens the store; `between` may do something to the file of its tables. */
  async reopen(between: (dataFile: string) => void = () => {}): Promise<void> {
    this.settle();
    await this.store.close();
    between(join(this.#path, 'meta', 'data.mdb'));
    ({
      store: this.store,
      log: this.log,
      registry: this.registry,
      commit: this.commit,
    } = this.#open());
  }
}

/** A record less its index. */
export type Unlogged = ChangeHead & RecordBody;

export function logRecord(log: Log, record: Unlogged): void {
  log.append(record, record);
}

/** The log as bytes and text, and what each feed owes. */
export class FeedModel {
  readonly records: ModelRecord[] = [];
  readonly #bytes: Buffer[] = [];
  readonly #text: Buffer[] = [];
  /** Feeds that were ever made. */
  made = 0;
  /** Records that the feeds show. */
  visible = 0;
  #committed = 0;
  /** Ordinals that each feed owes, visible or not. */
  readonly owed = new Map<number, Set<number>>();

  /** How the log will encode the next record. */
  append(unlogged: Unlogged): void {
    const { offset, text } = this.end(this.records.length);
    const index = (this.records.length + 1) as RecordIndex;
    const record = { ...unlogged, index } as FeedRecord;
    const writer = new RecordWriter();
    const length = writer.append(record, record);
    const line = renderNdjson(record, offset as LogOffset);
    this.#bytes.push(Buffer.from(writer.bytes));
    this.#text.push(Buffer.from(line));
    for (const owed of this.owed.values()) owed.add(this.records.length);
    this.records.push({
      offset: [offset, offset + length],
      text: [text, text + ndjsonBytes(line)],
    });
  }

  committed(): void {
    this.#committed = this.records.length;
  }

  flushed(): void {
    this.visible = this.#committed;
  }

  end(count: number): { offset: number; text: number } {
    const last = this.records[count - 1];
    return { offset: last?.offset[1] ?? 0, text: last?.text[1] ?? 0 };
  }

  content(by: Coordinate): Buffer {
    return Buffer.concat(by === 'offset' ? this.#bytes : this.#text);
  }

  /** The bytes of one record. */
  bytesOf(ordinal: number): Buffer {
    return this.#bytes[ordinal] ?? Buffer.alloc(0);
  }

  /** One entry per visible byte: 1 is data. */
  dataMap(feed: number, by: Coordinate): Uint8Array {
    const map = new Uint8Array(this.end(this.visible)[by]);
    for (const ordinal of this.owed.get(feed) ?? []) {
      if (ordinal >= this.visible) continue;
      const [from, to] = this.records[ordinal]?.[by] ?? [0, 0];
      map.fill(1, from, to);
    }
    return map;
  }

  /** Cancels every visible record wholly inside the range. */
  punch(feed: number, by: Coordinate, offset: number, length: number): void {
    const owed = this.owed.get(feed);
    for (let i = 0; i < this.visible; i++) {
      const [from, to] = this.records[i]?.[by] ?? [0, 0];
      if (from >= offset && to <= offset + length) owed?.delete(i);
    }
  }
}

export function viewOf({ log, registry }: FeedStore, id: number, coordinate: Coordinate): ViewOf {
  const feed = registry.get(id);
  if (feed === undefined) throw new Error(`no feed ${id}`);
  return { log, cancelled: feed.cancelled, coordinate };
}

/** A short record, for tests in which the content does not matter. */
export function plainRecord(name: string): Unlogged {
  return {
    op: 'unlink',
    transno: 1 as FeedRecord['transno'],
    time: { sec: 1, nsec: 2 },
    fid: 131_073 as Fid,
    uid: 0,
    gid: 0,
    pid: 1,
    nid: '0@lo',
    jobid: '',
    parent: 1 as Fid,
    name: nameFromText(name),
    attrs: {},
    last: true,
  };
}
