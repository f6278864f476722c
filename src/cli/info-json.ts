import type { FeedInfo, FeedPosition, Loss, Time } from '../consumer/types.js';

/** Nanoseconds since the epoch, in decimal: JSON numbers do not hold them. */
function nanoseconds({ sec, nsec }: Time): string {
  return (BigInt(sec) * 1_000_000_000n + BigInt(nsec)).toString();
}

/** An `info` as the file has it: 64-bit quantities as decimal strings. */
export function infoToJson(info: FeedInfo): Record<string, unknown> {
  return {
    id: info.id,
    name: info.name,
    filesystem: info.filesystem,
    state: info.state,
    created: nanoseconds(info.created),
    lastRead: info.lastRead === undefined ? null : nanoseconds(info.lastRead),
    epoch: info.epoch,
    firstOffset: String(info.firstOffset),
    nextOffset: String(info.nextOffset),
    firstIndex: String(info.firstIndex),
    nextIndex: String(info.nextIndex),
    firstText: String(info.firstText),
    nextText: String(info.nextText),
    owedBytes: String(info.owedBytes),
    owedRecords: String(info.owedRecords),
    owedText: String(info.owedText),
    acknowledged: positionToJson(info.acknowledged),
    gaps: info.gaps,
    oldest: info.oldest === undefined ? null : nanoseconds(info.oldest),
    opens: info.opens,
    idleSeconds: info.idleSeconds,
    filter: info.filter ?? null,
    filterFrom: positionToJson(info.filterFrom),
    policy: info.policy,
    full: info.full,
    lost: lossToJson(info.lost),
    expired: lossToJson(info.expired),
    lastError: info.lastError ?? null,
  };
}

function lossToJson(loss: Loss | undefined): Record<string, unknown> | null {
  if (loss === undefined) return null;
  return {
    when: nanoseconds(loss.when),
    why: loss.why,
    firstIndex: String(loss.firstIndex),
    lastIndex: String(loss.lastIndex),
    records: String(loss.records),
    bytes: String(loss.bytes),
  };
}

function positionToJson(position: FeedPosition | undefined): Record<string, unknown> | null {
  if (position === undefined) return null;
  const { epoch, offset, text, index } = position;
  return { epoch, offset: String(offset), text: String(text), index: String(index) };
}
