/**
 * Records as text: one JSON object per line. The text is a pure function of
 * the record and its log offset, because its length fixes the offsets of
 * everything after it for ever. 64-bit quantities are decimal strings, so that
 * no JSON parser rounds them. The schema is in ../FORMAT.md.
 *
 * Rendered by hand instead of by JSON.stringify: the length is computed for
 * every record when it is logged. The order of the keys is part of the format.
 */
import { unreachable } from '../../base/assert.js';
import { formatFid } from '../../base/fid.js';
import { type Timespec, timeToNanoseconds } from '../../base/time.js';
import type { Extent, FeedRecord, LogOffset, RecordAttrs } from '../record.js';
import { bytesToBase64, renderBytes } from './byte-string.js';

export { type ParsedLine, parseNdjson } from './ndjson-parse.js';

/** The record's line, its newline included. */
export function renderNdjson(record: FeedRecord, offset: LogOffset): string {
  const { time } = record;
  const now = timeToNanoseconds(time);
  const attrs = renderAttrs(record.attrs, time, now);
  const parent = 'parent' in record ? renderEntry(record.parent, record.name) : '';
  return (
    `{"index":"${record.index}","offset":"${offset}","transno":"${record.transno}"` +
    `,"time":"${now}","op":"${record.op}","fid":"${formatFid(record.fid)}"${parent}` +
    renderBody(record, attrs) +
    `,"uid":${record.uid},"gid":${record.gid},"pid":${record.pid}` +
    `,"nid":${renderBytes(record.nid)},"jobid":${renderBytes(record.jobid)}` +
    `${renderRest(record, now)}}\n`
  );
}

/** Bytes of a rendered line as UTF-8. */
export function ndjsonBytes(line: string): number {
  return Buffer.byteLength(line, 'utf8');
}

function renderEntry(parent: FeedRecord['fid'], name: string): string {
  return `,"parent":"${formatFid(parent)}","name":${renderBytes(name)}`;
}

/** From newParent to target: what differs from operation to operation. */
function renderBody(record: FeedRecord, attrs: string): string {
  switch (record.op) {
    case 'create':
    case 'mkdir':
    case 'mknod':
    case 'link':
    case 'unlink':
    case 'rmdir':
    case 'setattr':
      return `,"attrs":${attrs}`;
    case 'symlink':
      return `,"attrs":${attrs},"target":${renderBytes(record.target)}`;
    case 'rename':
      return (
        `,"newParent":"${formatFid(record.newParent)}"` +
        `,"newName":${renderBytes(record.newName)},"attrs":${attrs}`
      );
    case 'setxattr': {
      const { name, value, flags } = record.xattr;
      return (
        `,"attrs":${attrs},"xattr":{"name":${renderBytes(name)}` +
        `,"value":"${bytesToBase64(value)}","flags":${flags}}`
      );
    }
    case 'removexattr':
      return `,"attrs":${attrs},"xattr":{"name":${renderBytes(record.xattr.name)}}`;
    case 'write':
      return `,"attrs":${attrs},"extents":[${record.extents.map(renderExtent).join(',')}]`;
    default:
      return unreachable(record);
  }
}

/** What follows the author: how much of the object is left, and what a rename replaced. */
function renderRest(record: FeedRecord, now: string): string {
  if (record.op === 'unlink' || record.op === 'rmdir') return `,"last":${record.last}`;
  if (record.op !== 'rename') return '';
  const { over, exchanged, time } = record;
  let text = '';
  if (over !== undefined) {
    const attrs = renderAttrs(over.attrs, time, now);
    text += `,"over":{"fid":"${formatFid(over.fid)}","attrs":${attrs},"last":${over.last}}`;
  }
  if (exchanged !== undefined) text += `,"exchanged":"${formatFid(exchanged)}"`;
  return text;
}

function renderExtent({ offset, length }: Extent): string {
  return `{"offset":"${offset}","length":"${length}"}`;
}

function renderAttrs(attrs: RecordAttrs, time: Timespec, now: string): string {
  const { mode, uid, gid, size, nlink, rdev, atime, mtime, ctime } = attrs;
  let text = '';
  if (mode !== undefined) text += `,"mode":"0${mode.toString(8)}"`;
  if (uid !== undefined) text += `,"uid":${uid}`;
  if (gid !== undefined) text += `,"gid":${gid}`;
  if (size !== undefined) text += `,"size":"${size}"`;
  if (nlink !== undefined) text += `,"nlink":${nlink}`;
  if (rdev !== undefined) text += `,"rdev":${rdev}`;
  if (atime !== undefined) text += `,"atime":"${renderTime(atime, time, now)}"`;
  if (mtime !== undefined) text += `,"mtime":"${renderTime(mtime, time, now)}"`;
  if (ctime !== undefined) text += `,"ctime":"${renderTime(ctime, time, now)}"`;
  return text === '' ? '{}' : `{${text.slice(1)}}`;
}

/** Most times of a record are the record's own, whose text is at hand. */
function renderTime(time: Timespec, now: Timespec, nowText: string): string {
  const same = time === now || (time.sec === now.sec && time.nsec === now.nsec);
  return same ? nowText : timeToNanoseconds(time);
}
