/** Random steps of feeds, carried out on the log and on its model. */
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { nameFromText } from '../../src/base/name.js';
import type { Coordinate } from '../../src/feed/position.js';
import type { FeedRecord } from '../../src/feed/record.js';
import { arbitraryRecord } from '../support/arbitrary-record.js';
import { type FeedModel, type FeedStore, logRecord, type Unlogged } from '../support/feed-model.js';
import { checkBlocks } from './sparse-file-checks.js';

export const COORDINATES: readonly Coordinate[] = ['offset', 'text', 'index'];
export const BYTE_COORDINATES = ['offset', 'text'] as const;

interface Logged {
  readonly record: FeedRecord;
  /** A bit per feed that has an index: whether it takes the record. */
  readonly takers: number;
}

export type Step =
  | { readonly kind: 'append'; readonly records: readonly Logged[] }
  | { readonly kind: 'commit' | 'refused' | 'flush' | 'create' | 'purge' | 'reopen' | 'kill' }
  | { readonly kind: 'remove' | 'index' | 'expire'; readonly which: number }
  | {
      readonly kind: 'drop';
      readonly which: number;
      /** Parts per 1,000 of what is owed that may stay. */
      readonly bytes: number;
      readonly records: number;
    }
  | {
      readonly kind: 'punch';
      readonly which: number;
      readonly by: Coordinate;
      /** Parts per 1,000 of the file; a length beyond the end is fine. */
      readonly from: number;
      readonly length: number;
      /** Begin and end on record boundaries. */
      readonly whole: boolean;
      /** How many epochs ago. */
      readonly ago: number;
    };

const which = fc.nat(9);
const part = fc.nat(1000);
const takers = fc.oneof(fc.nat(31), fc.constant(0), fc.constant(31));

export const arbitraryStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 7,
    arbitrary: fc
      .array(fc.record({ record: arbitraryRecord, takers }), { minLength: 1, maxLength: 6 })
      .map((records): Step => ({ kind: 'append', records })),
  },
  { weight: 5, arbitrary: fc.constant<Step>({ kind: 'commit' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'refused' }) },
  { weight: 5, arbitrary: fc.constant<Step>({ kind: 'flush' }) },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: 'create' }) },
  { weight: 2, arbitrary: fc.constant<Step>({ kind: 'purge' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'reopen' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'kill' }) },
  { weight: 1, arbitrary: which.map((n): Step => ({ kind: 'remove', which: n })) },
  { weight: 1, arbitrary: which.map((n): Step => ({ kind: 'expire', which: n })) },
  { weight: 3, arbitrary: which.map((n): Step => ({ kind: 'index', which: n })) },
  {
    weight: 3,
    arbitrary: fc
      .record({ which, bytes: part, records: part })
      .map((drop): Step => ({ kind: 'drop', ...drop })),
  },
  {
    weight: 8,
    arbitrary: fc
      .record({
        which,
        by: fc.constantFrom(...COORDINATES),
        from: part,
        length: fc.oneof(fc.nat(200), fc.nat(1200)),
        whole: fc.boolean(),
        ago: fc.nat(2),
      })
      .map((punch): Step => ({ kind: 'punch', ...punch })),
  },
);

export function unlogged({ index: _index, ...rest }: FeedRecord): Unlogged {
  return rest as Unlogged;
}

export class Steps {
  readonly feeds: FeedStore;
  readonly model: FeedModel;
  /** Something about a feed is not committed, so that a crash would take it back. */
  #feedsChanged = false;

  constructor(feeds: FeedStore, model: FeedModel) {
    this.feeds = feeds;
    this.model = model;
  }

  async take(step: Step): Promise<void> {
    const { feeds, model } = this;
    const id = 'which' in step ? [...model.feeds.keys()][step.which % model.feeds.size] : undefined;
    switch (step.kind) {
      case 'append':
        if (model.feeds.size > 0) for (const logged of step.records) this.#append(logged);
        break;
      case 'commit':
        if (feeds.commit.uncommitted === 0 || feeds.flushing) break;
        feeds.commit.run();
        model.committed();
        this.#feedsChanged = false;
        break;
      case 'refused':
        // The disk is full for a moment: nothing is forgotten.
        feeds.refuse = new Error('no space left');
        feeds.commit.run();
        feeds.refuse = undefined;
        break;
      case 'flush':
        if (!feeds.flushing) break;
        feeds.finishFlush();
        model.flushed();
        break;
      case 'create':
        this.#create();
        break;
      case 'purge':
        this.settle();
        feeds.purge();
        checkBlocks(feeds, model);
        break;
      case 'reopen':
        this.settle();
        await feeds.reopen();
        break;
      case 'kill':
        if (this.#feedsChanged) break;
        await feeds.abandon();
        model.killed();
        break;
      default:
        if (id !== undefined) this.#change(step, id);
    }
  }

  #change(
    step: Extract<Step, { kind: 'remove' | 'index' | 'expire' | 'drop' | 'punch' }>,
    id: number,
  ): void {
    const { registry, commit } = this.feeds;
    const feed = this.feeds.feed(id);
    switch (step.kind) {
      case 'remove':
        registry.remove(feed);
        this.model.feeds.delete(id);
        break;
      case 'expire':
        this.#expire(id);
        break;
      case 'index':
        registry.index(feed);
        this.model.feed(id).indexed = true;
        break;
      case 'drop':
        this.#drop(step, id);
        break;
      case 'punch':
        this.#punch(step, id);
        break;
    }
    this.#feedsChanged = true;
    commit.note();
  }

  settle(): void {
    this.feeds.settle();
    this.model.committed();
    this.model.flushed();
    this.#feedsChanged = false;
  }

  #append({ record, takers: bits }: Logged): void {
    const { feeds, model } = this;
    const indexed = [...model.feeds].filter(([, feed]) => feed.indexed);
    const ids = indexed.filter((_, i) => ((bits >>> (i % 5)) & 1) === 1).map(([id]) => id);
    const given = indexed.length === 0 ? undefined : { feeds: ids, watches: [] };
    logRecord(feeds.log, unlogged(record), given);
    model.append(unlogged(record), ids);
    feeds.commit.note();
  }

  #create(): void {
    const { id } = this.feeds.registry.create(nameFromText(`feed ${this.model.made++}`));
    this.feeds.commit.note();
    this.model.create(id);
    this.#feedsChanged = true;
  }

  #expire(id: number): void {
    const { registry, clock } = this.feeds;
    const feed = this.feeds.feed(id);
    const { owed, lost } = this.model.feed(id);
    registry.expire(feed, { when: clock.now(), why: 'idle' });
    assert.ok(feed.state.kind === 'expired' && feed.parts.length === 0);
    assert.is(feed.state.lost.records, owed.size + (lost?.record.lost.records ?? 0));
    const bytes = [...owed].reduce((sum, n) => sum + this.model.bytesOf(n).length, 0);
    assert.is(feed.state.lost.bytes, bytes + (lost?.record.lost.bytes ?? 0));
    this.model.feeds.delete(id);
  }

  #drop(step: Extract<Step, { kind: 'drop' }>, id: number): void {
    const { registry, clock } = this.feeds;
    const feed = this.feeds.feed(id);
    const owed = registry.owed(feed);
    const until = {
      bytes: Math.floor((owed.bytes * step.bytes) / 1000),
      records: Math.floor((owed.records * step.records) / 1000),
    };
    const now = clock.now();
    const expected = this.model.drop(id, until, now, 'too much');
    assert.is(registry.dropOldest(feed, until, now, 'too much'), expected, 'records dropped');
  }

  #punch(step: Extract<Step, { kind: 'punch' }>, id: number): void {
    const { feeds, model } = this;
    const { by, ago, whole } = step;
    const epoch = Math.max(0, model.epoch - ago);
    const part = feeds.feed(id).part(epoch);
    if (part === undefined) return;
    const end = model.end(model.visible, epoch)[by];
    let from = Math.floor((end * step.from) / 1000);
    let to = from + Math.floor((end * step.length) / 1000);
    if (whole) {
      const records = model.records.filter((record) => record.epoch === epoch);
      from = records.find((record) => record[by][0] >= from)?.[by][0] ?? from;
      to = records.find((record) => record[by][1] >= to)?.[by][1] ?? to;
    }
    if (to <= from) return;
    feeds.registry.punch(feeds.feed(id), { part, coordinate: by }, from, to - from);
    model.punch(id, by, from, to - from, epoch);
  }
}
