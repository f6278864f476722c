/**
 * Feeds whose policy says `block`: nothing that such a feed must take happens while there
 * is no room for its record. Asked before each change, so that a refused one has done
 * nothing at all.
 *
 * A record of data that was accepted passes: the data are there already. So does what
 * recovery finds, and so do accesses that cannot be refused, or whose refusal would stand in
 * the way of deleting (access-service.ts). A feed exceeds its limit by those, and by the
 * records of one change.
 */
import { Errno, FsError } from '../base/errno.js';
import type { EventCounts } from '../base/event-counts.js';
import type { Fid } from '../base/fid.js';
import { ZERO_TIME } from '../base/time.js';
import type { Feed } from '../feed/feed.js';
import type { Log } from '../feed/log.js';
import { RECORD_BYTES_MAX } from '../feed/record-limits.js';
import type { FeedRegistry } from '../feed/registry.js';
import { decide, freeBytesOf, roomRecords } from '../feed/retention.js';
import type { Credentials, Notice, ReintRequest } from '../rpc/messages.js';
import type { SpaceUse } from '../store/space-use.js';
import type { FeedFilters } from './feed-filters.js';
import type { FeedGroups, RetentionFeeds } from './retention-feeds.js';
import type { RetentionPolicies } from './retention-policies.js';
import type { RetentionSpace } from './retention-space.js';
import type { ServerEvent } from './server-events.js';

/** What is known of data that are to be written. */
const DATA = {
  op: 'write',
  extents: [],
  size: 0,
  mtime: ZERO_TIME,
  layout: 'empty',
  generation: 0,
  blocks: 0,
  contents: undefined,
  killSuidgid: false,
  keepIntent: false,
} as const;

export interface RoomParts {
  readonly registry: FeedRegistry;
  readonly log: Log;
  readonly policies: RetentionPolicies;
  readonly space: RetentionSpace;
  readonly events: EventCounts<ServerEvent>;
  readonly feeds: RetentionFeeds;
  readonly filters: FeedFilters;
  readonly notify: (notice: Notice) => void;
}

export class RetentionRoom {
  readonly #parts: RoomParts;
  /** Before this index is logged no feed of these groups can be full. */
  #roomUntil = 0;
  #roomOf: FeedGroups | undefined;
  #told = false;

  constructor(parts: RoomParts) {
    this.#parts = parts;
  }

  /** Before a change. FsError(ENOSPC) if a feed that has no room would have to take it. */
  admit(request: ReintRequest, use: SpaceUse): void {
    if (request.change.op !== 'write') this.#admit(request, use);
  }

  /** Before new data are put in their place, which become a record later. FsError(ENOSPC). */
  admitData(who: Credentials, fid: Fid): void {
    this.#admit({ who, change: { ...DATA, fid } }, 'takes');
  }

  #admit(request: ReintRequest, use: SpaceUse): void {
    const { feeds, filters, events } = this.#parts;
    if (feeds.groups.blockers.length === 0) return;
    const mayTake = (feed: Feed): boolean => filters.mayTake(feed, request);
    const full = this.full().find(mayTake);
    const short = full === undefined && use === 'takes' ? this.#short().find(mayTake) : undefined;
    if (full === undefined && short === undefined) return;
    events.count('changes_blocked');
    if (full !== undefined) throw refused(full, 'owes as much as its policy allows');
    if (short !== undefined) throw refused(short, 'asks for more free space on the disk');
  }

  /** Whether any of these feeds, which would take the next record, must not miss it. */
  hasBlocker(feeds: readonly number[]): boolean {
    return this.#parts.feeds.groups.blockers.some(({ id }) => feeds.includes(id));
  }

  /** Whether an access that may be refused must be: one of these feeds would take its record, and has no room. */
  refusesRecord(feeds: readonly number[]): boolean {
    if (!this.hasBlocker(feeds)) return false;
    const takes = ({ id }: Feed): boolean => feeds.includes(id);
    return this.full().some(takes) || this.#short().some(takes);
  }

  /** Whether the feed refuses changes: it is full, or the disk has too little space for it. */
  refuses(feed: Feed): boolean {
    return this.full().includes(feed) || this.#short().includes(feed);
  }

  /** Feeds that must not miss a change and have no room for one. */
  full(): readonly Feed[] {
    const { feeds, registry, log, policies } = this.#parts;
    const { groups } = feeds;
    if (groups.blockers.length === 0) return [];
    const next = log.end.index;
    if (groups === this.#roomOf && next < this.#roomUntil) return [];
    let room = Number.POSITIVE_INFINITY;
    const full = groups.blockers.filter((feed) => {
      const policy = policies.of(feed);
      const owed = registry.owedAtEnd(feed);
      room = Math.min(room, roomRecords(policy, owed, RECORD_BYTES_MAX));
      const counts = { owedBytes: owed.bytes, owedRecords: owed.records, droppableRecords: 0 };
      return decide(policy, { ...counts, idleSeconds: 0, missingBytes: 0 }).kind === 'block';
    });
    this.#roomOf = groups;
    this.#roomUntil = next + room;
    return full;
  }

  /** Those of them that the disk has too little space for. */
  #short(): readonly Feed[] {
    const { feeds, policies, space } = this.#parts;
    const { spaceBlockers } = feeds.groups;
    if (spaceBlockers.length === 0) return spaceBlockers;
    const { freeBytes, totalBytes } = space.now();
    return spaceBlockers.filter((feed) => {
      const { minFree } = policies.of(feed);
      return minFree !== undefined && freeBytes < freeBytesOf(minFree, totalBytes);
    });
  }

  /** Whether data may be refused, so that whoever writes has to ask. */
  get watchful(): boolean {
    return this.#parts.feeds.groups.spaceBlockers.length > 0 || this.full().length > 0;
  }

  /**
   * Tells the clients when that changed. Returns what they know now: an answer to one of them
   * must not say anything else, or it would not hear of the next change.
   */
  tell(): boolean {
    const { watchful } = this;
    if (watchful !== this.#told) {
      this.#told = watchful;
      this.#parts.notify({ kind: 'blocked', watchful });
    }
    return watchful;
  }
}

function refused(feed: Feed, why: string): FsError {
  const name = Buffer.from(feed.name, 'latin1').toString('utf8');
  return new FsError(Errno.ENOSPC, `feed ${name} ${why}: acknowledge its records or remove it`);
}
