/**
 * What a policy makes of a feed as it stands. Pure: the facts are counted and the decision
 * is carried out elsewhere.
 *
 * | the feed                          | expire | drop-oldest             | block        |
 * |-----------------------------------|--------|-------------------------|--------------|
 * | idle for `maxIdle`                | expire | expire                  | expire       |
 * | owes more than a limit            | expire | drop down to the limit  | —            |
 * | owes as much as a limit, or more  | —      | —                       | block        |
 * | the disk lacks some of `minFree`  | expire | drop as much as it lacks | block        |
 *
 * A record that a feed with `block` must take has no room once the limit is reached; the
 * others may owe what the limit says.
 */
import { type FreeLimit, formatDuration, type Policy } from './policy.js';

export interface FeedFacts {
  /** How long nobody read, acknowledged or had the feed open, while it was served. */
  readonly idleSeconds: number;
  readonly owedBytes: number;
  readonly owedRecords: number;
  /** Of the owed records, those that could be dropped: all but a LOST record. */
  readonly droppableRecords: number;
  /** What the disk lacks of `minFree`, and this feed is to give; else 0. */
  readonly missingBytes: number;
}

export type Decision =
  | { readonly kind: 'keep' }
  | { readonly kind: 'expire'; readonly why: string }
  | {
      readonly kind: 'drop';
      readonly until: { readonly bytes?: number; readonly records?: number };
      readonly why: string;
    }
  | { readonly kind: 'block'; readonly why: string };

const KEEP: Decision = { kind: 'keep' };

export function decide(policy: Policy, facts: FeedFacts): Decision {
  const { maxIdleSeconds } = policy;
  if (maxIdleSeconds !== undefined && facts.idleSeconds >= maxIdleSeconds) {
    return { kind: 'expire', why: `nobody read it for ${formatDuration(maxIdleSeconds)}` };
  }
  switch (policy.action) {
    case 'expire': {
      const why = excess(policy, facts) ?? shortage(facts);
      return why === undefined || facts.owedRecords === 0 ? KEEP : { kind: 'expire', why };
    }
    case 'drop-oldest':
      return drop(policy, facts);
    case 'block': {
      const why = fullness(policy, facts) ?? shortage(facts);
      return why === undefined ? KEEP : { kind: 'block', why };
    }
  }
}

function drop(policy: Policy, facts: FeedFacts): Decision {
  const { maxBytes, maxRecords } = policy;
  const why = excess(policy, facts) ?? shortage(facts);
  if (why === undefined || facts.droppableRecords === 0) return KEEP;
  const bytes = Math.min(
    maxBytes ?? Number.POSITIVE_INFINITY,
    facts.missingBytes > 0
      ? Math.max(0, facts.owedBytes - facts.missingBytes)
      : Number.POSITIVE_INFINITY,
  );
  const until = {
    ...(Number.isFinite(bytes) ? { bytes } : {}),
    ...(maxRecords === undefined ? {} : { records: maxRecords }),
  };
  return { kind: 'drop', until, why };
}

function excess({ maxBytes, maxRecords }: Policy, facts: FeedFacts): string | undefined {
  if (maxBytes !== undefined && facts.owedBytes > maxBytes) {
    return `it owed more than ${maxBytes} bytes`;
  }
  if (maxRecords !== undefined && facts.owedRecords > maxRecords) {
    return `it owed more than ${maxRecords} records`;
  }
  return undefined;
}

function fullness({ maxBytes, maxRecords }: Policy, facts: FeedFacts): string | undefined {
  if (maxBytes !== undefined && facts.owedBytes >= maxBytes) {
    return `it owes its limit of ${maxBytes} bytes`;
  }
  if (maxRecords !== undefined && facts.owedRecords >= maxRecords) {
    return `it owes its limit of ${maxRecords} records`;
  }
  return undefined;
}

function shortage({ missingBytes }: FeedFacts): string | undefined {
  return missingBytes > 0 ? 'the disk had less free space than it asks for' : undefined;
}

/** How many more records a feed with `block` takes for certain, none being longer than `recordBytes`. */
export function roomRecords(
  { maxBytes, maxRecords }: Policy,
  owed: { readonly bytes: number; readonly records: number },
  recordBytes: number,
): number {
  const byRecords = maxRecords === undefined ? Number.POSITIVE_INFINITY : maxRecords - owed.records;
  const byBytes =
    maxBytes === undefined
      ? Number.POSITIVE_INFINITY
      : Math.floor((maxBytes - owed.bytes) / recordBytes);
  return Math.max(0, Math.min(byRecords, byBytes));
}

/** What `minFree` is on a disk of that size, in bytes. */
export function freeBytesOf(limit: FreeLimit, totalBytes: number): number {
  return 'bytes' in limit ? limit.bytes : Math.ceil((totalBytes * limit.percent) / 100);
}
