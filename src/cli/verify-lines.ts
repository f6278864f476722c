/** What verify found, as people read it and as JSON. */
import { nameToBytes, nameToText } from '../base/name.js';
import { timeFromNanoseconds } from '../base/time.js';
import type { Difference, Finding, Property, Trouble, Value } from '../bridges/verify/finding.js';
import type { Name } from '../consumer/types.js';
import { formatMode, formatName, formatTime } from './format.js';
import { VALUE_BYTES_SHOWN_MAX } from './limits.js';

/** A path or name as text, or its bytes where they are none. */
export function nameOf(binary: string): Name {
  return nameToText(binary) ?? nameToBytes(binary);
}

/** As in the lines of a feed: a string, or `{"base64": …}`. */
export function jsonName(binary: string): unknown {
  return nameToText(binary) ?? { base64: nameToBytes(binary).toString('base64') };
}

/** `sub/file: mode 0644 / 0600`, without control characters. */
export function formatDifference(difference: Difference): string {
  return `${formatName(nameOf(difference.path))}: ${formatValues(difference)}`;
}

export function formatTrouble({ path, side, message }: Trouble, roots: Roots): string {
  const where = side === undefined ? '' : `in ${formatName(roots[side])} `;
  return `${formatName(nameOf(path))}: ${where}${message}`;
}

export interface Roots {
  readonly a: string;
  readonly b: string;
}

function formatValues({ property, xattr = '', offset, a, b }: Difference): string {
  switch (property) {
    case 'name':
      return a === undefined ? `only in B (${b})` : `only in A (${a})`;
    case 'contents':
      return `contents differ from byte ${offset} on`;
    case 'link':
      return `${formatLink(a)} / ${formatLink(b)}`;
    case 'xattr':
      return `xattr ${formatName(nameOf(xattr))} ${formatXattrs(bytesOf(a), bytesOf(b))}`;
    case 'rdev':
      return `device ${formatDevice(a)} / ${formatDevice(b)}`;
    case 'mode':
      return `mode ${formatMode(Number(a))} / ${formatMode(Number(b))}`;
    case 'mtime':
      return `mtime ${formatNanoseconds(a)} / ${formatNanoseconds(b)}`;
    case 'target':
      return `target ${formatName(nameOf(`${a}`))} / ${formatName(nameOf(`${b}`))}`;
    default:
      return `${property} ${a} / ${b}`;
  }
}

function formatLink(path: Value): string {
  return typeof path === 'string'
    ? `hard link to ${formatName(nameOf(path))}`
    : 'no link to a name before';
}

function bytesOf(value: Value): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined;
}

function formatXattrs(a: Uint8Array | undefined, b: Uint8Array | undefined): string {
  if (a === undefined || b === undefined || Math.max(a.length, b.length) <= VALUE_BYTES_SHOWN_MAX) {
    return `${formatXattr(a)} / ${formatXattr(b)}`;
  }
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  return `${a.length} / ${b.length} bytes, from byte ${same} on`;
}

function formatXattr(value: Uint8Array | undefined): string {
  if (value === undefined) return 'none';
  if (value.length > VALUE_BYTES_SHOWN_MAX) return `(${value.length} bytes)`;
  return `"${formatName(value)}"`;
}

/** `8:1`: major and minor number, as makedev(3) packs them. */
function formatDevice(value: Value): string {
  const device = BigInt(`${value}`);
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn & 0xffff_ffffn);
  return `${major}:${minor}`;
}

/** Local time with all nine digits: milliseconds would hide what differs. */
function formatNanoseconds(value: Value): string {
  const time = timeFromNanoseconds(`${value}`);
  return `${formatTime(time).slice(0, -3)}${String(time.nsec).padStart(9, '0')}`;
}

export function findingToJson(finding: Finding): Record<string, unknown> {
  const path = jsonName(finding.path);
  if (finding.kind === 'mount') return { event: 'mount', path, side: finding.side };
  if (finding.kind === 'trouble') {
    return { event: 'error', path, side: finding.side ?? null, message: finding.message };
  }
  const { property, xattr, offset, a, b } = finding;
  return {
    event: 'difference',
    path,
    property,
    ...(xattr === undefined ? {} : { xattr: jsonName(xattr) }),
    ...(offset === undefined
      ? { a: jsonValue(property, a), b: jsonValue(property, b) }
      : { offset: `${offset}` }),
  };
}

function jsonValue(property: Property, value: Value): unknown {
  if (value === undefined) return null;
  if (typeof value === 'string') return jsonName(value);
  if (property === 'mode') return formatMode(Number(value));
  if (typeof value === 'bigint') return `${value}`;
  return { base64: Buffer.from(value).toString('base64') };
}
