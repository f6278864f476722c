/** Lines of `stream.ndjson` back to records: the inverse of ndjson.ts. Unknown keys are ignored. */

import { base64ToBytes, parseBytes } from '../../base/byte-string.js';
import { type Fid, parseFid } from '../../base/fid.js';
import { type Timespec, timeFromNanoseconds } from '../../base/time.js';
import type {
  Access,
  Extent,
  FeedRecord,
  LogOffset,
  LostRecord,
  Overwritten,
  RecordAttrs,
  RecordHead,
  RecordIndex,
  SetxattrRecord,
  Transno,
} from '../record.js';
import { RecordError } from '../record-error.js';

export interface ParsedLine {
  readonly record: FeedRecord;
  /** Where the record starts in the log: its position in `stream`, in bytes. */
  readonly offset: LogOffset;
}

type Json = Readonly<Record<string, unknown>>;
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** The record of one line, with or without its newline. Throws RecordError, which names the key. */
export function parseNdjson(line: string): ParsedLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new RecordError('line', 'is not JSON', undefined, { cause });
  }
  const json = asObject(value, 'line');
  return { record: parseRecord(json), offset: u64(json, 'offset') as LogOffset };
}

function parseRecord(json: Json): FeedRecord {
  const head = parseHead(json);
  const { op } = json;
  switch (op) {
    case 'open':
    case 'close':
    case 'denied':
      return { op, ...head, access: parseAccess(json) };
    case 'getxattr':
      return { op, ...head, xattr: { name: xattrName(json) }, access: parseAccess(json) };
    case 'lost':
      return { op, ...head, lost: parseLost(json) };
    default:
      return parseChange(json, head, parseAttrs(json, 'attrs'));
  }
}

function parseChange(json: Json, head: RecordHead, attrs: RecordAttrs): FeedRecord {
  const { op } = json;
  switch (op) {
    case 'create':
    case 'mkdir':
    case 'mknod':
    case 'link':
      return { op, ...head, ...entry(json), attrs };
    case 'symlink':
      return { op, ...head, ...entry(json), attrs, target: bytes(json, 'target') };
    case 'unlink':
    case 'rmdir':
      return { op, ...head, ...entry(json), attrs, last: bool(json, 'last') };
    case 'rename':
      return parseRename(json, head, attrs);
    case 'setattr':
      return { op, ...head, attrs };
    case 'setxattr':
      return { op, ...head, xattr: parseXattr(json), attrs };
    case 'removexattr':
      return { op, ...head, xattr: { name: xattrName(json) }, attrs };
    case 'write':
      return { op, ...head, extents: parseExtents(json), attrs };
    default:
      throw new RecordError('op', `${JSON.stringify(op)} is unknown`);
  }
}

function parseHead(json: Json): RecordHead {
  return {
    index: u64(json, 'index') as RecordIndex,
    transno: u64(json, 'transno') as Transno,
    time: time(json, 'time'),
    fid: fid(json, 'fid'),
    uid: u32(json, 'uid'),
    gid: u32(json, 'gid'),
    pid: u32(json, 'pid'),
    nid: bytes(json, 'nid'),
    jobid: bytes(json, 'jobid'),
  };
}

function entry(json: Json): { readonly parent: Fid; readonly name: string } {
  return { parent: fid(json, 'parent'), name: bytes(json, 'name') };
}

function parseRename(json: Json, head: RecordHead, attrs: RecordAttrs): FeedRecord {
  return {
    op: 'rename',
    ...head,
    ...entry(json),
    newParent: fid(json, 'newParent'),
    newName: bytes(json, 'newName'),
    attrs,
    ...('over' in json ? { over: parseOver(asObject(json.over, 'over')) } : {}),
    ...('exchanged' in json ? { exchanged: fid(json, 'exchanged') } : {}),
  };
}

function parseOver(json: Json): Overwritten {
  return { fid: fid(json, 'fid'), attrs: parseAttrs(json, 'attrs'), last: bool(json, 'last') };
}

function parseXattr(json: Json): SetxattrRecord['xattr'] {
  const xattr = asObject(json.xattr, 'xattr');
  const value = base64ToBytes(xattr.value);
  if (value === undefined) throw new RecordError('xattr.value', 'is not base64');
  return { name: bytes(xattr, 'name'), value: new Uint8Array(value), flags: u32(xattr, 'flags') };
}

function xattrName(json: Json): string {
  return bytes(asObject(json.xattr, 'xattr'), 'name');
}

function parseAccess(json: Json): Access {
  const access = asObject(json.access, 'access');
  return {
    ...('flags' in access ? { flags: u32(access, 'flags') } : {}),
    errno: u32(access, 'errno'),
    repeated: u32(access, 'repeated'),
    directory: bool(access, 'directory'),
  };
}

function parseLost(json: Json): LostRecord['lost'] {
  const lost = asObject(json.lost, 'lost');
  return {
    firstIndex: u64(lost, 'firstIndex') as RecordIndex,
    lastIndex: u64(lost, 'lastIndex') as RecordIndex,
    records: u64(lost, 'records'),
    bytes: u64(lost, 'bytes'),
    reason: bytes(lost, 'reason'),
  };
}

function parseExtents(json: Json): Extent[] {
  const list = json.extents;
  if (!Array.isArray(list)) throw new RecordError('extents', 'is not a list');
  return list.map((item: unknown) => {
    const extent = asObject(item, 'extents');
    return { offset: u64(extent, 'offset'), length: u64(extent, 'length') };
  });
}

function parseAttrs(json: Json, key: string): RecordAttrs {
  const from = asObject(json[key], key);
  const attrs: Mutable<RecordAttrs> = {};
  if ('mode' in from) attrs.mode = mode(from);
  for (const field of ['uid', 'gid', 'nlink', 'rdev'] as const) {
    if (field in from) attrs[field] = u32(from, field);
  }
  if ('size' in from) attrs.size = u64(from, 'size');
  for (const field of ['atime', 'mtime', 'ctime'] as const) {
    if (field in from) attrs[field] = time(from, field);
  }
  return attrs;
}

function asObject(value: unknown, key: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new RecordError(key, 'is not an object');
  }
  return value as Json;
}

function bytes(json: Json, key: string): string {
  const value = parseBytes(json[key]);
  if (value === undefined) throw new RecordError(key, 'is neither text nor {"base64":…}');
  return value;
}

function bool(json: Json, key: string): boolean {
  const value = json[key];
  if (typeof value !== 'boolean') throw new RecordError(key, 'is not true or false');
  return value;
}

function u32(json: Json, key: string): number {
  const value = json[key];
  if (typeof value !== 'number' || value >>> 0 !== value) {
    throw new RecordError(key, 'is not a number of 32 bits');
  }
  return value;
}

const DECIMAL = /^(?:0|[1-9][0-9]{0,15})$/;

function u64(json: Json, key: string): number {
  const value = json[key];
  const number = typeof value === 'string' && DECIMAL.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) {
    throw new RecordError(key, 'is not a decimal string below 2^53');
  }
  return number;
}

const NANOSECONDS = /^(?:0|-?[1-9][0-9]{0,24})$/;

function time(json: Json, key: string): Timespec {
  const value = json[key];
  if (typeof value !== 'string' || !NANOSECONDS.test(value)) {
    throw new RecordError(key, 'is not nanoseconds as a decimal string');
  }
  const result = timeFromNanoseconds(value);
  if (!Number.isSafeInteger(result.sec)) throw new RecordError(key, 'is out of range');
  return result;
}

const OCTAL = /^0[0-7]{1,11}$/;

function mode(json: Json): number {
  const value = json.mode;
  const bits =
    typeof value === 'string' && OCTAL.test(value) ? Number.parseInt(value, 8) : Number.NaN;
  if (bits >>> 0 !== bits) throw new RecordError('attrs.mode', 'is not an octal string of 32 bits');
  return bits;
}

function fid(json: Json, key: string): Fid {
  const value = json[key];
  const result = typeof value === 'string' ? parseFid(value) : undefined;
  if (result === undefined) throw new RecordError(key, 'is not a FID');
  return result;
}
