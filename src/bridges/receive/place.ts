/** Places in a log, compared: a stream and a copy that disagree are not of one source. */
import type { LogPlace } from '../../rpc/baseline.js';

/** Two places that cannot both be of one log. */
export class PlaceContradiction extends Error {
  override readonly name = 'PlaceContradiction';
}

/**
 * Negative: the stream's place comes before the copy's; 0: the same record comes next.
 * Indices go on over all epochs and tell the order. A copy that was left in the middle of a
 * batch knows the index exactly and an offset at or before the true one; so a later record
 * at an earlier offset cannot be of the same log.
 */
export function comparePlaces(stream: LogPlace, copy: LogPlace): number {
  const order = Math.sign(stream.index - copy.index);
  const isEarlier =
    stream.epoch === copy.epoch ? stream.offset < copy.offset : stream.epoch < copy.epoch;
  // The end of an epoch is the start of the next one: the same record comes next.
  const mayDiffer = order === 0 && stream.epoch !== copy.epoch;
  if (order >= 0 && isEarlier && !mayDiffer) {
    throw new PlaceContradiction(`${describePlace(stream)} and ${describePlace(copy)}`);
  }
  return order;
}

export function isSamePlace(a: LogPlace, b: LogPlace): boolean {
  return a.epoch === b.epoch && a.offset === b.offset && a.index === b.index;
}

/** `record 12 at byte 3456`, for people. */
export function describePlace({ epoch, offset, index }: LogPlace): string {
  const where = epoch === 0 ? '' : ` of epoch ${epoch}`;
  return `record ${index} at byte ${offset}${where}`;
}
