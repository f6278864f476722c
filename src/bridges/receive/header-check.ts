/** Whether a stream fits a copy, and what to do where it does not. */
import { printableText } from '../../base/printable.js';
import type { StreamHeader } from '../stream/frame.js';
import { BASELINE_REUSES } from './open-commit.js';
import { comparePlaces, describePlace } from './place.js';
import { describeStreamPlace, StreamRefused } from './refusal.js';
import { appliedPlace, type CopyProgress } from './target.js';

/** Throws StreamRefused unless the copy can take that stream, from its beginning. */
export function checkHeader(header: StreamHeader, progress: CopyProgress | undefined): void {
  if (progress !== undefined && progress.filesystem !== header.filesystem) {
    throw new StreamRefused(
      `the stream is of filesystem ${header.filesystem}, and the target is a copy of ${progress.filesystem}`,
      { wayOut: 'receive it into another directory', tellsCopy: true },
    );
  }
  if (header.from === undefined) return;
  if (progress === undefined) {
    throw new StreamRefused('the stream begins with changes, and the target has no baseline yet', {
      wayOut: 'send one first (feedfs send FEED)',
      tellsCopy: true,
    });
  }
  if (progress.baseline === 'running') {
    throw new StreamRefused(
      'the stream begins with changes, and the baseline at the target is not complete',
      { wayOut: BASELINE_REUSES, tellsCopy: true },
    );
  }
  if (progress.feed !== header.feed.id) {
    throw new StreamRefused(
      `the stream is of feed ${printableText(header.feed.name)} (id ${header.feed.id}), and the copy follows the feed with id ${progress.feed}`,
      { wayOut: BASELINE_REUSES, tellsCopy: true },
    );
  }
  checkBeginning(header.from, progress);
}

function checkBeginning(from: NonNullable<StreamHeader['from']>, progress: CopyProgress): void {
  const place = appliedPlace(progress);
  let order: number;
  try {
    order = comparePlaces(from, place);
  } catch {
    throw new StreamRefused(
      `the stream is of another history of that filesystem: it begins at ${describePlace(from)}, and the copy ends at ${describePlace(place)}`,
      { wayOut: BASELINE_REUSES, tellsCopy: true },
    );
  }
  if (order <= 0) return;
  throw new StreamRefused(
    `records ${place.index} to ${from.index - 1} are missing: the stream begins at record ${from.index}, and the copy ends before record ${place.index}`,
    {
      wayOut: `${BASELINE_REUSES}; or, if the stream before this one was kept in a file, receive that first`,
      tellsCopy: true,
    },
  );
}

/** The same refusal, with the place in the stream, where the copy is, and what to do. */
export function finalRefusal(
  refusal: StreamRefused,
  header: StreamHeader | undefined,
  progress: CopyProgress | undefined,
): StreamRefused {
  const { at, wayOut } = refusal;
  const place = at === undefined ? '' : `, at ${describeStreamPlace(at)} of the stream`;
  const way = wayOut ?? (header === undefined ? undefined : goOn(progress));
  const parts = [
    `${refusal.message}${place}`,
    refusal.tellsCopy ? undefined : copyStands(header, progress),
    way,
  ];
  const message = parts.filter((part) => part !== undefined).join('; ');
  return new StreamRefused(message, { at, wayOut: way, cause: refusal.cause });
}

function copyStands(
  header: StreamHeader | undefined,
  progress: CopyProgress | undefined,
): string | undefined {
  if (progress === undefined) return 'nothing was received';
  if (progress.baseline === 'running') return 'the baseline at the target is not complete';
  const isOther = header === undefined || progress.filesystem !== header.filesystem;
  return isOther
    ? 'the copy is as it was'
    : `the copy has everything before record ${appliedPlace(progress).index}`;
}

/** The stream was good up to some place. */
function goOn(progress: CopyProgress | undefined): string {
  if (progress === undefined || progress.baseline === 'running') {
    return 'send the baseline again (feedfs send FEED): what is there is reused';
  }
  return 'go on with: feedfs send FEED --from last';
}
