/** A log and its feeds in a real store in a folder, whose flushes the test finishes. */
import { join } from 'node:path';
import type { Fid } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import type { Feed } from '../../src/feed/feed.js';
import { type ChangeHead, Log, type LogOptions } from '../../src/feed/log.js';
import type { Coordinate } from '../../src/feed/position.js';
import type { FeedRecord, RecordBody } from '../../src/feed/record.js';
import { FeedRegistry } from '../../src/feed/registry.js';
import type { Takers } from '../../src/feed/takers.js';
import type { ViewOf } from '../../src/feed/view.js';
import { GroupCommit } from '../../src/store/group-commit.js';
import { Store } from '../../src/store/store.js';
import { FakeClock } from './fake-clock.js';

interface Opened {
  readonly store: Store;
  readonly log: Log;
  readonly registry: FeedRegistry;
  readonly commit: GroupCommit;
}

export class FeedStore {
  readonly clock = new FakeClock();
  readonly path: string;
  readonly #options: LogOptions;
  store: Store;
  log: Log;
  registry: FeedRegistry;
  commit: GroupCommit;
  #flush: (() => void) | undefined;
  /** Fails the next commits with this. */
  refuse: Error | undefined;

  constructor(path: string, options: LogOptions = {}) {
    this.path = path;
    this.#options = options;
    const { store, log, registry, commit } = this.#open();
    this.store = store;
    this.log = log;
    this.registry = registry;
    this.commit = commit;
  }

  #open(): Opened {
    const store = Store.open(this.path, { create: true });
    const log = new Log(store.tables, this.clock, 'disk', this.#options);
    const registry = new FeedRegistry(store.tables, log, this.clock);
    const target = {
      commit: (write: () => void): number => {
        const { refuse } = this;
        if (refuse === undefined) return store.commit(write);
        return store.commit(() => {
          write();
          throw refuse;
        });
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
    await this.abandon(between);
  }

  /** The same without committing what is not committed: the process was killed. */
  async abandon(between: (dataFile: string) => void = () => {}): Promise<void> {
    this.finishFlush();
    await this.store.close();
    between(join(this.path, 'meta', 'data.mdb'));
    const { store, log, registry, commit } = this.#open();
    this.store = store;
    this.log = log;
    this.registry = registry;
    this.commit = commit;
  }

  feed(id: number): Feed {
    const feed = this.registry.get(id);
    if (feed === undefined) throw new Error(`no feed ${id}`);
    return feed;
  }
}

/** A record less its index. */
export type Unlogged = ChangeHead & RecordBody;

export function logRecord(log: Log, record: Unlogged, takers?: Takers): void {
  log.append(record, record, takers);
}

/** A feed's view of an epoch, the newest if none is given. */
export function viewOf<C extends Coordinate>(
  { log, registry }: FeedStore,
  id: number,
  coordinate: C,
  epoch: number = log.newest.epoch,
): ViewOf<C> {
  const part = registry.get(id)?.part(epoch);
  if (part === undefined) throw new Error(`no feed ${id} in epoch ${epoch}`);
  return { part, coordinate };
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
