/** Where the fields of a frame stand (FORMAT.md). All numbers are little-endian. */
import type { Frame } from './frame.js';

/** The version that is written, and the highest that is read. */
export const STREAM_VERSION = 1;

/** First bytes of the header frame's payload. */
export const MAGIC = Buffer.from('FEEDFS\r\n', 'latin1');

/** Offsets in a frame's head. */
export const At = {
  length: 0,
  type: 4,
  flags: 5,
  zero: 6,
  sequence: 8,
  crc: 12,
  payload: 16,
} as const;
export const HEAD_BYTES = At.payload;

/** In every version of the format the magic and the version stand here, from the stream's beginning. */
const MAGIC_AT = HEAD_BYTES;
/** So many bytes tell a clone stream from anything else. */
export const RECOGNISED_BYTES = MAGIC_AT + MAGIC.length;

/** Magic, version, and four bytes of zeroes, then the description as JSON. */
export const HEADER_JSON_AT = 16;

export const Flag = { DEFLATED: 1 } as const;

export type FrameKind = Frame['kind'];

export const TYPES: Readonly<Record<FrameKind, number>> = {
  header: 1,
  entries: 2,
  records: 3,
  data: 4,
  hole: 5,
  gone: 6,
  commit: 7,
  idle: 8,
  end: 9,
};

export const KINDS: ReadonlyMap<number, FrameKind> = new Map(
  Object.entries(TYPES).map(([kind, type]) => [type, kind as FrameKind]),
);

/** FID and offset. */
export const DATA_AT = 24;
/** FID, offset and length. */
export const HOLE_BYTES = 32;
export const GONE_BYTES = 16;

/**
 * Offsets in a commit: 1 if `from` is there (u32), zero (u32), two places, transno (u64), time (i64).
 * A place is epoch (u32), zero (u32), offset (u64) and index (u64).
 */
export const CommitAt = { hasFrom: 0, zero: 4, from: 8, to: 32, transno: 56, time: 64 } as const;
export const COMMIT_BYTES = 72;

/** Offsets in an idle frame: place, then time i64. */
export const IdleAt = { end: 0, time: 24 } as const;
export const IDLE_BYTES = 32;

/** Can a stream begin like this? At most RECOGNISED_BYTES are looked at. */
export function isHeaderStart(bytes: Buffer): boolean {
  const type = bytes[At.type];
  if (type !== undefined && type !== TYPES.header) return false;
  const magic = bytes.subarray(MAGIC_AT, RECOGNISED_BYTES);
  return MAGIC.subarray(0, magic.length).equals(magic);
}
