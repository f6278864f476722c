/**
 * A line of `.lustre/watch` as a {@link WatchRecord}. The privileged get the lines of a
 * feed; other users get less of each, so here everything may be absent that tells of others.
 */
import { asObject, decimal, flag, integer, type Json, text, time } from './json.js';
import { attrs, extents, name } from './members.js';
import { lost, parseLine } from './parse.js';
import type { Attrs, Extent, FeedLine, LostRecord, Name, TextRange, Time } from './types.js';

export interface WatchRecord {
  readonly text: TextRange;
  /** 1, 2, 3 …, and bytes of text before the line; both are the watch's own for ordinary users. */
  readonly index: number;
  readonly offset: number;
  readonly time: Time;
  /** As in a feed; `lost` where records were not read in time. */
  readonly op: string;
  /** Absent where records were lost. */
  readonly fid: string | undefined;
  readonly parent: string | undefined;
  readonly name: Name | undefined;
  readonly newParent: string | undefined;
  readonly newName: Name | undefined;
  readonly target: Name | undefined;
  readonly attrs: Attrs;
  readonly xattr: { readonly name: Name } | undefined;
  readonly extents: readonly Extent[] | undefined;
  readonly last: boolean | undefined;
  readonly over: { readonly fid: string } | undefined;
  readonly exchanged: string | undefined;
  /** Only of one's own changes, or for the privileged. */
  readonly transno: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly pid: number | undefined;
  readonly nid: Name | undefined;
  readonly jobid: Name | undefined;
  /** How much was lost, for the privileged. */
  readonly lost: LostRecord['lost'] | undefined;
}

/** Throws FeedError `BAD_RECORD` naming what is wrong; `path` is for its message. */
export function parseWatchRecord(source: FeedLine, path: string): WatchRecord {
  return parseLine(source, path, (json) => ({
    text: source.text,
    index: decimal(json, 'index'),
    offset: decimal(json, 'offset'),
    time: time(json, 'time'),
    op: text(json, 'op'),
    fid: optional(json, 'fid', text),
    parent: optional(json, 'parent', text),
    name: optional(json, 'name', name),
    newParent: optional(json, 'newParent', text),
    newName: optional(json, 'newName', name),
    target: optional(json, 'target', name),
    attrs: attrs(json),
    xattr: optional(json, 'xattr', (from) => ({
      name: name(asObject(from.xattr, 'xattr'), 'name'),
    })),
    extents: optional(json, 'extents', (from) => extents(from.extents)),
    last: optional(json, 'last', flag),
    over: optional(json, 'over', (from) => ({ fid: text(asObject(from.over, 'over'), 'fid') })),
    exchanged: optional(json, 'exchanged', text),
    transno: optional(json, 'transno', decimal),
    uid: optional(json, 'uid', integer),
    gid: optional(json, 'gid', integer),
    pid: optional(json, 'pid', integer),
    nid: optional(json, 'nid', name),
    jobid: optional(json, 'jobid', name),
    lost: optional(json, 'lost', lost),
  }));
}

/** Undefined if the line has no such member; what is there must be right. */
function optional<V>(json: Json, key: string, read: (json: Json, key: string) => V): V | undefined {
  return json[key] === undefined ? undefined : read(json, key);
}
