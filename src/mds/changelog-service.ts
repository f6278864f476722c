/** The methods of a feed's Lustre view: each is a few lines over the walk of its records. */
import { Errno, FsError } from '../base/errno.js';
import { changelogType, encodeChangelog } from '../feed/encodings/changelog.js';
import { ChangelogType } from '../feed/encodings/changelog-layout.js';
import type { Feed } from '../feed/feed.js';
import type { Log } from '../feed/log.js';
import type { FeedRecord } from '../feed/record.js';
import type { FeedRegistry } from '../feed/registry.js';
import type { ChangelogState, Service } from '../rpc/messages.js';
import type { GroupCommit } from '../store/group-commit.js';
import { firstOwedIndex, walkRecords } from './changelog-walk.js';
import { CHANGELOG_SKIPS_MAX } from './limits.js';

export type ChangelogServiceMethods = Pick<Service, Extract<keyof Service, `changelog${string}`>>;

/** What a reader asks for: where from, and which types. */
interface Wish {
  readonly index: number;
  readonly types: number;
}

interface Pass {
  readonly index: number;
  readonly state: ChangelogState;
}

export class ChangelogService {
  readonly methods: ChangelogServiceMethods;
  readonly #registry: FeedRegistry;
  readonly #log: Log;
  readonly #commit: GroupCommit;
  #unfinished = false;

  constructor(parts: {
    readonly registry: FeedRegistry;
    readonly log: Log;
    readonly commit: GroupCommit;
  }) {
    this.#registry = parts.registry;
    this.#log = parts.log;
    this.#commit = parts.commit;
    this.methods = {
      changelogNext: ({ id, into, lnetNid, ...wish }, answer) => {
        const feed = this.#feed(id);
        if (feed === undefined) return answer(0, { length: 0, index: wish.index, state: 'gone' });
        const bytes = Buffer.from(into.buffer, into.byteOffset, into.byteLength);
        let length = 0;
        const pass = this.#pass(feed, wish, (record) => {
          const size = encodeChangelog(record, bytes, length, lnetNid);
          length += size;
          return size > 0;
        });
        this.#registry.seen(feed);
        if (length === 0 && pass.state === 'more') {
          throw new FsError(Errno.EINVAL, 'the next record is longer than the buffer');
        }
        answer(0, { length, ...pass });
      },
      changelogReady: ({ id, ...wish }, answer) => {
        const feed = this.#feed(id);
        if (feed === undefined) return answer(0, { index: wish.index, state: 'gone' });
        const pass = this.#pass(feed, wish, () => false);
        // A damaged record is still to be met by a read.
        answer(0, pass.state === 'damaged' ? { ...pass, index: wish.index } : pass);
      },
      changelogClear: ({ id, user, index }, answer) => {
        const feed = this.#clear(id, user, index);
        this.#registry.seen(feed);
        this.#commit.whenFlushed((error) => answer(error?.errno ?? 0, undefined));
      },
      changelogUser: ({ id, user, name }, answer) => {
        const feed = this.#feed(id);
        if (feed === undefined || (user === 0 ? name !== feed.name : user !== id)) {
          throw new FsError(Errno.ENOENT, 'no such changelog user');
        }
        answer(0, undefined);
      },
    };
  }

  /** A reader was sent away in the middle of what it passes over. */
  get unfinished(): boolean {
    return this.#unfinished;
  }

  /** {@link unfinished}, once: whoever asks tells the reader to go on. */
  takeUnfinished(): boolean {
    const unfinished = this.#unfinished;
    this.#unfinished = false;
    return unfinished;
  }

  /** Undefined once it has ended. */
  #feed(id: number): Feed | undefined {
    const feed = this.#registry.get(id);
    return feed?.expired === true ? undefined : feed;
  }

  /** Gives the wanted records to `take` until it returns false. */
  #pass(feed: Feed, { index, types }: Wish, take: (record: FeedRecord) => boolean): Pass {
    let skips = 0;
    let given = false;
    const walked = walkRecords(feed, index, (record) => {
      if (isWanted(record, types)) {
        const taken = take(record);
        if (taken) given = true;
        return taken;
      }
      skips += 1;
      return skips <= CHANGELOG_SKIPS_MAX;
    });
    if (walked.end === 'nothing-owed') return { index: walked.index, state: 'end' };
    if (walked.end === 'damaged' && !given) return { index: walked.behind, state: 'damaged' };
    if (skips <= CHANGELOG_SKIPS_MAX) return { index: walked.index, state: 'more' };
    this.#unfinished = true;
    return { index: walked.index, state: 'unfinished' };
  }

  #clear(id: number, user: number, index: number): Feed {
    const next = this.#log.visibleEnd.index;
    if (index >= next) throw new FsError(Errno.EINVAL, `there is no record ${index} yet`);
    const feed = this.#feed(id);
    if (feed === undefined || user !== id) {
      throw new FsError(Errno.ENOENT, `no changelog user cl${user}`);
    }
    const first = firstOwedIndex(feed) ?? next;
    const to = index === 0 ? next : index + 1;
    const acknowledged = acknowledgedBefore(feed, first);
    if (index > 0 && to < acknowledged) {
      throw new FsError(Errno.ENOENT, `all up to ${acknowledged - 1} is acknowledged already`);
    }
    if (to <= first && to <= feed.cleared) return feed;
    this.#commit.admit('frees');
    feed.cleared = Math.max(feed.cleared, to);
    this.#registry.changed(feed);
    for (const part of feed.parts) {
      this.#registry.punch(feed, { part, coordinate: 'index' }, 0, to);
    }
    this.#commit.note();
    return feed;
  }
}

/**
 * The index before which the consumer itself has acknowledged everything, in whatever view,
 * as far as that is known. The first owed record does not tell it where records before it
 * can be missing for another reason: a filter left them out, or they were dropped.
 */
function acknowledgedBefore(feed: Feed, firstOwed: number): number {
  const { start, indexedFrom, lost, cleared } = feed;
  const gapsFrom = lost === undefined ? (indexedFrom?.at.index ?? firstOwed) : 0;
  return Math.max(start.at.index, cleared, Math.min(firstOwed, gapsFrom));
}

/** A loss is always told: whoever narrows the types does not want to miss it. */
function isWanted(record: FeedRecord, types: number): boolean {
  const type = changelogType(record);
  return type === ChangelogType.MARK || ((types >>> type) & 1) === 1;
}
