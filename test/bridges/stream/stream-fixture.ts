/** Small clone streams: frames, their bytes, and what a reader makes of bytes. */
import type { Fid } from '../../../src/base/fid.js';
import { encodeFrame, type ReceivedFrame } from '../../../src/bridges/stream/codec.js';
import type { Frame, StreamHeader } from '../../../src/bridges/stream/frame.js';
import { FrameParser } from '../../../src/bridges/stream/parser.js';
import { StreamError } from '../../../src/bridges/stream/stream-error.js';
import type { LogPlace } from '../../../src/rpc/baseline.js';

export const FILE = (2 ** 17 + 2) as Fid;

export function place(index: number, epoch = 0): LogPlace {
  return { epoch, offset: index * 100, index };
}

export const HEADER: StreamHeader = {
  version: 1,
  filesystem: '00112233445566778899aabbccddeeff',
  feed: { id: 3, name: 'backup' },
  kind: 'records',
  from: place(41),
  origin: { bootId: 'b', directory: '/mnt/.lustre/feeds/backup', host: 'h' },
  time: '1700000000000000000',
};

export function commit(from: number | undefined, to: number): Frame {
  return {
    kind: 'commit',
    from: from === undefined ? undefined : place(from),
    to: place(to),
    transno: 100 + to,
    time: '1700000000000000001',
  };
}

/** Every kind of frame once, and a baseline. */
export const BASELINE_STREAM: readonly Frame[] = [
  { kind: 'header', header: { ...HEADER, kind: 'baseline', from: undefined } },
  { kind: 'entries', bytes: Buffer.from('entries') },
  { kind: 'data', fid: FILE, offset: 4096, bytes: Buffer.from('contents') },
  { kind: 'hole', fid: FILE, offset: 8192, length: 4096 },
  { kind: 'gone', fid: FILE },
  commit(undefined, 41),
  { kind: 'idle', end: place(50), time: '1700000000000000002' },
  { kind: 'records', bytes: Buffer.from('records') },
  commit(41, 42),
  { kind: 'end' },
];

export const RECORDS_STREAM: readonly Frame[] = [
  { kind: 'header', header: HEADER },
  { kind: 'records', bytes: Buffer.from('some records') },
  { kind: 'data', fid: FILE, offset: 0, bytes: Buffer.from('x') },
  commit(41, 43),
  { kind: 'end' },
];

export function frameBytesOf(frame: Frame, number: number, compress = false): Buffer {
  return Buffer.concat(encodeFrame(frame, number, { compress }));
}

export function encodeAll(frames: readonly Frame[], compress = false): Buffer {
  return Buffer.concat(frames.map((frame, number) => frameBytesOf(frame, number, compress)));
}

export interface Parsed {
  readonly received: readonly ReceivedFrame[];
  readonly error: StreamError | undefined;
}

/** The frames in bytes that come in chunks of `chunk`, and how they ended. */
export function parseAll(bytes: Uint8Array, chunk = bytes.length): Parsed {
  const parser = new FrameParser();
  const received: ReceivedFrame[] = [];
  try {
    for (let at = 0; at < bytes.length; at += chunk) {
      parser.push(bytes.subarray(at, at + chunk));
      for (let next = parser.next(); next !== undefined; next = parser.next()) received.push(next);
    }
    parser.finish();
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    return { received, error };
  }
  return { received, error: undefined };
}
