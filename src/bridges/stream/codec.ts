/** Frames as bytes (FORMAT.md). Pure: no I/O, no clock. */
import * as zlib from 'node:zlib';
import { assert } from '../../base/assert.js';
import type { Frame } from './frame.js';
import {
  At,
  Flag,
  type FrameKind,
  HEAD_BYTES,
  HEADER_JSON_AT,
  KINDS,
  MAGIC,
  STREAM_VERSION,
  TYPES,
} from './layout.js';
import { HEADER_BYTES_MAX, PAYLOAD_BYTES_MAX } from './limits.js';
import { decodePayload, encodePayload, PayloadError } from './payload.js';
import { StreamError, type StreamPlace } from './stream-error.js';

const DEFLATE = { level: 1 } as const;

/** Sequence numbers go round after so many frames. */
export const SEQUENCE_MODULUS = 2 ** 32;

/** A payload shorter than this is sent as it is: there is nothing to win. */
const DEFLATE_BYTES_MIN = 128;

/** A frame's bytes in pieces, the first of them its head. They share memory with the frame. */
export function encodeFrame(
  frame: Frame,
  number: number,
  options: { readonly compress: boolean },
): readonly Uint8Array[] {
  const plain = encodePayload(frame);
  const plainLength = lengthOf(plain);
  assert(plainLength <= PAYLOAD_BYTES_MAX, () => `a frame of ${plainLength} bytes`);
  const deflated =
    options.compress && frame.kind !== 'header' && plainLength >= DEFLATE_BYTES_MIN
      ? zlib.deflateRawSync(plain.length === 1 ? (plain[0] ?? '') : Buffer.concat(plain), DEFLATE)
      : undefined;
  const isSmaller = deflated !== undefined && deflated.length < plainLength;
  const payload = isSmaller ? [deflated] : plain;
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(isSmaller ? deflated.length : plainLength, At.length);
  head.writeUInt8(TYPES[frame.kind], At.type);
  head.writeUInt8(isSmaller ? Flag.DEFLATED : 0, At.flags);
  head.writeUInt32LE(number % SEQUENCE_MODULUS, At.sequence);
  let crc = zlib.crc32(head.subarray(0, At.crc));
  for (const part of payload) crc = zlib.crc32(part, crc);
  head.writeUInt32LE(crc, At.crc);
  return [head, ...payload];
}

/** A frame and where it stood. */
export interface ReceivedFrame {
  /** Its bytes are valid as long as they are wanted; they share memory with what was read. */
  readonly frame: Frame;
  readonly at: StreamPlace;
  /** As sent, its head included. */
  readonly bytes: number;
  /** Of the payload, inflated. */
  readonly payloadBytes: number;
  readonly deflated: boolean;
}

/** Bytes of the frame whose head this is. Throws StreamError if no frame is that long. */
export function frameBytes(head: Buffer, at: StreamPlace): number {
  const length = head.readUInt32LE(At.length);
  const max = at.number === 0 ? HEADER_BYTES_MAX : PAYLOAD_BYTES_MAX;
  if (length > max) throw new StreamError('damaged', at, `no frame is ${length} bytes long`);
  return HEAD_BYTES + length;
}

/** The frame that these bytes, all of it, are. Throws StreamError; looks at nothing but itself. */
export function decodeFrame(bytes: Buffer, at: StreamPlace): ReceivedFrame {
  const sent = bytes.subarray(HEAD_BYTES);
  const crc = zlib.crc32(sent, zlib.crc32(bytes.subarray(0, At.crc)));
  if (crc !== bytes.readUInt32LE(At.crc)) {
    throw new StreamError('damaged', at, 'its checksum does not match');
  }
  checkSequence(bytes.readUInt32LE(At.sequence), at);
  const kind = kindOf(bytes, at);
  const deflated = deflatedFlag(bytes, kind, at);
  if (kind === 'header') checkVersion(sent, at);
  const payload = deflated ? inflate(sent, at) : sent;
  try {
    const frame = decodePayload(kind, payload);
    return { frame, at, bytes: bytes.length, payloadBytes: payload.length, deflated };
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error;
    throw new StreamError('damaged', at, `not a frame of type ${kind}: ${error.message}`, {
      cause: error,
    });
  }
}

function checkSequence(sequence: number, at: StreamPlace): void {
  const expected = at.number % SEQUENCE_MODULUS;
  if (sequence === expected) return;
  const problem = sequence < expected ? 'repeated, or out of order' : 'after some that are missing';
  throw new StreamError('order', at, `frame ${sequence} comes ${problem}`);
}

function kindOf(bytes: Buffer, at: StreamPlace): FrameKind {
  const type = bytes.readUInt8(At.type);
  const kind = KINDS.get(type);
  if (kind === undefined) throw new StreamError('damaged', at, `a frame of unknown type ${type}`);
  return kind;
}

/** Before anything else of a header is looked at, for in another version it may be different. */
function checkVersion(payload: Buffer, at: StreamPlace): void {
  if (payload.length < HEADER_JSON_AT) throw new StreamError('damaged', at, 'a header cut short');
  const version = payload.readUInt32LE(MAGIC.length);
  if (version > STREAM_VERSION) {
    const limit = `this feedfs reads versions up to ${STREAM_VERSION}: use a newer one`;
    throw new StreamError('newer', at, `its format has version ${version}, and ${limit}`);
  }
  if (version === 0) throw new StreamError('damaged', at, 'version 0');
}

function deflatedFlag(bytes: Buffer, kind: FrameKind, at: StreamPlace): boolean {
  const flags = bytes.readUInt8(At.flags);
  const allowed = kind === 'header' ? 0 : Flag.DEFLATED;
  if ((flags & ~allowed) !== 0 || bytes.readUInt16LE(At.zero) !== 0) {
    throw new StreamError(
      'damaged',
      at,
      `flags 0x${flags.toString(16)} in a frame of type ${kind}`,
    );
  }
  return flags !== 0;
}

function inflate(sent: Buffer, at: StreamPlace): Buffer {
  try {
    return zlib.inflateRawSync(sent, { maxOutputLength: PAYLOAD_BYTES_MAX });
  } catch (error) {
    throw new StreamError('damaged', at, 'it cannot be inflated', { cause: error });
  }
}

function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
