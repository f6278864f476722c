/**
 * Records as text: one JSON object per line. The text is a pure function of
 * the record and its log offset, because its length fixes the offsets of
 * everything after it for ever. 64-bit quantities are decimal strings, so that
 * no JSON parser rounds them. The schema is in ../FORMAT.md.
 *
 * One walk over a record serves two takers: a line's text is wanted when somebody
 * reads it, its length at once. The order of the keys is part of the format.
 */
import { unreachable } from '../../base/assert.js';
import type { Fid } from '../../base/fid.js';
import type { Timespec } from '../../base/time.js';
import type {
  Access,
  FeedRecord,
  LogOffset,
  LostRecord,
  RecordAttrs,
  RecordBody,
  RecordHead,
} from '../record.js';
import { LineLength, type LineTaker, LineText } from './line.js';

export { type ParsedLine, parseNdjson } from './ndjson-parse.js';

const length = new LineLength();

/** The record's line, its newline included. */
export function renderNdjson(record: FeedRecord, offset: LogOffset): string {
  const line = new LineText();
  writeLine(line, record, record, offset);
  return line.text;
}

/** Bytes of the line of a record, as UTF-8, without rendering it. */
export function ndjsonLength(head: RecordHead, body: RecordBody, offset: LogOffset): number {
  length.reset();
  writeLine(length, head, body, offset);
  return length.bytes;
}

/** Bytes of a rendered line as UTF-8. */
export function ndjsonBytes(line: string): number {
  return Buffer.byteLength(line, 'utf8');
}

function writeLine(out: LineTaker, head: RecordHead, body: RecordBody, offset: LogOffset): void {
  out.number('{"index":"', head.index);
  out.number('","offset":"', offset);
  out.number('","transno":"', head.transno);
  out.time('","time":"', head.time);
  out.literal('","op":"');
  out.literal(body.op);
  out.fid('","fid":"', head.fid);
  if ('parent' in body) writeEntry(out, body.parent, body.name);
  else out.literal('"');
  writeBody(out, body, head.time);
  out.number(',"uid":', head.uid);
  out.number(',"gid":', head.gid);
  out.number(',"pid":', head.pid);
  out.string(',"nid":', head.nid);
  out.string(',"jobid":', head.jobid);
  writeRest(out, body, head.time);
  out.literal('}\n');
}

function writeEntry(out: LineTaker, parent: Fid, name: string): void {
  out.fid('","parent":"', parent);
  out.string('","name":', name);
}

/** From newParent to target: what differs from operation to operation. */
function writeBody(out: LineTaker, body: RecordBody, time: Timespec): void {
  switch (body.op) {
    case 'create':
    case 'mkdir':
    case 'mknod':
    case 'link':
    case 'unlink':
    case 'rmdir':
    case 'setattr':
      return writeAttrs(out, body.attrs, time);
    case 'symlink':
      writeAttrs(out, body.attrs, time);
      return out.string(',"target":', body.target);
    case 'rename':
      out.fid(',"newParent":"', body.newParent);
      out.string('","newName":', body.newName);
      return writeAttrs(out, body.attrs, time);
    case 'setxattr':
      writeAttrs(out, body.attrs, time);
      out.string(',"xattr":{"name":', body.xattr.name);
      out.base64(',"value":"', body.xattr.value);
      out.number('","flags":', body.xattr.flags);
      return out.literal('}');
    case 'removexattr':
      writeAttrs(out, body.attrs, time);
      out.string(',"xattr":{"name":', body.xattr.name);
      return out.literal('}');
    case 'write':
      writeAttrs(out, body.attrs, time);
      return writeExtents(out, body.extents);
    case 'open':
    case 'close':
    case 'denied':
      return writeAccess(out, body.access);
    case 'getxattr':
      out.string(',"xattr":{"name":', body.xattr.name);
      out.literal('}');
      return writeAccess(out, body.access);
    case 'lost':
      return writeLost(out, body.lost);
    default:
      return unreachable(body);
  }
}

/** What follows the author: how much of the object is left, and what a rename replaced. */
function writeRest(out: LineTaker, body: RecordBody, time: Timespec): void {
  if (body.op === 'unlink' || body.op === 'rmdir') {
    out.literal(body.last ? ',"last":true' : ',"last":false');
  }
  if (body.op !== 'rename') return;
  const { over, exchanged } = body;
  if (over !== undefined) {
    out.fid(',"over":{"fid":"', over.fid);
    out.literal('"');
    writeAttrs(out, over.attrs, time);
    out.literal(over.last ? ',"last":true}' : ',"last":false}');
  }
  if (exchanged !== undefined) {
    out.fid(',"exchanged":"', exchanged);
    out.literal('"');
  }
}

function writeExtents(
  out: LineTaker,
  extents: Extract<RecordBody, { op: 'write' }>['extents'],
): void {
  out.literal(',"extents":[');
  let before = '{"offset":"';
  for (const extent of extents) {
    out.number(before, extent.offset);
    out.number('","length":"', extent.length);
    before = '"},{"offset":"';
  }
  out.literal(extents.length === 0 ? ']' : '"}]');
}

function writeAccess(out: LineTaker, { flags, errno, repeated, directory }: Access): void {
  out.literal(',"access":{');
  if (flags !== undefined) {
    out.number('"flags":', flags);
    out.literal(',');
  }
  out.number('"errno":', errno);
  out.number(',"repeated":', repeated);
  out.literal(directory ? ',"directory":true}' : ',"directory":false}');
}

function writeLost(out: LineTaker, lost: LostRecord['lost']): void {
  out.number(',"lost":{"firstIndex":"', lost.firstIndex);
  out.number('","lastIndex":"', lost.lastIndex);
  out.number('","records":"', lost.records);
  out.number('","bytes":"', lost.bytes);
  out.string('","reason":', lost.reason);
  out.literal('}');
}

function writeAttrs(out: LineTaker, attrs: RecordAttrs, now: Timespec): void {
  const { mode, uid, gid, size, nlink, rdev, atime, mtime, ctime } = attrs;
  let before = OPEN_ATTRS;
  if (mode !== undefined) before = writeMode(out, before, mode);
  if (uid !== undefined) before = writeNumber(out, before, '"uid":', uid, '');
  if (gid !== undefined) before = writeNumber(out, before, '"gid":', gid, '');
  if (size !== undefined) before = writeNumber(out, before, '"size":"', size, '"');
  if (nlink !== undefined) before = writeNumber(out, before, '"nlink":', nlink, '');
  if (rdev !== undefined) before = writeNumber(out, before, '"rdev":', rdev, '');
  if (atime !== undefined) before = writeTime(out, before, '"atime":"', atime, now);
  if (mtime !== undefined) before = writeTime(out, before, '"mtime":"', mtime, now);
  if (ctime !== undefined) before = writeTime(out, before, '"ctime":"', ctime, now);
  out.literal(before === OPEN_ATTRS ? ',"attrs":{}' : '}');
}

/** Each attribute writes what stands before it, and returns what stands before the next. */
const OPEN_ATTRS = ',"attrs":{';

function writeMode(out: LineTaker, before: string, mode: number): string {
  out.literal(before);
  out.octal('"mode":"0', mode);
  out.literal('"');
  return ',';
}

function writeNumber(
  out: LineTaker,
  before: string,
  key: string,
  value: number,
  after: string,
): string {
  out.literal(before);
  out.number(key, value);
  out.literal(after);
  return ',';
}

/** Most times of a record are the record's own. */
function writeTime(
  out: LineTaker,
  before: string,
  key: string,
  time: Timespec,
  now: Timespec,
): string {
  out.literal(before);
  out.time(key, time.sec === now.sec && time.nsec === now.nsec ? now : time);
  out.literal('"');
  return ',';
}
