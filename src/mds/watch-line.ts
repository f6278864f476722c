/**
 * The line of an ordinary user's watch. It has the keys of `stream.ndjson`
 * (feed/FORMAT.md), less what may tell of others; only what is written out here is shown.
 *
 * | key                                  | in a user's line                                      |
 * |--------------------------------------|-------------------------------------------------------|
 * | `index`, `offset`                    | counted by this watch alone, from 1 and from 0        |
 * | `transno`                            | never                                                 |
 * | `uid`, `gid`, `pid`, `nid`, `jobid`  | only of the user's own changes                        |
 * | `attrs`                              | not of what lost a name; `uid` if it is the user,     |
 * |                                      | `gid` if it is a group of the user                    |
 * | `last`                               | never: it tells of names elsewhere                    |
 * | `over`                               | its FID                                               |
 * | `xattr`                              | its name                                              |
 * | `extents`                            | absent where the user may not read the file           |
 * | `lost`                               | never: `"op":"lost"` is all that is told of a loss    |
 */

import { renderBytes } from '../base/byte-string.js';
import { type Fid, formatFid } from '../base/fid.js';
import { type Identity, isMember } from '../base/permission.js';
import { type Timespec, timeToNanoseconds } from '../base/time.js';
import type { Extent, RecordAttrs, RecordHead } from '../feed/record.js';
import type { Part } from './watch-redaction.js';

/** Where a line stands among those of its watch. */
export interface LinePlace {
  readonly index: number;
  /** Bytes of text before it. */
  readonly offset: number;
}

type Head = Pick<RecordHead, 'time' | 'uid' | 'gid' | 'pid' | 'nid' | 'jobid'>;

export function userLine(at: LinePlace, who: Identity, head: Head, part: Part): string {
  const { body } = part;
  const members = [...startOf(at, head.time, body.op), `"fid":${fidText(part.fid)}`];
  if ('parent' in body) members.push(...entryMembers('parent', 'name', body.parent, body.name));
  if (body.op === 'rename') {
    members.push(...entryMembers('newParent', 'newName', body.newParent, body.newName));
  }
  if ('attrs' in body && body.op !== 'unlink' && body.op !== 'rmdir') {
    members.push(`"attrs":{${attrMembers(body.attrs, who).join(',')}}`);
  }
  if (body.op === 'symlink') members.push(`"target":${renderBytes(body.target)}`);
  if ('xattr' in body) members.push(`"xattr":{"name":${renderBytes(body.xattr.name)}}`);
  if (body.op === 'write' && body.extents.length > 0) members.push(extentsMember(body.extents));
  if (head.uid === who.uid) members.push(...authorMembers(head));
  if (body.op === 'rename') {
    if (body.over !== undefined) members.push(`"over":{"fid":${fidText(body.over.fid)}}`);
    if (body.exchanged !== undefined) members.push(`"exchanged":${fidText(body.exchanged)}`);
  }
  return lineOf(members);
}

/** Records were lost, nobody says how many. */
export function userLossLine(at: LinePlace, time: Timespec): string {
  return lineOf(startOf(at, time, 'lost'));
}

function lineOf(members: readonly string[]): string {
  return `{${members.join(',')}}\n`;
}

function startOf({ index, offset }: LinePlace, time: Timespec, op: string): string[] {
  return [`"index":"${index}"`, `"offset":"${offset}"`, `"time":${timeText(time)}`, `"op":"${op}"`];
}

function entryMembers(parentKey: string, nameKey: string, parent: Fid, name: string): string[] {
  return [`"${parentKey}":${fidText(parent)}`, `"${nameKey}":${renderBytes(name)}`];
}

/** All of it can be had by stat(2), but whose it is. */
function attrMembers(attrs: RecordAttrs, who: Identity): string[] {
  const { mode, uid, gid, size, nlink, rdev, atime, mtime, ctime } = attrs;
  const members: string[] = [];
  if (mode !== undefined) members.push(`"mode":"0${mode.toString(8)}"`);
  if (uid !== undefined && uid === who.uid) members.push(`"uid":${uid}`);
  if (gid !== undefined && isMember(who, gid)) members.push(`"gid":${gid}`);
  if (size !== undefined) members.push(`"size":"${size}"`);
  if (nlink !== undefined) members.push(`"nlink":${nlink}`);
  if (rdev !== undefined) members.push(`"rdev":${rdev}`);
  if (atime !== undefined) members.push(`"atime":${timeText(atime)}`);
  if (mtime !== undefined) members.push(`"mtime":${timeText(mtime)}`);
  if (ctime !== undefined) members.push(`"ctime":${timeText(ctime)}`);
  return members;
}

function extentsMember(extents: readonly Extent[]): string {
  const items = extents.map(({ offset, length }) => `{"offset":"${offset}","length":"${length}"}`);
  return `"extents":[${items.join(',')}]`;
}

function authorMembers({ uid, gid, pid, nid, jobid }: Head): string[] {
  return [
    `"uid":${uid}`,
    `"gid":${gid}`,
    `"pid":${pid}`,
    `"nid":${renderBytes(nid)}`,
    `"jobid":${renderBytes(jobid)}`,
  ];
}

function fidText(fid: Fid): string {
  return `"${formatFid(fid)}"`;
}

function timeText(time: Timespec): string {
  return `"${timeToNanoseconds(time)}"`;
}
