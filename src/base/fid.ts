/**
 * File identifiers in Lustre's form, `[seq:oid:ver]` (64, 32, 32 bits), and the
 * compact number that stands for one inside feedfs.
 *
 * The compact number is also the kernel's nodeid and `st_ino`. The mapping is
 * a bijection between the FIDs that feedfs allocates and integers below 2^53,
 * so a restarted server understands every nodeid that the kernel still holds:
 *
 * | compact number            | FID                                         |
 * |---------------------------|---------------------------------------------|
 * | 1                         | `[0x200000007:0x1:0x0]`, the root           |
 * | 2^52 + oid                | `[0x200000002:oid:0x0]`, the control tree   |
 * | k * 2^17 + oid, k >= 1    | `[0x200000400 + k:oid:0x0]`, oid in 1..2^17-1 |
 *
 * Sequence numbers are those of lustre_fid.h: FID_SEQ_ROOT, FID_SEQ_DOT_LUSTRE,
 * FID_SEQ_NORMAL; 2^17 is LUSTRE_SEQ_MAX_WIDTH.
 */
import type { Brand } from './brand.js';
import { Errno, FsError } from './errno.js';

export type Fid = Brand<number, 'Fid'>;

export interface FidParts {
  readonly seq: bigint;
  readonly oid: number;
  readonly ver: number;
}

const SEQ_ROOT = 0x2_0000_0007n;
const SEQ_CONTROL = 0x2_0000_0002n;
const SEQ_NORMAL = 0x2_0000_0400n;
const SEQ_WIDTH = 2 ** 17;
const CONTROL_BASE = 2 ** 52;

export const ROOT_FID = 1 as Fid;
/** The first FID that the allocator hands out. */
export const FIRST_FID = (SEQ_WIDTH + 1) as Fid;

/** Highest FID that a store takes over from another one: it must go on behind it. */
const GIVEN_FID_MAX = CONTROL_BASE - 2 ** 40;

/** Whether an allocator can have handed it out. Not so the root's. */
export function isGivenFid(fid: number): fid is Fid {
  return Number.isInteger(fid) && fid >= FIRST_FID && fid <= GIVEN_FID_MAX && fid % SEQ_WIDTH !== 0;
}

/** The FID of an object of the control tree (`.lustre` and below). */
export function controlFid(oid: number): Fid {
  return (CONTROL_BASE + oid) as Fid;
}

export function isControlFid(fid: Fid): boolean {
  return fid >= CONTROL_BASE;
}

/** The oid of a control FID. */
export function controlOid(fid: Fid): number {
  return fid - CONTROL_BASE;
}

/** The FID after `fid` in allocation order; oid 0 is never used. */
export function nextFid(fid: Fid): Fid {
  const next = fid + 1;
  return (next % SEQ_WIDTH === 0 ? next + 1 : next) as Fid;
}

export function fidParts(fid: Fid): FidParts {
  if (fid === ROOT_FID) return { seq: SEQ_ROOT, oid: 1, ver: 0 };
  if (isControlFid(fid)) return { seq: SEQ_CONTROL, oid: controlOid(fid), ver: 0 };
  const oid = fid % SEQ_WIDTH;
  return { seq: SEQ_NORMAL + BigInt((fid - oid) / SEQ_WIDTH), oid, ver: 0 };
}

/** The compact number of a FID, or undefined if feedfs cannot have allocated it. */
export function fidFromParts({ seq, oid, ver }: FidParts): Fid | undefined {
  if (ver !== 0) return undefined;
  if (seq === SEQ_ROOT) return oid === 1 ? ROOT_FID : undefined;
  if (seq === SEQ_CONTROL) return controlFid(oid);
  const sequence = seq - SEQ_NORMAL;
  if (sequence < 1n || sequence >= 2n ** 35n || oid < 1 || oid >= SEQ_WIDTH) return undefined;
  return (Number(sequence) * SEQ_WIDTH + oid) as Fid;
}

/** `[0x200000401:0x2:0x0]`. */
export function formatFid(fid: Fid): string {
  if (fid === ROOT_FID) return '[0x200000007:0x1:0x0]';
  if (isControlFid(fid)) return `[0x200000002:0x${controlOid(fid).toString(16)}:0x0]`;
  const oid = fid % SEQ_WIDTH;
  // 0x200000400 + k stays far below 2^53, so a plain number prints it exactly.
  const seq = 0x2_0000_0400 + (fid - oid) / SEQ_WIDTH;
  return `[0x${seq.toString(16)}:0x${oid.toString(16)}:0x0]`;
}

/** Length of {@link formatFid}'s text. */
export function fidTextLength(fid: Fid): number {
  if (fid === ROOT_FID || isControlFid(fid)) return formatFid(fid).length;
  const oid = fid % SEQ_WIDTH;
  // A sequence of nine hexadecimal digits, and all but the oid's digits.
  const seq = 0x2_0000_0400 + (fid - oid) / SEQ_WIDTH;
  return seq < 2 ** 36 ? 20 + hexDigits(oid) : formatFid(fid).length;
}

function hexDigits(value: number): number {
  let digits = 1;
  for (let rest = value >>> 4; rest > 0; rest >>>= 4) digits++;
  return digits;
}

const FID_TEXT = /^\[?0x([0-9a-f]{1,16}):0x([0-9a-f]{1,8}):0x([0-9a-f]{1,8})\]?$/i;

/** Parses `[0xSEQ:0xOID:0xVER]`, brackets optional; undefined if it is not a FID of ours. */
export function parseFid(text: string): Fid | undefined {
  const match = FID_TEXT.exec(text);
  if (!match) return undefined;
  const [, seq, oid, ver] = match;
  return fidFromParts({
    seq: BigInt(`0x${seq}`),
    oid: Number.parseInt(`${oid}`, 16),
    ver: Number.parseInt(`${ver}`, 16),
  });
}

/** Bytes of a FID on disk and in records. */
export const FID_BYTES = 16;

/** Writes seq u64, oid u32, ver u32, little-endian; fid 0 writes the all-zero FID. */
export function writeFid(view: DataView, at: number, fid: Fid | 0): void {
  if (fid === 0) {
    view.setBigUint64(at, 0n, true);
    view.setBigUint64(at + 8, 0n, true);
    return;
  }
  let seq: number;
  let oid: number;
  if (fid === ROOT_FID) {
    seq = 0x2_0000_0007;
    oid = 1;
  } else if (isControlFid(fid)) {
    seq = 0x2_0000_0002;
    oid = controlOid(fid);
  } else {
    oid = fid % SEQ_WIDTH;
    seq = 0x2_0000_0400 + (fid - oid) / SEQ_WIDTH;
  }
  view.setUint32(at, seq >>> 0, true);
  view.setUint32(at + 4, Math.floor(seq / 2 ** 32), true);
  view.setUint32(at + 8, oid, true);
  view.setUint32(at + 12, 0, true);
}

/** Reads what {@link writeFid} wrote; 0 for the all-zero FID. Throws FsError(EIO) on a foreign one. */
export function readFid(view: DataView, at: number): Fid | 0 {
  const seq = view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
  const oid = view.getUint32(at + 8, true);
  const ver = view.getUint32(at + 12, true);
  if (seq === 0 && oid === 0 && ver === 0) return 0;
  const fid = fidFromParts({ seq: BigInt(seq), oid, ver });
  if (fid === undefined) {
    throw new FsError(
      Errno.EIO,
      `not a FID of this filesystem: [0x${seq.toString(16)}:${oid}:${ver}]`,
    );
  }
  return fid;
}
