/**
 * From a record of a feed to the change that repeats it on a copy: everything as the
 * record has it, nothing of its own. With it goes in that the record is applied.
 */
import { unreachable } from '../../../base/assert.js';
import type { Fid } from '../../../base/fid.js';
import type { FileName } from '../../../base/name.js';
import type { Timespec } from '../../../base/time.js';
import type {
  ChangeRecord,
  CreateRecord,
  RecordAttrs,
  SymlinkRecord,
} from '../../../feed/record.js';
import type { Credentials } from '../../../rpc/changes.js';
import type { GivenAttributes, Verbatim } from '../../../rpc/replica.js';
import type { ReplicaChange, ReplicaWrite } from '../../../rpc/replica-message.js';

/** Type bits of a symbolic link: its record need not say them. */
const S_IFLNK_777 = 0o120777;

export function changeOfRecord(record: ChangeRecord): ReplicaChange | ReplicaWrite {
  const applied = record.index + 1;
  if (record.op === 'write') {
    const { fid, time, extents, attrs } = record;
    const { size = 0, mtime = time, ctime = time, mode } = attrs;
    const what = { fid, time, extents, size, mtime, ctime, mode, applied };
    return { do: 'write', who: authorOf(record), ...what };
  }
  const verbatim = verbatimOf(record, applied);
  return { do: 'change', who: authorOf(record), change: reintOf(record), verbatim };
}

export function authorOf({ uid, gid, pid, nid, jobid }: ChangeRecord): Credentials {
  return { uid, gid, pid, nid, jobid };
}

type NamedRecord = Exclude<ChangeRecord, { op: 'write' }>;

function verbatimOf(record: NamedRecord, applied: number): Verbatim {
  const { time, fid } = record;
  const common = { time, fid, applied };
  switch (record.op) {
    case 'create':
    case 'mkdir':
    case 'mknod':
    case 'symlink':
      return { ...common, attributes: given(record) };
    case 'unlink':
    case 'rmdir':
      return { ...common, atime: record.attrs.atime };
    case 'rename': {
      const other = record.exchanged ?? record.over?.fid;
      return { ...common, other, atime: record.over?.attrs.atime };
    }
    case 'setattr':
      return { ...common, ctime: record.attrs.ctime };
    case 'setxattr':
    case 'removexattr':
      return { ...common, mode: record.attrs.mode };
    default:
      return common;
  }
}

function reintOf(record: NamedRecord): ReplicaChange['change'] {
  switch (record.op) {
    case 'create':
    case 'mkdir':
    case 'mknod': {
      const { mode = 0, rdev = 0 } = record.attrs;
      return { op: 'create', ...placeOf(record), mode, umask: 0, rdev, open: false };
    }
    case 'symlink':
      return { op: 'symlink', ...placeOf(record), target: record.target };
    case 'link':
      return { op: 'link', fid: record.fid, ...placeOf(record) };
    case 'unlink':
    case 'rmdir':
      return { op: record.op, ...placeOf(record) };
    case 'rename': {
      const newName = record.newName as FileName;
      const flags = record.exchanged === undefined ? 0 : RENAME_EXCHANGE;
      return { op: 'rename', ...placeOf(record), newParent: record.newParent, newName, flags };
    }
    case 'setattr': {
      const { mode, uid, gid, size, atime, mtime } = record.attrs;
      return { op: 'setattr', fid: record.fid, change: { mode, uid, gid, size, atime, mtime } };
    }
    case 'setxattr': {
      const { name, value, flags } = record.xattr;
      return { op: 'setxattr', fid: record.fid, name: name as FileName, value, flags };
    }
    case 'removexattr':
      return { op: 'removexattr', fid: record.fid, name: record.xattr.name as FileName };
    default:
      return unreachable(record);
  }
}

/** RENAME_EXCHANGE of renameat2(2). */
const RENAME_EXCHANGE = 2;

function placeOf({ parent, name }: { parent: Fid; name: string }): {
  parent: Fid;
  name: FileName;
} {
  return { parent, name: name as FileName };
}

function given({ op, attrs, time }: CreateRecord | SymlinkRecord): GivenAttributes {
  const { mode = op === 'symlink' ? S_IFLNK_777 : 0, uid = 0, gid = 0, rdev = 0 } = attrs;
  return { mode, uid, gid, rdev, ...sizeOf(op, attrs), ...timesOf(attrs, time) };
}

/** A file without a name may have got contents before its first one. */
function sizeOf(op: string, { size }: RecordAttrs): { size?: number } {
  return op === 'create' && size !== undefined ? { size } : {};
}

function timesOf(
  { atime, mtime, ctime }: RecordAttrs,
  time: Timespec,
): Pick<GivenAttributes, 'atime' | 'mtime' | 'ctime'> {
  return { atime: atime ?? time, mtime: mtime ?? time, ctime: ctime ?? time };
}
