/**
 * Carries out the policies of feeds. It has no clock of its own: every commit that reached
 * the disk is an occasion to look, so a feed exceeds its limits by what one batch holds, and
 * a filesystem in which nothing happens loses no feed.
 *
 * A bounded number of feeds is looked at each time, in turn. Where the disk lacks space, one
 * feed at a time gives (retention-givers.ts).
 */
import createDebug from 'debug';
import { FsError } from '../base/errno.js';
import type { EventCounts } from '../base/event-counts.js';
import type { Clock } from '../base/time.js';
import type { Feed } from '../feed/feed.js';
import type { Log } from '../feed/log.js';
import { formatPolicy, parsePolicy } from '../feed/policy.js';
import type { FeedRegistry } from '../feed/registry.js';
import { type Decision, decide, freeBytesOf } from '../feed/retention.js';
import type { Notice } from '../rpc/messages.js';
import type { GroupCommit, Participant } from '../store/group-commit.js';
import type { Setting } from './feed-control.js';
import { FeedFilters } from './feed-filters.js';
import type { Tree } from './filter-forecast.js';
import { IDLE_LOOK_US, RETENTION_FEEDS_PER_COMMIT } from './limits.js';
import { givesSpace, RetentionFeeds } from './retention-feeds.js';
import { RetentionGivers } from './retention-givers.js';
import { RetentionPolicies } from './retention-policies.js';
import { RetentionRoom } from './retention-room.js';
import { RetentionSpace, type StoreSpace } from './retention-space.js';
import type { ServerEvent } from './server-events.js';

const debug = createDebug('feedfs:mds');

const US_PER_SECOND = 1_000_000;

export interface RetentionParts {
  readonly registry: FeedRegistry;
  readonly log: Log;
  readonly commit: GroupCommit;
  readonly clock: Clock;
  readonly events: EventCounts<ServerEvent>;
  readonly store: { space(): StoreSpace };
  readonly surroundings: Tree;
  readonly notify: (notice: Notice) => void;
}

export class Retention implements Participant {
  readonly policies = new RetentionPolicies();
  readonly room: RetentionRoom;
  readonly #parts: RetentionParts;
  readonly #space: RetentionSpace;
  readonly #feeds: RetentionFeeds;
  readonly #givers = new RetentionGivers({
    missing: (feed) => this.#missing(feed),
    gives: (feed) => givesSpace(this.policies.of(feed)),
    owesSince: (feed) => this.#owesSince(feed),
  });
  /** Whose turns are next, by their places among the limited feeds, and among all. */
  readonly #turns = { limited: 0, all: 0 };
  #idleLookUs = Number.NEGATIVE_INFINITY;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    this.#space = new RetentionSpace(() => parts.store.space(), parts.clock);
    const filters = new FeedFilters(parts.surroundings);
    const { policies } = this;
    this.#feeds = new RetentionFeeds(parts.registry, policies);
    const own = { feeds: this.#feeds, filters, policies, space: this.#space };
    this.room = new RetentionRoom({ ...parts, ...own });
  }

  /** The setting `policy` of a feed; see FeedControl. */
  get setting(): Setting {
    return {
      get: (feed) => this.policies.text(feed),
      set: (feed, text) => {
        const canonical = formatPolicy(parsePolicy(text));
        const { policyText } = feed;
        feed.policyText = text.trim() === '' ? null : canonical;
        this.#feeds.changed();
        return () => {
          feed.policyText = policyText;
          this.#feeds.changed();
        };
      },
    };
  }

  collect(): void {}

  committed(): void {
    this.#space.committed(!this.#parts.registry.purge.pending);
  }

  flushed(): void {
    this.#space.flushed();
    const nowUs = this.#parts.clock.monotonicUs();
    const { limited, all } = this.#feeds.groups;
    this.#inTurn(limited, 'limited', (feed) => this.#look(feed, nowUs));
    if (nowUs - this.#idleLookUs >= IDLE_LOOK_US) {
      const done = this.#inTurn(all, 'all', (feed) => this.#lookAtIdleness(feed, nowUs));
      if (done) this.#idleLookUs = nowUs;
    }
    this.#lookAtDisk(nowUs);
    this.room.tell();
  }

  /** Looks at a bounded number of feeds, and goes on where it was the next time. True at the end of a round. */
  #inTurn(feeds: readonly Feed[], turn: 'limited' | 'all', look: (feed: Feed) => void): boolean {
    const from = Math.min(this.#turns[turn], feeds.length);
    const some = feeds.slice(from, from + RETENTION_FEEDS_PER_COMMIT);
    for (const feed of some) look(feed);
    const done = from + some.length >= feeds.length;
    this.#turns[turn] = done ? 0 : from + some.length;
    return done;
  }

  /** Before the end: what is stored of idle times is exact. */
  keepIdleTimes(): void {
    const { registry, clock } = this.#parts;
    for (const feed of registry.list())
      if (feed.state.kind === 'active') this.#keep(feed, clock.monotonicUs());
  }

  #keep(feed: Feed, nowUs: number): void {
    const { registry, commit } = this.#parts;
    const before = feed.idleness.storedUs;
    feed.idleness.keep(nowUs);
    if (feed.idleness.storedUs === before) return;
    registry.changed(feed);
    commit.note();
  }

  /** A feed whose policy was carried out a moment ago may be among those that are looked at. */
  #look(feed: Feed, nowUs: number): void {
    if (feed.expired) return;
    this.#carryOut(feed, this.#decide(feed, nowUs, 0));
  }

  #lookAtIdleness(feed: Feed, nowUs: number): void {
    if (feed.idleness.isStale(nowUs)) this.#keep(feed, nowUs);
    const { maxIdleSeconds } = this.policies.of(feed);
    if (maxIdleSeconds === undefined || idleSecondsOf(feed, nowUs) < maxIdleSeconds) return;
    this.#look(feed, nowUs);
  }

  #decide(feed: Feed, nowUs: number, missingBytes: number): Decision {
    const owed = this.#parts.registry.owed(feed);
    return decide(this.policies.of(feed), {
      idleSeconds: idleSecondsOf(feed, nowUs),
      owedBytes: owed.bytes,
      owedRecords: owed.records,
      droppableRecords: owed.records - (feed.lost === undefined ? 0 : 1),
      missingBytes,
    });
  }

  /** Returns false if it came to nothing. */
  #carryOut(feed: Feed, decision: Decision): boolean {
    switch (decision.kind) {
      case 'keep':
      case 'block':
        return false;
      case 'expire':
        this.#expire(feed, decision.why);
        return true;
      case 'drop':
        return this.#drop(feed, decision);
    }
  }

  #expire(feed: Feed, why: string): void {
    const { registry, commit, clock, events, notify } = this.#parts;
    debug('feed %d expires: %s', feed.id, why);
    registry.expire(feed, { when: clock.now(), why });
    events.count('feeds_expired');
    commit.note();
    notify({ kind: 'feed-ended', id: feed.id });
  }

  /** Where a damaged block does not tell where its records end, nothing can be said to be lost exactly: the feed ends. */
  #drop(feed: Feed, { until, why }: Extract<Decision, { kind: 'drop' }>): boolean {
    const { registry, commit, clock, events } = this.#parts;
    let dropped: number;
    try {
      dropped = registry.dropOldest(feed, until, clock.now(), why);
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      this.#expire(feed, `${why}, and what is to be dropped is damaged`);
      return true;
    }
    if (dropped === 0) return false;
    debug('feed %d lost %d records: %s', feed.id, dropped, why);
    events.count('records_dropped', dropped);
    commit.note();
    return true;
  }

  /** If the disk lacks what a policy asks for, one feed gives. */
  #lookAtDisk(nowUs: number): void {
    const { groups } = this.#feeds;
    if (groups.givers.length === 0) return;
    const { registry } = this.#parts;
    for (const feed of this.#givers.look(groups)) {
      // Since it was looked at it may have ended, or the space may have come.
      const missing = registry.get(feed.id) === feed && !feed.expired ? this.#missing(feed) : 0;
      if (missing <= 0) continue;
      const before = registry.owed(feed).bytes;
      if (!this.#carryOut(feed, this.#decide(feed, nowUs, missing))) continue;
      const after = feed.state.kind === 'active' ? registry.owed(feed).bytes : 0;
      this.#space.givenUp(before - after);
      return;
    }
  }

  #missing(feed: Feed): number {
    const { minFree } = this.policies.of(feed);
    if (minFree === undefined) return 0;
    const { freeBytes, totalBytes } = this.#space.now();
    return Math.max(0, freeBytesOf(minFree, totalBytes) - freeBytes);
  }

  /** Index of the first record that it owes; undefined if there is none, or it cannot be found. */
  #owesSince(feed: Feed): number | undefined {
    try {
      return this.#parts.registry.owed(feed).first?.index;
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      return undefined;
    }
  }
}

function idleSecondsOf(feed: Feed, nowUs: number): number {
  return feed.idleness.at(nowUs) / US_PER_SECOND;
}
