/** Values as people read them. */
import { hexEscape, printableText } from '../base/printable.js';
import type { FeedRecord, Name, Time } from '../consumer/types.js';

const BINARY_UNITS = ['B', 'K', 'M', 'G', 'T', 'P'];

/** `812B`, `4.0K`, `117M`: powers of 1024, as ls -h. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < BINARY_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && value < 10 ? 1 : 0;
  return `${value.toFixed(digits)}${BINARY_UNITS[unit]}`;
}

const AGE_UNITS: readonly (readonly [number, string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
];

/** `42s`, `7m`, `3h`, `12d`: whole units, rounded down; nothing is older than the clock. */
export function formatAge(seconds: number): string {
  const age = Math.max(0, Math.floor(seconds));
  for (const [size, unit] of AGE_UNITS) if (age >= size) return `${Math.floor(age / size)}${unit}`;
  return `${age}s`;
}

/** Microseconds as `12us`, `3.4ms`, `1.2s`. */
export function formatDuration(us: number): string {
  if (us < 1_000) return `${Math.round(us)}us`;
  return us < 1_000_000 ? `${(us / 1_000).toFixed(1)}ms` : `${(us / 1_000_000).toFixed(1)}s`;
}

/** Local time with milliseconds: `2026-01-31 12:00:00.123`. */
export function formatTime({ sec, nsec }: Time): string {
  const date = new Date(sec * 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${formatClock({ sec, nsec })}`;
}

/** The time of day alone: `12:00:00.123`. */
export function formatClock({ sec, nsec }: Time): string {
  const date = new Date(sec * 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${clock}.${String(Math.floor(nsec / 1_000_000)).padStart(3, '0')}`;
}

const PRINTABLE_LOW = 0x20;
const DELETE = 0x7f;

/**
 * A name on one line and harmless to a terminal: control characters, backslashes
 * and bytes that are not UTF-8 as `\xNN`, others as they are.
 */
export function formatName(name: Name): string {
  if (typeof name !== 'string') {
    return Array.from(name, (byte) =>
      byte < PRINTABLE_LOW || byte >= DELETE || byte === 0x5c
        ? hexEscape(byte)
        : String.fromCharCode(byte),
    ).join('');
  }
  return printableText(name);
}

export function formatMode(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

const OP_COLUMNS = 11;
const INDEX_COLUMNS = 7;

/** One record on one line: index, time of day, operation, what it did. */
export function formatRecord(record: FeedRecord): string {
  const op = record.op === 'unknown' ? record.opText : record.op;
  const index = String(record.index).padStart(INDEX_COLUMNS);
  return `${index} ${formatClock(record.time)} ${op.padEnd(OP_COLUMNS)} ${subject(record)}`;
}

function subject(record: FeedRecord): string {
  switch (record.op) {
    case 'create':
    case 'mkdir':
    case 'mknod':
    case 'link':
    case 'rmdir':
      return `${formatName(record.name)}  ${record.fid} in ${record.parent}`;
    case 'symlink':
      return `${formatName(record.name)} -> ${formatName(record.target)}  ${record.fid} in ${record.parent}`;
    case 'unlink': {
      const left = record.last ? '' : ' (other links remain)';
      return `${formatName(record.name)}${left}  ${record.fid} in ${record.parent}`;
    }
    case 'rename': {
      const where =
        record.newParent === record.parent
          ? `in ${record.parent}`
          : `from ${record.parent} to ${record.newParent}`;
      return `${formatName(record.name)} -> ${formatName(record.newName)}  ${record.fid} ${where}`;
    }
    case 'setattr':
      return `${attributes(record)}  ${record.fid}`;
    case 'setxattr':
      return `${formatName(record.xattr.name)} (${record.xattr.value.length} bytes)  ${record.fid}`;
    case 'removexattr':
      return `${formatName(record.xattr.name)}  ${record.fid}`;
    case 'write': {
      const bytes = record.extents.reduce((sum, { length }) => sum + length, 0);
      return `${formatBytes(bytes)} at ${record.extents[0]?.offset ?? 0}  ${record.fid}`;
    }
    case 'open':
    case 'close':
    case 'denied':
      return accessed(record);
    case 'getxattr':
      return `${formatName(record.xattr.name)}  ${accessed(record)}`;
    case 'lost': {
      const { records, firstIndex, lastIndex, reason } = record.lost;
      return `${records} of records ${firstIndex} to ${lastIndex}: ${formatName(reason)}`;
    }
    case 'unknown':
      return record.fid;
  }
}

/** How an object was accessed, by whom, and how often. */
function accessed({ access, uid, pid, fid }: Extract<FeedRecord, { access: unknown }>): string {
  const { flags, errno, repeated, directory } = access;
  const parts = [`${directory ? 'directory ' : ''}${fid} by uid ${uid} pid ${pid}`];
  if (flags !== undefined) parts.push(`flags 0x${flags.toString(16)}`);
  if (errno !== 0) parts.push(`errno ${errno}`);
  if (repeated > 0) parts.push(`${repeated} times`);
  return parts.join(', ');
}

/** What a setattr set; its ctime goes without saying. */
function attributes({ attrs }: FeedRecord): string {
  const parts: string[] = [];
  if (attrs.mode !== undefined) parts.push(`mode ${formatMode(attrs.mode)}`);
  if (attrs.uid !== undefined) parts.push(`uid ${attrs.uid}`);
  if (attrs.gid !== undefined) parts.push(`gid ${attrs.gid}`);
  if (attrs.size !== undefined) parts.push(`size ${attrs.size}`);
  if (attrs.atime !== undefined) parts.push(`atime ${formatTime(attrs.atime)}`);
  if (attrs.mtime !== undefined) parts.push(`mtime ${formatTime(attrs.mtime)}`);
  return parts.join(', ');
}
