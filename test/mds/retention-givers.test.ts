/** Who gives when the disk is short: in which order, and how many feeds are looked at each time. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nameFromText } from '../../src/base/name.js';
import { Feed } from '../../src/feed/feed.js';
import { positionOf } from '../../src/feed/position.js';
import { RETENTION_FEEDS_PER_COMMIT } from '../../src/mds/limits.js';
import { RetentionGivers } from '../../src/mds/retention-givers.js';

const START = { epoch: 0, at: positionOf(0, 1, 0) };

/** What is known of a feed. */
interface Facts {
  readonly since: number | undefined;
  readonly gives: boolean;
  readonly missing?: number;
  readonly filter?: boolean;
}

class Fixture {
  readonly all: Feed[] = [];
  readonly #facts = new Map<Feed, Facts>();
  asked = 0;
  readonly #givers = new RetentionGivers({
    missing: (feed) => this.#of(feed).missing ?? 1,
    gives: (feed) => this.#of(feed).gives,
    owesSince: (feed) => {
      this.asked++;
      return this.#of(feed).since;
    },
  });

  #of(feed: Feed): Facts {
    return this.#facts.get(feed) ?? { since: undefined, gives: false };
  }

  add(facts: Facts): Feed {
    const id = this.all.length + 1;
    const feed = new Feed(id, nameFromText(`f${id}`), { sec: 0, nsec: 0 }, START);
    if (facts.filter === true) feed.filterText = '{"name":"a"}';
    this.all.push(feed);
    this.#facts.set(feed, facts);
    return feed;
  }

  look(): number[] {
    const { all } = this;
    const givers = all.filter((feed) => this.#of(feed).gives);
    return this.#givers.look({ all, givers }).map(({ id }) => id);
  }
}

test('the oldest debt gives first, those that owe nothing or lack nothing do not', () => {
  const fixture = new Fixture();
  fixture.add({ since: 30, gives: true });
  fixture.add({ since: 10, gives: true });
  fixture.add({ since: undefined, gives: true });
  fixture.add({ since: 5, gives: true, missing: 0 });
  assert.equal(fixture.look(), [2, 1]);
});

test('what somebody else keeps is not given, a feed with a filter keeps nothing', () => {
  const fixture = new Fixture();
  fixture.add({ since: 30, gives: true });
  fixture.add({ since: 10, gives: true });
  fixture.add({ since: 5, gives: false, filter: true });
  assert.equal(fixture.look(), [2, 1]);
  fixture.add({ since: 20, gives: false });
  assert.equal(fixture.look(), [2]);
  fixture.add({ since: 1, gives: false });
  assert.equal(fixture.look(), []);
});

test('a bounded number is looked at each time, and the end of the round decides', () => {
  const fixture = new Fixture();
  const count = RETENTION_FEEDS_PER_COMMIT;
  for (let i = 0; i < count; i++) fixture.add({ since: 5_000 - i, gives: true });
  for (let i = 0; i < 1.5 * count; i++) fixture.add({ since: 4_500, gives: false });
  let looks = 0;
  let found: number[] = [];
  while (found.length === 0 && looks < 10) {
    const before = fixture.asked;
    found = fixture.look();
    assert.ok(fixture.asked - before <= count, `${fixture.asked - before} feeds at a time`);
    looks++;
  }
  assert.is(looks, 4, 'the givers, and then all');
  assert.is(found[0], count);
  assert.ok(found.every((id) => 5_001 - id < 4_500));
  // Nothing is left of that round in the next one.
  assert.equal(fixture.look(), []);
});

test('feeds that end in the middle of a round do no harm', () => {
  const fixture = new Fixture();
  for (let i = 0; i < 3 * RETENTION_FEEDS_PER_COMMIT; i++) fixture.add({ since: 1, gives: true });
  assert.equal(fixture.look(), []);
  fixture.all.splice(0);
  const { id } = fixture.add({ since: 1, gives: true });
  const found: number[] = [];
  for (let i = 0; i < 5; i++) found.push(...fixture.look());
  assert.ok(found.includes(id));
});

test.run();
