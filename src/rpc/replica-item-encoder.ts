/** An item of a replica message as it stands in the head. */
import { unreachable } from '../base/assert.js';
import type { Timespec } from '../base/time.js';
import type { LogPlace } from './baseline.js';
import type { AttributeChange, Credentials, WrittenExtent } from './changes.js';
import type { GivenAttributes } from './replica.js';
import type { BlobWriter } from './replica-blobs.js';
import type { ReplicaChange, ReplicaItem } from './replica-message.js';

type Json = Readonly<Record<string, unknown>>;

/** Bytes of an extent: offset and length. */
export const EXTENT_BYTES = 16;

export function encodeItem(item: ReplicaItem, blobs: BlobWriter): Json {
  switch (item.do) {
    case 'begin':
      return {
        do: item.do,
        filesystem: item.filesystem,
        feed: item.feed,
        baseline: item.baseline,
        place: placeOf(item.place),
        time: timeOf(item.time),
      };
    case 'place':
      return { do: item.do, place: placeOf(item.place), time: timeOf(item.time) };
    case 'promote':
      return { do: item.do };
    case 'data':
      return { do: item.do, fid: item.fid, offset: item.offset, bytes: blobs.add(item.bytes) };
    case 'hole':
      return { do: item.do, fid: item.fid, offset: item.offset, length: item.length };
    case 'write':
      return {
        do: item.do,
        who: whoOf(item.who),
        fid: item.fid,
        time: timeOf(item.time),
        extents: blobs.add(extentBytes(item.extents)) / EXTENT_BYTES,
        size: item.size,
        mtime: timeOf(item.mtime),
        ctime: timeOf(item.ctime),
        mode: item.mode,
        applied: item.applied,
      };
    case 'change':
      return encodeChange(item, blobs);
    default:
      return unreachable(item);
  }
}

function encodeChange({ who, change, verbatim }: ReplicaChange, blobs: BlobWriter): Json {
  const { time, fid, other, attributes, mode, ctime, atime, applied } = verbatim;
  return {
    do: change.op,
    ...ownMembers(change, blobs),
    fid,
    other,
    attributes: attributes === undefined ? undefined : attributesOf(attributes),
    mode,
    time: timeOf(time),
    ctime: timeOf(ctime),
    atime: timeOf(atime),
    who: whoOf(who),
    applied,
  };
}

function ownMembers(change: ReplicaChange['change'], blobs: BlobWriter): Json {
  switch (change.op) {
    case 'create':
    case 'link':
    case 'unlink':
    case 'rmdir':
      return { parent: change.parent, name: change.name };
    case 'symlink':
      return { parent: change.parent, name: change.name, target: change.target };
    case 'rename': {
      const { parent, name, newParent, newName, flags } = change;
      return { parent, name, newParent, newName, flags };
    }
    case 'setattr':
      return { change: attributeChange(change.change) };
    case 'setxattr':
      return { name: change.name, bytes: blobs.add(change.value), flags: change.flags };
    case 'removexattr':
      return { name: change.name };
    default:
      return unreachable(change);
  }
}

function attributeChange({ mode, uid, gid, size, atime, mtime }: AttributeChange): Json {
  return { mode, uid, gid, size, atime: givenTime(atime), mtime: givenTime(mtime) };
}

/** A decoder refuses `now`: the time of a copied change is always known. */
function givenTime(time: Timespec | 'now' | undefined): unknown {
  return time === 'now' ? time : timeOf(time);
}

function attributesOf(given: GivenAttributes): Json {
  const { mode, uid, gid, rdev, size, atime, mtime, ctime } = given;
  const times = { atime: timeOf(atime), mtime: timeOf(mtime), ctime: timeOf(ctime) };
  return { mode, uid, gid, rdev, size, ...times };
}

function timeOf(time: Timespec | undefined): readonly number[] | undefined {
  return time === undefined ? undefined : [time.sec, time.nsec];
}

function placeOf({ epoch, offset, index }: LogPlace): readonly number[] {
  return [epoch, offset, index];
}

function whoOf({ uid, gid, pid, nid, jobid }: Credentials): readonly (number | string)[] {
  return [uid, gid, pid, nid, jobid];
}

function extentBytes(extents: readonly WrittenExtent[]): Uint8Array {
  const bytes = Buffer.alloc(extents.length * EXTENT_BYTES);
  for (const [at, { offset, length }] of extents.entries()) {
    bytes.writeBigUInt64LE(BigInt(offset), at * EXTENT_BYTES);
    bytes.writeBigUInt64LE(BigInt(length), at * EXTENT_BYTES + 8);
  }
  return bytes;
}
