/**
 * Which feeds give when the disk lacks what policies ask for (`minFree`): those with the
 * oldest debts first, unless a feed that has no such policy owes all the same records, so
 * that giving them up would free nothing. (Of a feed with a filter that is not assumed.)
 *
 * A bounded number of feeds is looked at each time; who gives is known at the end of a round.
 */
import type { Feed } from '../feed/feed.js';
import { RETENTION_FEEDS_PER_COMMIT } from './limits.js';
import type { FeedGroups } from './retention-feeds.js';

export interface GiverQuestions {
  /** What the disk lacks of what the feed's policy asks for; 0 if it asks for nothing. */
  missing(feed: Feed): number;
  /** Whether it gives when the disk lacks something. */
  gives(feed: Feed): boolean;
  /** Index of the first record that it owes; undefined if there is none, or it cannot be found. */
  owesSince(feed: Feed): number | undefined;
}

export class RetentionGivers {
  readonly #ask: GiverQuestions;
  /** Of this round: who could give, and since which record each of them owes. */
  #lacking: { readonly feed: Feed; readonly since: number }[] = [];
  /** From which record on somebody else owes every one. */
  #kept = Number.POSITIVE_INFINITY;
  /** The givers have been looked at, and now all others are. */
  #others = false;
  #next = 0;

  constructor(questions: GiverQuestions) {
    this.#ask = questions;
  }

  /** Those that are to give, in order; none before the end of a round. */
  look({ all, givers }: Pick<FeedGroups, 'all' | 'givers'>): Feed[] {
    let rest = RETENTION_FEEDS_PER_COMMIT;
    while (rest > 0) {
      const feeds = this.#others ? all : givers;
      const some = feeds.slice(this.#next, this.#next + rest);
      for (const feed of some) this.#others ? this.#lookAtOther(feed) : this.#lookAtGiver(feed);
      rest -= some.length;
      this.#next += some.length;
      if (this.#next < feeds.length) break;
      this.#next = 0;
      if (this.#others || this.#lacking.length === 0) return this.#end();
      this.#others = true;
    }
    return [];
  }

  #lookAtGiver(feed: Feed): void {
    const since = this.#ask.missing(feed) > 0 ? this.#ask.owesSince(feed) : undefined;
    if (since !== undefined) this.#lacking.push({ feed, since });
  }

  #lookAtOther(feed: Feed): void {
    if (feed.filterText !== null || this.#ask.gives(feed)) return;
    this.#kept = Math.min(this.#kept, this.#ask.owesSince(feed) ?? this.#kept);
  }

  #end(): Feed[] {
    const kept = this.#kept;
    const lacking = this.#lacking.filter(({ since }) => since < kept);
    this.#lacking = [];
    this.#kept = Number.POSITIVE_INFINITY;
    this.#others = false;
    return lacking.sort((a, b) => a.since - b.since).map(({ feed }) => feed);
  }
}
