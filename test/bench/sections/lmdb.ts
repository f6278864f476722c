/** What a commit costs by each way that lmdb-js offers, for a namespace change of three small values. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { LMDB_CHANGES, LMDB_FLUSHES } from '../limits.js';
import type { Section, SectionResult } from '../section.js';
import { median, percentile } from '../stats.js';
import { number } from '../table.js';

/** Parent's inode, directory entry, log record. */
const VALUE_BYTES = [120, 60, 200] as const;
const CHANGES_PER_BATCH = 100;
const KEY_BYTES = 12;
/** lmdb's flag for a synchronous transaction that neither flushes nor nests. */
const SYNCHRONOUS = 2;

interface Way {
  readonly name: string;
  /** Until the change is where the way promises it; microseconds, one value a sample. */
  readonly us: readonly number[];
  /** Of the calling thread, microseconds per change. */
  readonly callerUs: number;
}

type Table = Database<Buffer, Buffer>;
// Not in the library's types.
interface Syncing {
  sync(done: (error?: Error | null) => void): void;
}

const nowUs = (): number => performance.now() * 1_000;

class Trial {
  readonly #root: RootDatabase;
  readonly #tables: readonly Table[];
  readonly #values = VALUE_BYTES.map((bytes) => Buffer.alloc(bytes, 1));
  readonly #key = Buffer.alloc(KEY_BYTES);
  readonly #marker: number;
  #next = 0;

  constructor(dir: string, noSync: boolean) {
    fs.mkdirSync(dir);
    const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;
    this.#root = open({ path: dir, noSync, compression: false, ...binary }) as RootDatabase;
    this.#tables = VALUE_BYTES.map((_, i) =>
      this.#root.openDB<Buffer, Buffer>({ name: `t${i}`, ...binary }),
    );
    this.#marker = fs.openSync(path.join(dir, 'marker'), 'w');
  }

  #nextKey(): Buffer {
    this.#key.writeUIntBE(this.#next++, KEY_BYTES - 6, 6);
    return this.#key;
  }

  commit(changes: number, flags?: number): void {
    const write = () => {
      for (let i = 0; i < changes; i++) {
        const key = this.#nextKey();
        for (const [t, table] of this.#tables.entries()) table.putSync(key, this.#values[t] ?? key);
      }
    };
    if (flags === undefined) this.#root.transactionSync(write);
    else this.#root.transactionSync(write, flags);
  }

  /** The flush and the marker that says so, as the store does them. */
  async flush(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      (this.#root as unknown as Syncing).sync((error) => (error ? reject(error) : resolve()));
    });
    await new Promise<void>((resolve, reject) => {
      fs.write(this.#marker, 'x', 0, (error) => {
        if (error) reject(error);
        else fs.fdatasync(this.#marker, (failed) => (failed ? reject(failed) : resolve()));
      });
    });
  }

  put(): Promise<boolean> {
    const key = Buffer.from(this.#nextKey());
    let last: Promise<boolean> = Promise.resolve(true);
    for (const [t, table] of this.#tables.entries()) last = table.put(key, this.#values[t] ?? key);
    return last;
  }

  flushed(): Promise<unknown> {
    return this.#root.flushed;
  }

  async close(): Promise<void> {
    fs.closeSync(this.#marker);
    await this.#root.close();
  }
}

async function sample(count: number, body: () => Promise<void> | void): Promise<number[]> {
  const samples: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = nowUs();
    await body();
    samples.push(nowUs() - start);
  }
  return samples;
}

async function synchronous(dir: string): Promise<Way[]> {
  const ways: Way[] = [];
  const trial = new Trial(path.join(dir, 'lmdb-nosync'), true);
  for (const changes of [1, CHANGES_PER_BATCH]) {
    const count = Math.ceil(LMDB_CHANGES / changes / 4);
    const us = await sample(count, () => trial.commit(changes, SYNCHRONOUS));
    const name = `one transaction, ${changes} change(s), no flush`;
    ways.push({ name, us, callerUs: median(us) / changes });
  }
  let callerUs = 0;
  const flushed = await sample(LMDB_FLUSHES, async () => {
    const start = nowUs();
    trial.commit(1, SYNCHRONOUS);
    callerUs += nowUs() - start;
    await trial.flush();
  });
  ways.push({
    name: 'the same, 1 change, flush and marker',
    us: flushed,
    callerUs: callerUs / LMDB_FLUSHES,
  });
  await trial.close();
  return ways;
}

async function asynchronous(dir: string): Promise<Way[]> {
  const trial = new Trial(path.join(dir, 'lmdb-async'), false);
  let callerUs = 0;
  const timed = (body: () => Promise<unknown>) => {
    const start = nowUs();
    const result = body();
    callerUs += nowUs() - start;
    return result;
  };
  const committed = await sample(LMDB_FLUSHES, async () => {
    await timed(() => trial.put());
  });
  const single = callerUs / LMDB_FLUSHES;
  await trial.flushed();
  callerUs = 0;
  const durable = await sample(LMDB_FLUSHES, async () => {
    await timed(() => trial.put());
    await trial.flushed();
  });
  callerUs = 0;
  const start = nowUs();
  let last: Promise<unknown> = Promise.resolve();
  for (let i = 0; i < LMDB_CHANGES; i++) last = timed(() => trial.put());
  await last;
  await trial.flushed();
  const each = (nowUs() - start) / LMDB_CHANGES;
  await trial.close();
  return [
    { name: 'async put, 1 change, until committed', us: committed, callerUs: single },
    { name: 'async put, 1 change, until flushed', us: durable, callerUs: single },
    {
      name: `async put, ${LMDB_CHANGES} at once, flushed, each`,
      us: [each],
      callerUs: callerUs / LMDB_CHANGES,
    },
  ];
}

async function defaults(dir: string): Promise<Way[]> {
  const trial = new Trial(path.join(dir, 'lmdb-sync'), false);
  const us = await sample(LMDB_FLUSHES, () => trial.commit(1));
  await trial.close();
  return [{ name: 'one transaction, 1 change, defaults', us, callerUs: median(us) }];
}

export const lmdb: Section = {
  name: 'lmdb',
  summary: 'commit costs of LMDB: with and without flush, synchronous and batched',
  async run(context): Promise<SectionResult> {
    const places = [
      { name: 'the bench disk', dir: context.disk.dir },
      { name: "this machine's disk", dir: context.dir },
    ];
    const results: { readonly name: string; readonly ways: readonly Way[] }[] = [];
    for (const { name, dir } of places) {
      context.progress(`lmdb: ${name}`);
      const ways = [
        ...(await synchronous(dir)),
        ...(await defaults(dir)),
        ...(await asynchronous(dir)),
      ];
      results.push({ name, ways });
    }
    return {
      ratios: [],
      tables: results.map(({ name, ways }) => ({
        title: `A change of three values (${VALUE_BYTES.join(', ')} bytes) on ${name}, us`,
        head: ['', 'median', 'p99', 'caller, each'],
        rows: ways.map((w) => [
          w.name,
          number(median(w.us)),
          number(percentile(w.us, 0.99)),
          number(w.callerUs),
        ]),
      })),
      notes: ['caller: time of the calling (event loop) thread per change.'],
      data: results,
    };
  },
};
