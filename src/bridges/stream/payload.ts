/** What a frame carries, as bytes and back. */
import { getU64, putU64 } from '../../base/bytes.js';
import { FID_BYTES, type Fid, readFid, writeFid } from '../../base/fid.js';
import { printableText } from '../../base/printable.js';
import type { LogPlace } from '../../rpc/baseline.js';
import type { Frame, StreamHeader } from './frame.js';
import { headerFromJson, headerToJson } from './header.js';
import {
  COMMIT_BYTES,
  CommitAt,
  DATA_AT,
  type FrameKind,
  GONE_BYTES,
  HEADER_JSON_AT,
  HOLE_BYTES,
  IDLE_BYTES,
  IdleAt,
  MAGIC,
} from './layout.js';

/** Bytes that are not what their frame's type says. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
}

/** In pieces, so that contents need not be copied to stand behind their place. */
export function encodePayload(frame: Frame): readonly Uint8Array[] {
  switch (frame.kind) {
    case 'header':
      return [encodeHeader(frame.header)];
    case 'entries':
    case 'records':
      return [frame.bytes];
    case 'data':
      return [placed(frame.fid, frame.offset, DATA_AT), frame.bytes];
    case 'hole': {
      const bytes = placed(frame.fid, frame.offset, HOLE_BYTES);
      putU64(bytes, FID_BYTES + 8, frame.length);
      return [bytes];
    }
    case 'gone': {
      const bytes = Buffer.alloc(GONE_BYTES);
      writeFid(viewOf(bytes), 0, frame.fid);
      return [bytes];
    }
    case 'commit': {
      const bytes = Buffer.alloc(COMMIT_BYTES);
      bytes.writeUInt32LE(frame.from === undefined ? 0 : 1, CommitAt.hasFrom);
      if (frame.from !== undefined) putPlace(bytes, CommitAt.from, frame.from);
      putPlace(bytes, CommitAt.to, frame.to);
      putU64(bytes, CommitAt.transno, frame.transno);
      bytes.writeBigInt64LE(BigInt(frame.time), CommitAt.time);
      return [bytes];
    }
    case 'idle': {
      const bytes = Buffer.alloc(IDLE_BYTES);
      putPlace(bytes, IdleAt.end, frame.end);
      bytes.writeBigInt64LE(BigInt(frame.time), IdleAt.time);
      return [bytes];
    }
    case 'end':
      return [];
  }
}

/** Throws PayloadError. What it returns shares memory with `bytes`. */
export function decodePayload(kind: FrameKind, bytes: Buffer): Frame {
  switch (kind) {
    case 'header':
      return { kind, header: decodeHeader(bytes) };
    case 'entries':
    case 'records':
      if (bytes.length === 0) throw new PayloadError('it is empty');
      return { kind, bytes };
    case 'data': {
      if (bytes.length <= DATA_AT) throw new PayloadError('it is empty');
      return {
        kind,
        fid: fidAt(bytes),
        offset: u64(bytes, FID_BYTES, 'offset'),
        bytes: bytes.subarray(DATA_AT),
      };
    }
    case 'hole': {
      exactly(bytes, HOLE_BYTES);
      const length = u64(bytes, FID_BYTES + 8, 'length');
      if (length === 0) throw new PayloadError('the hole is empty');
      return { kind, fid: fidAt(bytes), offset: u64(bytes, FID_BYTES, 'offset'), length };
    }
    case 'gone':
      exactly(bytes, GONE_BYTES);
      return { kind, fid: fidAt(bytes) };
    case 'commit':
      return decodeCommit(bytes);
    case 'idle':
      exactly(bytes, IDLE_BYTES);
      return { kind, end: placeAt(bytes, IdleAt.end), time: timeAt(bytes, IdleAt.time) };
    case 'end':
      exactly(bytes, 0);
      return { kind };
  }
}

function encodeHeader(header: StreamHeader): Buffer {
  const head = Buffer.alloc(HEADER_JSON_AT);
  MAGIC.copy(head);
  head.writeUInt32LE(header.version, MAGIC.length);
  return Buffer.concat([head, Buffer.from(headerToJson(header), 'utf8')]);
}

/** Magic and version were looked at before. */
function decodeHeader(bytes: Buffer): StreamHeader {
  const version = bytes.readUInt32LE(MAGIC.length);
  zero(bytes, MAGIC.length + 4);
  try {
    return headerFromJson(bytes.toString('utf8', HEADER_JSON_AT), version);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new PayloadError(printableText(why), { cause: error });
  }
}

function decodeCommit(bytes: Buffer): Frame {
  exactly(bytes, COMMIT_BYTES);
  const hasFrom = bytes.readUInt32LE(CommitAt.hasFrom);
  if (hasFrom > 1) throw new PayloadError(`${hasFrom} places`);
  zero(bytes, CommitAt.zero);
  const from = placeAt(bytes, CommitAt.from);
  if (hasFrom === 0 && (from.epoch !== 0 || from.offset !== 0 || from.index !== 0)) {
    throw new PayloadError('a place that is not there is not zero');
  }
  return {
    kind: 'commit',
    from: hasFrom === 1 ? from : undefined,
    to: placeAt(bytes, CommitAt.to),
    transno: u64(bytes, CommitAt.transno, 'transno'),
    time: timeAt(bytes, CommitAt.time),
  };
}

function placed(fid: Fid, offset: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  writeFid(viewOf(bytes), 0, fid);
  putU64(bytes, FID_BYTES, offset);
  return bytes;
}

function putPlace(bytes: Buffer, at: number, { epoch, offset, index }: LogPlace): void {
  bytes.writeUInt32LE(epoch, at);
  putU64(bytes, at + 8, offset);
  putU64(bytes, at + 16, index);
}

function placeAt(bytes: Buffer, at: number): LogPlace {
  zero(bytes, at + 4);
  return {
    epoch: bytes.readUInt32LE(at),
    offset: u64(bytes, at + 8, 'offset'),
    index: u64(bytes, at + 16, 'index'),
  };
}

function timeAt(bytes: Buffer, at: number): string {
  return bytes.readBigInt64LE(at).toString();
}

function fidAt(bytes: Buffer): Fid {
  try {
    const fid = readFid(viewOf(bytes), 0);
    if (fid !== 0) return fid;
  } catch (error) {
    throw new PayloadError('its FID is none of a feedfs', { cause: error });
  }
  throw new PayloadError('its FID is zero');
}

function u64(bytes: Buffer, at: number, what: string): number {
  const value = getU64(bytes, at);
  if (!Number.isSafeInteger(value)) throw new PayloadError(`${what} is beyond 2^53`);
  return value;
}

function zero(bytes: Buffer, at: number): void {
  if (bytes.readUInt32LE(at) !== 0) throw new PayloadError('what must be zero is not');
}

function exactly(bytes: Buffer, length: number): void {
  if (bytes.length !== length) throw new PayloadError(`${bytes.length} bytes instead of ${length}`);
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
