/**
 * A row of table `client` that says what was answered in a slot (store/FORMAT.md). Its
 * signatures are not in it: they are made anew when it is answered again.
 *
 * | at  | bytes | field                                                    |
 * |-----|-------|----------------------------------------------------------|
 * | 0   | 8     | xid                                                      |
 * | 8   | 8     | transno                                                  |
 * | 16  | 8     | handle of what it left open, or 0                        |
 * | 24  | 8     | fid that was kept without a name, or 0                   |
 * | 32  | 8     | fid of what a rename made in the old place, or 0         |
 * | 40  | 12    | time of the change: seconds i64, nanoseconds u32         |
 * | 52  | 4     | uid that the open is for                                 |
 * | 56  | 8     | fid of the object, and its attributes after the change   |
 * | 64  | 8     | size                                                     |
 * | 72  | 8     | blocks                                                   |
 * | 80  | 24    | mode, nlink, uid, gid, rdev, generation                  |
 * | 104 | 36    | atime, mtime, ctime                                      |
 * | 140 | 1     | layout: 0 empty, 1 inline, 2 object                      |
 * | 141 | 3     | zero                                                     |
 * | 144 | 16    | first bytes of the SHA-256 of the request                |
 */
import { getU64, putU64 } from '../../base/bytes.js';
import type { Fid } from '../../base/fid.js';
import type { Timespec } from '../../base/time.js';
import type { Attributes, Layout, ReintResult } from '../../rpc/messages.js';
import type { OpenHandle, Xid } from '../../rpc/session.js';
import { ASKED_BYTES } from './asked-digest.js';
import type { SlotRow } from './parts.js';

export const SLOT_ROW_BYTES = 160;

const At = {
  xid: 0,
  transno: 8,
  handle: 16,
  kept: 24,
  made: 32,
  time: 40,
  openUid: 52,
  fid: 56,
  size: 64,
  blocks: 72,
  mode: 80,
  nlink: 84,
  uid: 88,
  gid: 92,
  rdev: 96,
  generation: 100,
  atime: 104,
  mtime: 116,
  ctime: 128,
  layout: 140,
  asked: 144,
} as const;

const LAYOUTS: readonly Layout[] = ['empty', 'inline', 'object'];

/** Into a buffer of SLOT_ROW_BYTES. */
export function writeSlotRow(bytes: Buffer, { xid, asked, result, handle, uid }: SlotRow): void {
  const { attributes, transno, time } = result;
  putU64(bytes, At.xid, xid);
  putU64(bytes, At.transno, transno);
  putU64(bytes, At.handle, handle ?? 0);
  putU64(bytes, At.kept, result.kept ?? 0);
  putU64(bytes, At.made, result.made ?? 0);
  putTime(bytes, At.time, time);
  bytes.writeUInt32LE(uid, At.openUid);
  putU64(bytes, At.fid, attributes.fid);
  putU64(bytes, At.size, attributes.size);
  putU64(bytes, At.blocks, attributes.blocks);
  bytes.writeUInt32LE(attributes.mode, At.mode);
  bytes.writeUInt32LE(attributes.nlink, At.nlink);
  bytes.writeUInt32LE(attributes.uid, At.uid);
  bytes.writeUInt32LE(attributes.gid, At.gid);
  bytes.writeUInt32LE(attributes.rdev, At.rdev);
  bytes.writeUInt32LE(attributes.generation, At.generation);
  putTime(bytes, At.atime, attributes.atime);
  putTime(bytes, At.mtime, attributes.mtime);
  putTime(bytes, At.ctime, attributes.ctime);
  bytes.writeUInt32LE(LAYOUTS.indexOf(attributes.layout), At.layout);
  bytes.set(asked, At.asked);
}

/** Undefined for bytes that are none. */
export function readSlotRow(bytes: Buffer): SlotRow | undefined {
  if (bytes.length !== SLOT_ROW_BYTES) return undefined;
  const attributes = attributesOf(bytes);
  const xid = getU64(bytes, At.xid) as Xid;
  const transno = getU64(bytes, At.transno);
  if (attributes === undefined || xid < 1 || transno < 1) return undefined;
  const handle = getU64(bytes, At.handle);
  const made = getU64(bytes, At.made);
  const result: ReintResult = {
    attributes,
    kept: (getU64(bytes, At.kept) || undefined) as Fid | undefined,
    transno,
    time: timeAt(bytes, At.time),
    ...(made === 0 ? {} : { made: made as Fid }),
  };
  const numbers = [xid, transno, handle, made, result.kept ?? 0, attributes.fid];
  if (!numbers.every(Number.isSafeInteger)) return undefined;
  return {
    xid,
    asked: Uint8Array.prototype.slice.call(bytes, At.asked, At.asked + ASKED_BYTES),
    result,
    handle: handle === 0 ? undefined : (handle as OpenHandle),
    uid: bytes.readUInt32LE(At.openUid),
  };
}

function attributesOf(bytes: Buffer): Attributes | undefined {
  const layout = LAYOUTS[bytes.readUInt32LE(At.layout)];
  const fid = getU64(bytes, At.fid) as Fid;
  if (layout === undefined || fid < 1) return undefined;
  return {
    fid,
    mode: bytes.readUInt32LE(At.mode),
    nlink: bytes.readUInt32LE(At.nlink),
    uid: bytes.readUInt32LE(At.uid),
    gid: bytes.readUInt32LE(At.gid),
    rdev: bytes.readUInt32LE(At.rdev),
    size: getU64(bytes, At.size),
    blocks: getU64(bytes, At.blocks),
    atime: timeAt(bytes, At.atime),
    mtime: timeAt(bytes, At.mtime),
    ctime: timeAt(bytes, At.ctime),
    layout,
    generation: bytes.readUInt32LE(At.generation),
  };
}

function putTime(bytes: Buffer, at: number, { sec, nsec }: Timespec): void {
  bytes.writeBigInt64LE(BigInt(sec), at);
  bytes.writeUInt32LE(nsec, at + 8);
}

function timeAt(bytes: Buffer, at: number): Timespec {
  return { sec: Number(bytes.readBigInt64LE(at)), nsec: bytes.readUInt32LE(at + 8) };
}
