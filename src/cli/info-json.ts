import type { FeedInfo, Time } from '../consumer/types.js';

/** Nanoseconds since the epoch, in decimal: JSON numbers do not hold them. */
function nanoseconds({ sec, nsec }: Time): string {
  return (BigInt(sec) * 1_000_000_000n + BigInt(nsec)).toString();
}

/** An `info` as the file has it: 64-bit quantities as decimal strings. */
export function infoToJson(info: FeedInfo): Record<string, unknown> {
  return {
    id: info.id,
    name: info.name,
    state: info.state,
    created: nanoseconds(info.created),
    lastRead: info.lastRead === undefined ? null : nanoseconds(info.lastRead),
    firstOffset: String(info.firstOffset),
    nextOffset: String(info.nextOffset),
    firstIndex: String(info.firstIndex),
    nextIndex: String(info.nextIndex),
    firstText: String(info.firstText),
    nextText: String(info.nextText),
    owedBytes: String(info.owedBytes),
    owedRecords: String(info.owedRecords),
    owedText: String(info.owedText),
    lastError: info.lastError ?? null,
  };
}
