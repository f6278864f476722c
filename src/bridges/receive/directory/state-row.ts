/**
 * Bytes of the copy's state (FORMAT.md). Integers in keys are big-endian, so that LMDB's
 * order is numeric order; in values they are little-endian.
 */
import { getU64, putU64 } from '../../../base/bytes.js';
import type { Fid } from '../../../base/fid.js';
import { nameFromBytes } from '../../../base/name.js';
import type { CopyName, CopyObject } from './state-tree.js';

const TWO_32 = 2 ** 32;
const HEAD_BYTES = 14;
const NAME_HEAD_BYTES = 14;

/** A row that no receiver wrote. */
export class StateRowError extends Error {
  override readonly name = 'StateRowError';
}

export function fidKey(fid: Fid | 0): Buffer {
  const key = Buffer.allocUnsafe(8);
  putKey(key, fid);
  return key;
}

export function childKey(parent: Fid | 0, name: string): Buffer {
  const key = Buffer.allocUnsafe(8 + name.length);
  putKey(key, parent);
  key.write(name, 8, 'latin1');
  return key;
}

function putKey(key: Buffer, fid: number): void {
  key.writeUInt32BE(Math.floor(fid / TWO_32), 0);
  key.writeUInt32BE(fid % TWO_32, 4);
}

export function fidOfKey(key: Uint8Array): Fid {
  const view = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  return (view.readUInt32BE(0) * TWO_32 + view.readUInt32BE(4)) as Fid;
}

export function nameOfChildKey(key: Uint8Array): string {
  return nameFromBytes(key.subarray(8));
}

export function fidValue(fid: Fid): Buffer {
  const value = Buffer.allocUnsafe(8);
  putU64(value, 0, fid);
  return value;
}

export function fidOfValue(value: Buffer): Fid {
  return getU64(value, 0) as Fid;
}

export function encodeObject({ inode, type, names }: CopyObject): Buffer {
  let bytes = HEAD_BYTES;
  for (const { name } of names) bytes += NAME_HEAD_BYTES + name.length;
  const row = Buffer.allocUnsafe(bytes);
  putU64(row, 0, inode);
  row.writeUInt16LE(type, 8);
  row.writeUInt32LE(names.length, 10);
  let at = HEAD_BYTES;
  for (const { parent, name, seen } of names) {
    putU64(row, at, parent);
    row.writeUInt32LE(seen, at + 8);
    row.writeUInt16LE(name.length, at + 12);
    row.write(name, at + NAME_HEAD_BYTES, 'latin1');
    at += NAME_HEAD_BYTES + name.length;
  }
  return row;
}

/** StateRowError. */
export function decodeObject(row: Buffer): CopyObject {
  try {
    const names: CopyName[] = [];
    let at = HEAD_BYTES;
    for (let left = row.readUInt32LE(10); left > 0; left--) {
      const end = at + NAME_HEAD_BYTES + row.readUInt16LE(at + 12);
      if (end > row.length) throw new RangeError('a name is cut off');
      names.push({
        parent: getU64(row, at) as Fid | 0,
        name: row.toString('latin1', at + NAME_HEAD_BYTES, end),
        seen: row.readUInt32LE(at + 8),
      });
      at = end;
    }
    if (at !== row.length) throw new RangeError('there is more in it than its names');
    return { inode: getU64(row, 0), type: row.readUInt16LE(8), names };
  } catch (cause) {
    throw new StateRowError(`damaged row: ${(cause as Error).message}`, { cause });
  }
}
