/** A watch over a log of the test's own, whose records have one byte each. */
import { ROOT_FID } from '../../src/base/fid.js';
import type { ChangeHead } from '../../src/feed/log.js';
import type {
  FeedRecord,
  LogOffset,
  RecordBody,
  RecordIndex,
  Transno,
} from '../../src/feed/record.js';
import type { RecordPlace } from '../../src/feed/takers.js';
import { Watch, type WatchLog } from '../../src/mds/watch.js';
import { PrivilegedView, type WatchView } from '../../src/mds/watch-view.js';
import { FakeClock } from '../support/fake-clock.js';

export const HEAD: ChangeHead = {
  transno: 1 as Transno,
  time: { sec: 1, nsec: 0 },
  fid: ROOT_FID,
  uid: 0,
  gid: 0,
  pid: 0,
  nid: '0@lo',
  jobid: '',
};

/** Records of one byte each. */
export class ModelLog implements WatchLog {
  readonly records: FeedRecord[] = [];
  visible = 0;
  readonly #watches: Watch[];

  constructor(...watches: Watch[]) {
    this.#watches = watches;
  }

  add(watch: Watch): void {
    this.#watches.push(watch);
  }

  /** One change, which becomes visible at once unless it is told to wait. */
  change(name: string, visible = true): void {
    const body: RecordBody = {
      op: 'create',
      parent: ROOT_FID,
      name,
      attrs: {},
    };
    const takers = this.#watches.map((watch) => watch.takes(HEAD, body));
    const place = this.#place(this.records.length);
    this.records.push({ ...HEAD, ...body, index: place.index });
    for (const taker of takers) taker?.took(place);
    if (visible) this.visible = this.records.length;
  }

  #place(number: number): RecordPlace {
    return {
      epoch: 0,
      offset: number as LogOffset,
      index: (number + 1) as RecordIndex,
    };
  }

  isVisible({ offset }: RecordPlace): boolean {
    return offset < this.visible;
  }

  record({ offset }: RecordPlace): FeedRecord | undefined {
    return this.records[offset];
  }
}

export interface Fixture {
  readonly log: ModelLog;
  readonly watch: Watch;
  lost: number;
}

export function fixture(view: WatchView = new PrivilegedView(() => true)): Fixture {
  const log = new ModelLog();
  const made: Fixture = {
    log,
    watch: new Watch(view, log, new FakeClock(), (records) => {
      made.lost += records;
    }),
    lost: 0,
  };
  log.add(made.watch);
  return made;
}

export function read(watch: Watch, size = 65_536): string {
  const into = Buffer.alloc(size);
  return into.toString('utf8', 0, watch.read(into));
}

export function namesOf(text: string): unknown[] {
  const lines = text.split('\n').filter(Boolean);
  return lines.map((line) => (JSON.parse(line) as { name?: unknown; op: unknown }).name);
}
