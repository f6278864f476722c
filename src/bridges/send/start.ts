/** Where a stream begins: what was asked for, what the feed has, and what is at the other end. Pure. */
import type { LogPlace } from '../../rpc/baseline.js';
import { SendError } from './send-error.js';
import { endOf, type FeedStanding, isBefore, refuseFilter, refuseUnlessWhole } from './standing.js';

/** A copy, as its receiver describes it. */
export interface Copy {
  readonly filesystem: string;
  readonly feed: number;
  readonly baseline: 'running' | 'complete';
  readonly place: LogPlace;
}

/** `'any'`: what suits the copy, or a baseline where it is not known. */
export type Wish = 'any' | 'baseline' | 'last' | { readonly index: number };

/** An index has to be looked up in the feed. `note`: for people, if it is not what they may expect. */
export type Start =
  | { readonly kind: 'baseline'; readonly note?: string }
  | { readonly kind: 'records'; readonly from: LogPlace }
  | { readonly kind: 'index'; readonly index: number };

export interface StartFacts {
  readonly wish: Wish;
  readonly standing: FeedStanding;
  /** Null: there is none. Undefined: nobody told. */
  readonly copy: Copy | null | undefined;
  /** End of the last stream that was kept in a file. */
  readonly kept: LogPlace | undefined;
}

/** Throws SendError if the stream that is wished for cannot be had. */
export function chooseStart({ wish, standing, copy, kept }: StartFacts): Start {
  refuseFilter(standing);
  if (wish === 'baseline') return { kind: 'baseline' };
  if (typeof wish === 'object') return fromIndex(standing, wish.index);
  if (copy === undefined) {
    return wish === 'any' ? { kind: 'baseline' } : records(standing, lastKept(standing, kept));
  }
  if (copy === null) {
    if (wish === 'any') return { kind: 'baseline' };
    throw new SendError('receiver', 'there is no copy yet: begin with a baseline (--baseline)');
  }
  return ofCopy(standing, copy, wish === 'last');
}

/** What suits the copy; `isStrict`: but no baseline. */
function ofCopy(standing: FeedStanding, copy: Copy, isStrict: boolean): Start {
  if (copy.filesystem !== standing.filesystem) {
    throw new SendError(
      'receiver',
      `the copy is one of another filesystem, ${copy.filesystem}, not of ${standing.filesystem}: ` +
        'nothing was sent',
    );
  }
  const reason = whyBaseline(standing, copy);
  if (reason === undefined) return records(standing, copy.place);
  if (!isStrict) return { kind: 'baseline', note: `a new baseline is sent, since ${reason}` };
  throw new SendError('incomplete', `${reason}: begin with a baseline (--baseline)`);
}

function whyBaseline(standing: FeedStanding, copy: Copy): string | undefined {
  if (copy.feed !== standing.id) return `the copy was made from another feed than ${standing.name}`;
  if (copy.baseline === 'running') return 'the last baseline was not finished';
  if (isAhead(standing, copy)) {
    return (
      `the copy is ahead of the feed (record ${copy.place.index} comes next there, and ` +
      `${standing.nextIndex} here), as after this filesystem was set back to an earlier state`
    );
  }
  try {
    refuseUnlessWhole(standing, copy.place);
    return undefined;
  } catch (error) {
    if (!(error instanceof SendError) || error.kind !== 'incomplete') throw error;
    return `the feed has not kept all that the copy lacks (record ${copy.place.index} comes next)`;
  }
}

/** It has what was never logged here. */
function isAhead(standing: FeedStanding, { place }: Copy): boolean {
  return place.index > standing.nextIndex || isBefore(endOf(standing), place);
}

/**
 * How far the feed can be acknowledged by what the copy says it has; undefined: no further than
 * it is. A receiver that was killed has more on disk than it came to confirm.
 */
export function confirmedByCopy(
  standing: FeedStanding,
  copy: Copy | null | undefined,
): LogPlace | undefined {
  if (copy === null || copy === undefined || copy.baseline !== 'complete') return undefined;
  if (copy.filesystem !== standing.filesystem || copy.feed !== standing.id) return undefined;
  // Offsets are those of an epoch.
  if (copy.place.epoch !== standing.epoch || isAhead(standing, copy)) return undefined;
  const isNews =
    isBefore(standing.acknowledged, copy.place) && copy.place.index > standing.acknowledged.index;
  return isNews ? copy.place : undefined;
}

function fromIndex(standing: FeedStanding, index: number): Start {
  const { acknowledged } = standing;
  if (index === acknowledged.index) return records(standing, acknowledged);
  // Only the index decides; the offset is looked up.
  refuseUnlessWhole(standing, { ...acknowledged, index });
  return index === standing.nextIndex
    ? { kind: 'records', from: endOf(standing) }
    : { kind: 'index', index };
}

function records(standing: FeedStanding, from: LogPlace): Start {
  refuseUnlessWhole(standing, from);
  return { kind: 'records', from };
}

/** The later one; what was kept of a log that is not this one any more does not count. */
function lastKept(standing: FeedStanding, kept: LogPlace | undefined): LogPlace {
  const { acknowledged, nextIndex } = standing;
  const counts = kept !== undefined && kept.epoch === standing.epoch && kept.index <= nextIndex;
  return counts && isBefore(acknowledged, kept) ? kept : acknowledged;
}
