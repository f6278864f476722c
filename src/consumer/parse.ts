/** A line of `stream.ndjson` as a {@link FeedRecord}, and the `info` file as a {@link FeedInfo}. */
import { FeedError } from './errors.js';
import { asObject, decimal, FieldError, flag, integer, type Json, text, time } from './json.js';
import type {
  Attrs,
  Extent,
  FeedInfo,
  FeedLine,
  FeedRecord,
  Name,
  Overwritten,
  RecordBase,
  RenameRecord,
} from './types.js';

/** Throws FeedError `BAD_RECORD` naming what is wrong; `path` is for its message. */
export function parseRecord(source: FeedLine, path: string): FeedRecord {
  try {
    const json = asObject(JSON.parse(source.line), 'line');
    return variant(base(json, source), json);
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

function attrs(json: Json): Attrs {
  const into: Mutable<Attrs> = {};
  if (json.attrs === undefined) return into;
  const from = asObject(json.attrs, 'attrs');
  if (from.mode !== undefined) into.mode = octal(from);
  if (from.uid !== undefined) into.uid = integer(from, 'uid');
  if (from.gid !== undefined) into.gid = integer(from, 'gid');
  if (from.size !== undefined) into.size = decimal(from, 'size');
  if (from.nlink !== undefined) into.nlink = integer(from, 'nlink');
  if (from.rdev !== undefined) into.rdev = integer(from, 'rdev');
  if (from.atime !== undefined) into.atime = time(from, 'atime');
  if (from.mtime !== undefined) into.mtime = time(from, 'mtime');
  if (from.ctime !== undefined) into.ctime = time(from, 'ctime');
  return into;
}

const OCTAL = /^[0-7]+$/;

function octal(json: Json): number {
  const mode = text(json, 'mode');
  if (!OCTAL.test(mode)) throw new FieldError('member "mode" is not an octal string');
  return Number.parseInt(mode, 8);
}

/** A JSON string, or `{"base64": …}` for bytes that are not UTF-8. */
function name(json: Json, key: string): Name {
  const value = json[key];
  if (typeof value === 'string') return value;
  return Buffer.from(text(asObject(value, key), 'base64'), 'base64');
}

function extents(value: unknown): Extent[] {
  if (!Array.isArray(value)) throw new FieldError('member "extents" is not an array');
  return value.map((item) => {
    const extent = asObject(item, 'extents');
    return { offset: decimal(extent, 'offset'), length: decimal(extent, 'length') };
  });
}

/** Throws FeedError `BAD_RECORD` if the text is not that of an `info` file. */
export function parseInfo(content: string, path: string): FeedInfo {
  try {
    const json = asObject(JSON.parse(content), 'info');
    return {
      id: integer(json, 'id'),
      name: text(json, 'name'),
      state: text(json, 'state'),
      created: time(json, 'created'),
      lastRead: json.lastRead === null ? undefined : time(json, 'lastRead'),
      firstOffset: decimal(json, 'firstOffset'),
      nextOffset: decimal(json, 'nextOffset'),
      firstIndex: decimal(json, 'firstIndex'),
      nextIndex: decimal(json, 'nextIndex'),
      firstText: decimal(json, 'firstText'),
      nextText: decimal(json, 'nextText'),
      owedBytes: decimal(json, 'owedBytes'),
      owedRecords: decimal(json, 'owedRecords'),
      owedText: decimal(json, 'owedText'),
      lastError: json.lastError === null ? undefined : text(json, 'lastError'),
    };
  } catch (error) {
    if (!(error instanceof FieldError) && !(error instanceof SyntaxError)) throw error;
    throw new FeedError('BAD_RECORD', path, `not a feed's info: ${path}: ${error.message}`, {
      cause: error,
    });
  }
}
