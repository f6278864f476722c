/**
 * Up to where a feed is acknowledged: exactly there, in all coordinates, also where the
 * feed takes few of the records, over epochs, and after a purge and a restart.
 */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { nameFromText } from '../../src/base/name.js';
import { acknowledgedOf } from '../../src/feed/owed.js';
import type { Position } from '../../src/feed/position.js';
import { NO_TAKERS } from '../../src/feed/takers.js';
import { FeedStore, logRecord, plainRecord, viewOf } from '../support/feed-store.js';
import { withFolder } from '../support/mount.js';
import { Random } from '../support/random.js';

interface Logged {
  readonly epoch: number;
  readonly start: Position;
  readonly end: Position;
  readonly passes: boolean;
  acknowledged: boolean;
}

class Run {
  readonly feeds: FeedStore;
  readonly random: Random;
  readonly id: number;
  readonly #start: Position;
  readonly #logged: Logged[] = [];
  #indexed = false;
  /** The furthest place that somebody acknowledged up to. */
  #asked: number;

  constructor(folder: string, random: Random, epochBytesMax: number) {
    this.random = random;
    this.feeds = new FeedStore(join(folder, 'store'), { epochBytesMax });
    const before = random.below(3);
    for (let i = 0; i < before; i++) logRecord(this.feeds.log, plainRecord('before'));
    this.id = this.feeds.registry.create(nameFromText('f')).id;
    this.#start = this.feeds.feed(this.id).start.at;
    this.#asked = this.#start.index;
  }

  async step(inOrder: boolean): Promise<void> {
    const { feeds, random } = this;
    const dice = random.below(100);
    if (dice < 55) for (let i = random.below(40); i >= 0; i--) this.#log();
    else if (dice < 70) feeds.settle();
    else if (dice < 74) feeds.purge();
    else if (dice < 77) await feeds.reopen();
    else if (dice < 79) this.#index();
    else this.#acknowledge(inOrder);
    this.#check(inOrder);
  }

  #index(): void {
    this.feeds.registry.index(this.feeds.feed(this.id));
    this.#indexed = true;
  }

  #log(): void {
    const { log } = this.feeds;
    const passes = !this.#indexed || this.random.chance(20);
    const takers = passes ? { feeds: [this.id], watches: [] } : NO_TAKERS;
    const before = log.newest;
    const start = before.end;
    logRecord(log, plainRecord('x'.repeat(1 + this.random.below(60))), takers);
    const after = log.newest;
    const begins = after === before ? start : after.start;
    const { epoch, end } = after;
    this.#logged.push({ epoch, start: begins, end, passes, acknowledged: false });
  }

  #acknowledge(inOrder: boolean): void {
    const { feeds, id, random } = this;
    const parts = feeds.feed(id).parts;
    const part = inOrder
      ? parts.find(({ span, owedAtEnd }) => owedAtEnd.index > 0 || span === feeds.log.newest)
      : random.pick(parts);
    if (part === undefined) return;
    const { epoch, visibleEnd } = part.span;
    const inside = this.#logged.filter((one) => one.epoch === epoch && this.#isVisible(one));
    const to = random.pick(inside)?.end ?? visibleEnd;
    const from = inOrder ? 0 : (random.pick(inside)?.start.offset ?? 0);
    if (to.offset <= from) return;
    const view = viewOf(feeds, id, 'offset', epoch);
    feeds.registry.punch(feeds.feed(id), view, from, to.offset - from);
    for (const one of inside) {
      if (one.start.offset >= from && one.end.offset <= to.offset) one.acknowledged = true;
    }
    this.#asked = Math.max(this.#asked, to.index);
  }

  #isVisible({ epoch, end }: Logged): boolean {
    const span = this.feeds.log.span(epoch);
    return span === undefined || end.offset <= span.visibleEnd.offset;
  }

  #check(inOrder: boolean): void {
    const { feeds, id } = this;
    const found = acknowledgedOf(feeds.feed(id), feeds.log.newest);
    const taken = this.#logged.filter(({ passes }) => passes);
    const owed = taken.findIndex(({ acknowledged }) => !acknowledged);
    const last = taken.at(owed < 0 ? taken.length - 1 : owed - 1);
    const lastIndex = owed === 0 || last === undefined ? this.#start.index : last.end.index;
    assert.ok(found.at.index >= lastIndex, `${found.at.index}: up to ${lastIndex} it is`);
    const next = owed < 0 ? undefined : taken[owed];
    if (next !== undefined) assert.ok(found.at.index <= next.start.index, 'an owed record');
    // Where nothing of an epoch is owed any more, it is the next one that counts.
    const begins = feeds.log.span(found.epoch)?.start.index === found.at.index;
    if (inOrder && !begins) assert.ok(found.at.index <= this.#asked, 'nobody acknowledged that');
    const same = [this.#start, ...this.#logged.flatMap(({ start, end }) => [start, end])];
    const { epoch } = found;
    const exact = same.some(
      (one) =>
        one.offset === found.at.offset &&
        one.text === found.at.text &&
        one.index === found.at.index,
    );
    assert.ok(exact, `${JSON.stringify(found)} is no place between two records`);
    assert.ok(feeds.log.span(epoch) !== undefined);
    if (inOrder) assert.is(found.gaps, 0);
    else {
      const behind = taken.slice(owed < 0 ? taken.length : owed);
      assert.is(
        found.gaps > 0,
        behind.some(({ acknowledged }) => acknowledged),
      );
    }
  }

  async end(): Promise<void> {
    this.feeds.settle();
    await this.feeds.store.close();
  }
}

const EPOCH_BYTES = [Number.MAX_SAFE_INTEGER, 20_000];

for (const epochBytesMax of EPOCH_BYTES) {
  for (const inOrder of [true, false]) {
    const how = inOrder ? 'in order' : 'in any order';
    const epochs = epochBytesMax === EPOCH_BYTES[0] ? 'one epoch' : 'epochs';
    test(`${epochs}, acknowledged ${how}`, async () => {
      for (let seed = 1; seed <= 12; seed++) {
        await withFolder(async (folder) => {
          const run = new Run(folder, new Random(seed), epochBytesMax);
          try {
            for (let step = 0; step < 120; step++) await run.step(inOrder);
          } catch (error) {
            if (error instanceof Error) error.message = `seed ${seed}: ${error.message}`;
            throw error;
          }
          await run.end();
        });
      }
    });
  }
}

test('an expired feed ends where the log did', () =>
  withFolder(async (folder) => {
    const feeds = new FeedStore(join(folder, 'store'));
    const { id } = feeds.registry.create(nameFromText('f'));
    logRecord(feeds.log, plainRecord('a'));
    feeds.settle();
    const feed = must(feeds.registry.get(id), 'the feed');
    feeds.registry.expire(feed, { when: feeds.clock.now(), why: 'a test' });
    const { end, epoch } = feeds.log.newest;
    assert.equal(acknowledgedOf(feed, feeds.log.newest), { epoch, at: end, gaps: 0 });
    await feeds.store.close();
  }));

test.run();
