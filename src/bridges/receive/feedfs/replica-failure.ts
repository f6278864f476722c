/** What a copy says when it cannot make a change, as what a person reads. */
import { Errno } from '../../../base/errno.js';
import { type Fid, formatFid } from '../../../base/fid.js';
import type { ReplicaItem } from '../../../rpc/replica-message.js';
import { HandsError } from '../directory/hands-error.js';
import { BASELINE_REUSES } from '../open-commit.js';
import { StreamRefused } from '../refusal.js';

export interface ItemFailure {
  /** Name of the errno. */
  readonly errno: string;
  /** Which of the message's items. */
  readonly item: number;
  readonly reason: string;
}

/** From the line that the file gives after a write that failed; undefined if that is none. */
export function failedItem(line: string): ItemFailure | undefined {
  try {
    const { errno, item, reason } = JSON.parse(line) as Record<string, unknown>;
    if (typeof errno !== 'string' || typeof reason !== 'string') return undefined;
    return { errno, reason, item: typeof item === 'number' ? item : -1 };
  } catch {
    return undefined;
  }
}

/** What is there is not what the change expects: copy and stream do not belong together. */
const MISFITS: ReadonlySet<string> = new Set([
  'ESTALE',
  'ENOENT',
  'EEXIST',
  'ENOTEMPTY',
  'ENOTDIR',
  'EISDIR',
  'EINVAL',
]);

export function itemFailure(mount: string, item: ReplicaItem, failure: ItemFailure): Error {
  const { errno, reason } = failure;
  if (item.do === 'begin') return beginFailure(mount, failure);
  const what = describe(item);
  if (MISFITS.has(errno)) {
    return new StreamRefused(`${what} does not fit the copy: ${reason} (${errno})`, {
      wayOut: BASELINE_REUSES,
    });
  }
  const number = Errno[errno as keyof typeof Errno] ?? Errno.EIO;
  return new HandsError('target', number, '', `${mount}: ${what}: ${reason} (${errno})`);
}

function beginFailure(mount: string, { errno, reason }: ItemFailure): Error {
  if (errno === 'ENOTEMPTY') return notEmpty(mount);
  if (errno === 'EPERM') {
    return new StreamRefused(`${mount} cannot become a copy of that filesystem: ${reason}`, {
      wayOut: 'receive into another feedfs, or into a directory of this one',
    });
  }
  return messageFailure(mount, `${reason} (${errno})`);
}

/** Also one that was a copy and was promoted. */
export function notEmpty(mount: string): StreamRefused {
  return new StreamRefused(`${mount} is not empty, and no copy (or no longer one)`, {
    wayOut: 'receive into a feedfs in which nothing was made yet, or into a directory',
  });
}

export function messageFailure(mount: string, reason: string, cause?: unknown): HandsError {
  const error = new HandsError('target', Errno.EIO, '', `${mount} takes no changes: ${reason}`);
  error.cause = cause;
  return error;
}

function describe(item: ReplicaItem): string {
  const fid = fidOf(item);
  const about = fid === undefined ? '' : ` of ${formatFid(fid)}`;
  const op = item.do === 'change' ? item.change.op : item.do;
  const next = nextIndex(item);
  const record = next === undefined ? '' : ` (record ${next - 1})`;
  return `${op}${about}${record}`;
}

function nextIndex(item: ReplicaItem): number | undefined {
  if (item.do === 'place') return item.place.index;
  if (item.do !== 'change' && item.do !== 'write') return undefined;
  return item.do === 'change' ? item.verbatim.applied : item.applied;
}

function fidOf(item: ReplicaItem): Fid | undefined {
  if (item.do === 'change') return item.verbatim.fid;
  return 'fid' in item ? item.fid : undefined;
}
