/** Whether a feed has everything that changed from a place on, and what to do if not. */
import type { LogPlace } from '../../rpc/baseline.js';
import { SendError } from './send-error.js';

/** What a feed's `info` says of that. */
export interface FeedStanding {
  readonly id: number;
  readonly name: string;
  /** Identity of the filesystem, as hexadecimal digits. */
  readonly filesystem: string;
  readonly epoch: number;
  /** End of the log. */
  readonly nextOffset: number;
  readonly nextIndex: number;
  /** Everything before it is acknowledged. */
  readonly acknowledged: LogPlace;
  /** Ranges behind that point which are acknowledged, too. */
  readonly gaps: number;
  /** The last records that its policy dropped; undefined: none since it was made. */
  readonly lost?:
    | { readonly firstIndex: number; readonly lastIndex: number; readonly records: number }
    | undefined;
  readonly filter: unknown;
  /** Where the filter, or that there is none, begins to hold; undefined: everywhere. */
  readonly filterFrom: LogPlace | undefined;
}

export function endOf({ epoch, nextOffset, nextIndex }: FeedStanding): LogPlace {
  return { epoch, offset: nextOffset, index: nextIndex };
}

/** Is `a` earlier in the log? */
export function isBefore(a: LogPlace, b: LogPlace): boolean {
  return a.epoch === b.epoch ? a.offset < b.offset : a.epoch < b.epoch;
}

/** Throws SendError `incomplete` if the feed does not take every change. */
export function refuseFilter({ name, filter }: FeedStanding): void {
  if (filter === undefined) return;
  throw new SendError(
    'incomplete',
    `feed ${name} has a filter: a copy needs every change. ` +
      'Make a feed without one (feedfs feed create), and send that',
  );
}

/** Throws SendError unless all that was logged from `from` on is owed by the feed. */
export function refuseUnlessWhole(standing: FeedStanding, from: LogPlace): void {
  refuseFilter(standing);
  const { name, acknowledged, gaps, filterFrom } = standing;
  const wayOut = baselineOf(name);
  if (filterFrom !== undefined && from.index < filterFrom.index) {
    const where = `record ${filterFrom.index}`;
    const message = `feed ${name} had a filter before ${where} and lacks changes; ${wayOut}`;
    throw new SendError('incomplete', message);
  }
  if (from.index < acknowledged.index) {
    throw new SendError(
      'incomplete',
      `feed ${name} has forgotten what comes before record ${acknowledged.index}, since that was ` +
        `${whoTook(standing, from)}, and record ${from.index} is asked for; ${wayOut}`,
    );
  }
  if (gaps > 0) {
    throw new SendError(
      'incomplete',
      `somebody acknowledged records of feed ${name} out of order behind record ` +
        `${acknowledged.index}: they are missing; ${wayOut}`,
    );
  }
  if (from.index > standing.nextIndex) {
    throw new SendError(
      'beyond',
      `record ${from.index} is asked for, but the last one is ${standing.nextIndex - 1}: go on where ` +
        `the feed is acknowledged (--from last), or, if this filesystem was set back, ${wayOut}`,
    );
  }
}

/** Why records from `place` on that the feed had when its stream began at `from` cannot be had any more. */
export function takenAway(
  standing: FeedStanding,
  from: LogPlace,
  place: LogPlace,
  gapsBefore: number,
): SendError | undefined {
  const { name, filterFrom, acknowledged, gaps } = standing;
  const wasFiltered = filterFrom !== undefined && isBefore(from, filterFrom);
  const wasTaken = isBefore(place, acknowledged) || gaps > gapsBefore;
  if (!wasFiltered && !wasTaken) return undefined;
  const how = wasFiltered ? 'taken away by a filter of the feed' : whoTook(standing, place);
  return new SendError(
    'incomplete',
    `records from ${place.index} on are missing, since they were ${how}: ${baselineOf(name)}`,
  );
}

/** What a policy dropped nobody acknowledged. */
function whoTook({ lost }: FeedStanding, from: LogPlace): string {
  if (lost === undefined || lost.lastIndex < from.index) return 'acknowledged';
  const { firstIndex, lastIndex, records } = lost;
  return `dropped by its policy (${records} records, ${firstIndex} to ${lastIndex})`;
}

function baselineOf(name: string): string {
  return `begin with a new baseline: feedfs send ${name} --baseline`;
}
