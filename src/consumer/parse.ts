/** A line of `stream.ndjson` as a {@link FeedRecord}. */
import { FeedError } from './errors.js';
import { asObject, decimal, FieldError, flag, integer, type Json, text, time } from './json.js';
import { attrs, extents, name } from './members.js';
import type {
  Access,
  FeedLine,
  FeedRecord,
  LostRecord,
  Overwritten,
  RecordBase,
  RenameRecord,
} from './types.js';

/** Throws FeedError `BAD_RECORD` naming what is wrong; `path` is for its message. */
export function parseRecord(source: FeedLine, path: string): FeedRecord {
  return parseLine(source, path, (json) => variant(base(json, source), json));
}

/** What `parse` makes of the object in a line. Throws as {@link parseRecord}. */
export function parseLine<R>(source: FeedLine, path: string, parse: (json: Json) => R): R {
  try {
    return parse(asObject(JSON.parse(source.line), 'line'));
  } catch (error) {
    if (!(error instanceof FieldError) && !(error instanceof SyntaxError)) throw error;
    const position = source.text.offset;
    const message = `not a record at byte ${position} of ${path}: ${error.message}`;
    throw new FeedError('BAD_RECORD', path, message, { position, cause: error });
  }
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Filled member by member: copying half-made records costs more than all the rest. */
function base(json: Json, { text: range }: FeedLine): Mutable<RecordBase> {
  return {
    index: decimal(json, 'index'),
    offset: decimal(json, 'offset'),
    transno: decimal(json, 'transno'),
    time: time(json, 'time'),
    fid: text(json, 'fid'),
    uid: integer(json, 'uid'),
    gid: integer(json, 'gid'),
    pid: integer(json, 'pid'),
    nid: name(json, 'nid'),
    jobid: name(json, 'jobid'),
    attrs: attrs(json),
    text: range,
  };
}

function variant(head: Mutable<RecordBase>, json: Json): FeedRecord {
  const op = text(json, 'op');
  switch (op) {
    case 'create':
    case 'mkdir':
    case 'mknod':
    case 'link':
      return Object.assign(head, { op, parent: text(json, 'parent'), name: name(json, 'name') });
    case 'symlink': {
      const target = name(json, 'target');
      const parent = text(json, 'parent');
      return Object.assign(head, { op, parent, name: name(json, 'name'), target });
    }
    case 'unlink':
    case 'rmdir': {
      const last = flag(json, 'last');
      const parent = text(json, 'parent');
      return Object.assign(head, { op, parent, name: name(json, 'name'), last });
    }
    case 'rename':
      return rename(head, json);
    case 'setattr':
      return Object.assign(head, { op });
    case 'setxattr': {
      const xattr = asObject(json.xattr, 'xattr');
      const value = Buffer.from(text(xattr, 'value'), 'base64');
      const flags = integer(xattr, 'flags');
      return Object.assign(head, { op, xattr: { name: name(xattr, 'name'), value, flags } });
    }
    case 'removexattr': {
      const xattr = asObject(json.xattr, 'xattr');
      return Object.assign(head, { op, xattr: { name: name(xattr, 'name') } });
    }
    case 'write':
      return Object.assign(head, { op, extents: extents(json.extents) });
    case 'open':
    case 'close':
    case 'denied':
      return Object.assign(head, { op, access: access(json) });
    case 'getxattr': {
      const xattr = asObject(json.xattr, 'xattr');
      return Object.assign(head, {
        op,
        xattr: { name: name(xattr, 'name') },
        access: access(json),
      });
    }
    case 'lost':
      return Object.assign(head, { op, lost: lost(json) });
    default:
      return Object.assign(head, { op: 'unknown' as const, opText: op, json });
  }
}

function rename(head: Mutable<RecordBase>, json: Json): RenameRecord {
  const record: Mutable<RenameRecord> = Object.assign(head, {
    op: 'rename' as const,
    parent: text(json, 'parent'),
    name: name(json, 'name'),
    newParent: text(json, 'newParent'),
    newName: name(json, 'newName'),
  });
  if (json.over !== undefined) record.over = overwritten(json.over);
  if (json.exchanged !== undefined) record.exchanged = text(json, 'exchanged');
  return record;
}

function overwritten(value: unknown): Overwritten {
  const over = asObject(value, 'over');
  return { fid: text(over, 'fid'), attrs: attrs(over), last: flag(over, 'last') };
}

function access(json: Json): Access {
  const from = asObject(json.access, 'access');
  return {
    flags: from.flags === undefined ? undefined : integer(from, 'flags'),
    errno: integer(from, 'errno'),
    repeated: integer(from, 'repeated'),
    directory: flag(from, 'directory'),
  };
}

export function lost(json: Json): LostRecord['lost'] {
  const from = asObject(json.lost, 'lost');
  return {
    firstIndex: decimal(from, 'firstIndex'),
    lastIndex: decimal(from, 'lastIndex'),
    records: decimal(from, 'records'),
    bytes: decimal(from, 'bytes'),
    reason: name(from, 'reason'),
  };
}
