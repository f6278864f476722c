/** Streams that were cut, damaged, or put together wrongly, made from one that is whole. */
import * as zlib from 'node:zlib';
import { At, HEAD_BYTES, MAGIC } from '../../src/bridges/stream/layout.js';
import type { Random } from '../support/random.js';

/** The frames of a stream, each with its head. */
export function framesOf(stream: Buffer): readonly Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < stream.length; ) {
    const end = at + HEAD_BYTES + stream.readUInt32LE(at + At.length);
    frames.push(stream.subarray(at, end));
    at = end;
  }
  return frames;
}

/** One bit, somewhere, is the other way round. */
export function withFlippedBit(stream: Buffer, random: Random): Buffer {
  const changed = Buffer.from(stream);
  const at = random.below(stream.length);
  changed.writeUInt8(changed.readUInt8(at) ^ (1 << random.below(8)), at);
  return changed;
}

/** A header that says another version, with a checksum that fits. */
export function withVersion(stream: Buffer, version: number): Buffer {
  const [header = Buffer.alloc(0), ...rest] = framesOf(stream);
  const changed = Buffer.from(header);
  changed.writeUInt32LE(version, HEAD_BYTES + MAGIC.length);
  const crc = zlib.crc32(changed.subarray(HEAD_BYTES), zlib.crc32(changed.subarray(0, At.crc)));
  changed.writeUInt32LE(crc, At.crc);
  return Buffer.concat([changed, ...rest]);
}

export interface BadStream {
  readonly what: string;
  readonly bytes: Buffer;
}

/** Every wrong order of three of its frames, or two, that a transport could make. */
export function misordered(stream: Buffer, random: Random): readonly BadStream[] {
  const frames = framesOf(stream);
  const at = 1 + random.below(frames.length - 2);
  const [before, frame, next, after] = [
    frames.slice(0, at),
    frames.slice(at, at + 1),
    frames.slice(at + 1, at + 2),
    frames.slice(at + 2),
  ];
  const made = (what: string, ...parts: readonly (readonly Buffer[])[]): BadStream => ({
    what,
    bytes: Buffer.concat(parts.flat()),
  });
  return [
    made('a frame twice', before, frame, frame, next, after),
    made('a frame missing', before, next, after),
    made('two frames exchanged', before, next, frame, after),
    made('bytes behind the end', frames, [Buffer.from('more')]),
    made('the stream twice', frames, frames),
    made('no header', frames.slice(1)),
  ];
}

/** Places to cut at: within the header, in a head, in a payload, between frames, before the end. */
export function cuts(stream: Buffer, random: Random, count: number): readonly BadStream[] {
  const ends: number[] = [];
  for (const frame of framesOf(stream)) ends.push((ends.at(-1) ?? 0) + frame.length);
  const places = [
    ...[0, 5, HEAD_BYTES, HEAD_BYTES + 4, stream.length - 1],
    ...ends.slice(0, -1).slice(-4),
    ...Array.from({ length: count }, () => random.below(stream.length)),
  ];
  return places.map((at) => ({ what: `cut at ${at}`, bytes: stream.subarray(0, at) }));
}
