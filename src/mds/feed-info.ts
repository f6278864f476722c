/**
 * The file `info` of a feed: one JSON object. 64-bit quantities are decimal strings, times
 * are nanoseconds since the epoch as decimal strings.
 *
 * | member | meaning |
 * |---|---|
 * | `filesystem` | identity of the filesystem, hexadecimal |
 * | `state` | `active`, or `expired`: then the feed is a tombstone, until it is removed |
 * | `epoch` | the use of the offset space that the offsets are in |
 * | `first…`, `next…` | where the first owed record is, and where the next one will be |
 * | `owed…` | what the consumer has not acknowledged, of what is visible |
 * | `acknowledged` | everything of the feed before it is acknowledged; where the feed begins if nothing is |
 * | `gaps` | ranges behind that which are acknowledged, too: somebody did so out of order |
 * | `oldest` | time of the oldest owed record, or null |
 * | `opens`, `idleSeconds` | descriptors that are open; how long nobody used the feed |
 * | `filter`, `policy` | as the files of that name; `filter` is null without one |
 * | `filterFrom` | since which record the filter holds, or null: since the feed is there |
 * | `full` | its policy says `block`, and there is no room for a record: in the feed, or on the disk |
 * | `lost` | what a LOST record stands for that is not acknowledged, or null |
 * | `expired` | when and why the feed ended and what it owed, or null |
 * | `lastError` | why the last write to a setting was refused, or null |
 */
import { timeToNanoseconds } from '../base/time.js';
import type { Feed, FeedState, Lost, LostCount, Place } from '../feed/feed.js';
import type { Acknowledged } from '../feed/owed.js';
import type { Owed } from '../feed/registry.js';
import type { FeedPlaces } from '../rpc/messages.js';

export interface FeedFacts {
  /** Identity of the filesystem. */
  readonly filesystem: string;
  readonly acknowledged: Acknowledged;
  readonly places: FeedPlaces;
  readonly owed: Owed;
  readonly idleSeconds: number;
  readonly full: boolean;
  /** The settings as text. */
  readonly filter: string;
  readonly policy: string;
}

export function infoText(feed: Feed, facts: FeedFacts): string {
  const { filesystem, places, acknowledged, owed, filter, policy } = facts;
  const info = {
    id: feed.id,
    name: Buffer.from(feed.name, 'latin1').toString('utf8'),
    filesystem,
    state: feed.state.kind,
    created: timeToNanoseconds(feed.created),
    lastRead: feed.lastRead === undefined ? null : timeToNanoseconds(feed.lastRead),
    epoch: places.epoch,
    firstOffset: `${places.firstOffset}`,
    nextOffset: `${places.nextOffset}`,
    firstIndex: `${places.firstIndex}`,
    nextIndex: `${places.nextIndex}`,
    firstText: `${places.firstText}`,
    nextText: `${places.nextText}`,
    owedBytes: `${owed.bytes}`,
    owedRecords: `${owed.records}`,
    owedText: `${owed.text}`,
    acknowledged: placeInfo(acknowledged),
    gaps: acknowledged.gaps,
    oldest: owed.oldest === undefined ? null : timeToNanoseconds(owed.oldest),
    opens: feed.idleness.opens,
    idleSeconds: Math.floor(facts.idleSeconds),
    filter: filter === '' ? null : (JSON.parse(filter) as unknown),
    filterFrom: filterFromInfo(feed),
    policy: JSON.parse(policy) as unknown,
    full: facts.full,
    lost: feed.lost === undefined ? null : lostInfo(feed.lost),
    expired: expiredInfo(feed.state),
    lastError: feed.lastError,
  };
  return `${JSON.stringify(info, undefined, 2)}\n`;
}

function filterFromInfo({ filterFrom }: Feed): Record<string, unknown> | null {
  return filterFrom === undefined ? null : placeInfo(filterFrom);
}

function placeInfo({ epoch, at }: Place): Record<string, unknown> {
  return { epoch, offset: `${at.offset}`, text: `${at.text}`, index: `${at.index}` };
}

function lostInfo(lost: Pick<Lost, 'when' | 'why'> & LostCount): Record<string, unknown> {
  return {
    when: timeToNanoseconds(lost.when),
    why: lost.why,
    firstIndex: `${lost.firstIndex}`,
    lastIndex: `${lost.lastIndex}`,
    records: `${lost.records}`,
    bytes: `${lost.bytes}`,
  };
}

function expiredInfo(state: FeedState): Record<string, unknown> | null {
  if (state.kind === 'active') return null;
  return lostInfo({ when: state.when, why: state.why, ...state.lost });
}
