/** Streams for tests of the receiver: frames by hand, encoded by the stream's own writer. */
import { FIRST_FID, type Fid, ROOT_FID } from '../../../src/base/fid.js';
import { encodeFrame } from '../../../src/bridges/stream/codec.js';
import type { Frame, StreamHeader } from '../../../src/bridges/stream/frame.js';
import type { FeedRecord, RecordIndex, Transno } from '../../../src/feed/record.js';
import { RecordWriter } from '../../../src/feed/record-codec.js';
import type { BaselineEntry, BaselineObject, LogPlace } from '../../../src/rpc/baseline.js';
import { encodeBaselineEntry } from '../../../src/rpc/baseline-entry.js';

export const FILESYSTEM = '00112233445566778899aabbccddeeff';
export const TIME = { sec: 1_700_000_000, nsec: 5 };
const NANOSECONDS = '1700000000000000005';
const FILE_MODE = 0o100644;
const DIRECTORY_MODE = 0o040755;
/** Pretended: what a record takes in the log. */
const RECORD_BYTES = 256;

/** The place before the record with that index. */
export function place(index: number): LogPlace {
  return { epoch: 0, offset: (index - 1) * RECORD_BYTES, index };
}

export function fid(n: number): Fid {
  return (FIRST_FID + n) as Fid;
}

export function header(kind: 'baseline' | 'records', from?: number): StreamHeader {
  return {
    version: 1,
    filesystem: FILESYSTEM,
    feed: { id: 7, name: 'copy' },
    kind,
    from: from === undefined ? undefined : place(from),
    origin: { bootId: 'a boot', directory: '/nowhere/.lustre/feeds/copy', host: 'here' },
    time: NANOSECONDS,
  };
}

/** Record `index`, of change `transno`: makes file n, or writes to it. */
export function made(index: number, n: number, transno = index): FeedRecord {
  return {
    op: 'create',
    ...head(index, transno, n),
    parent: ROOT_FID,
    name: `file-${n}`,
    attrs: { mode: FILE_MODE, uid: 0, gid: 0, nlink: 1, mtime: TIME, atime: TIME, ctime: TIME },
  };
}

export function written(index: number, n: number, length = 3, transno = index): FeedRecord {
  return {
    op: 'write',
    ...head(index, transno, n),
    extents: [{ offset: 0, length }],
    attrs: { size: length, mtime: TIME, ctime: TIME },
  };
}

/** Record `index` gives file n another size. */
export function resized(index: number, n: number, size: number, transno = index): FeedRecord {
  return {
    op: 'setattr',
    ...head(index, transno, n),
    attrs: { size, mtime: TIME, ctime: TIME },
  };
}

export function opened(index: number, n: number): FeedRecord {
  const access = { flags: 0, errno: 0, repeated: 0, directory: false };
  return { op: 'open', ...head(index, index, n), access };
}

export function lost(index: number): FeedRecord {
  const range = { firstIndex: (index - 1) as RecordIndex, lastIndex: index as RecordIndex };
  return {
    op: 'lost',
    ...head(index, index, 0),
    lost: { ...range, records: 2, bytes: 512, reason: 'no room' },
  };
}

function head(index: number, transno: number, n: number) {
  return {
    index: index as RecordIndex,
    transno: transno as Transno,
    time: TIME,
    fid: fid(n),
    uid: 0,
    gid: 0,
    pid: 1,
    nid: '0@lo',
    jobid: '',
  };
}

export function records(...list: readonly FeedRecord[]): Frame {
  const writer = new RecordWriter();
  for (const record of list) writer.append(record, record);
  return { kind: 'records', bytes: Buffer.from(writer.bytes) };
}

export function data(n: number, text: string, offset = 0): Frame {
  return { kind: 'data', fid: fid(n), offset, bytes: Buffer.from(text) };
}

export function commit(from: number | undefined, to: number, transno = to - 1): Frame {
  const start = from === undefined ? undefined : place(from);
  return { kind: 'commit', from: start, to: place(to), transno, time: NANOSECONDS };
}

export const END: Frame = { kind: 'end' };

export function entries(...list: readonly BaselineEntry[]): Frame {
  return { kind: 'entries', bytes: Buffer.concat(list.map(encodeBaselineEntry)) };
}

export function baselineHead(next: number, objects: number): BaselineEntry {
  const feed = { id: 7, name: 'copy' };
  const at = { transno: next - 1, place: place(next), time: TIME };
  return { kind: 'head', filesystem: FILESYSTEM, feed, ...at, objects };
}

export const ROOT: BaselineObject = {
  ...object(0, DIRECTORY_MODE),
  fid: ROOT_FID,
  parent: 0,
  name: '',
};

export function file(n: number, contents: BaselineObject['contents'], size = 3): BaselineObject {
  const made = object(n, FILE_MODE);
  return { ...made, attributes: { ...made.attributes, size }, contents };
}

function object(n: number, mode: number): BaselineObject {
  const times = { atime: TIME, mtime: TIME, ctime: TIME };
  return {
    kind: 'object',
    fid: fid(n),
    parent: ROOT_FID,
    name: `file-${n}`,
    attributes: { mode, nlink: 1, uid: 0, gid: 0, rdev: 0, size: 0, ...times },
    target: '',
    xattrs: 0,
    contents: undefined,
  };
}

/** The bytes of each frame, numbered in order. */
export function frameBytes(frames: readonly Frame[]): Buffer[] {
  return frames.map((frame, number) =>
    Buffer.concat(encodeFrame(frame, number, { compress: false })),
  );
}

/** A small stream of changes from record 10 on: three commits, five records. */
export function smallStream(): readonly Frame[] {
  return [
    { kind: 'header', header: header('records', 10) },
    records(made(10, 1), written(11, 1)),
    data(1, 'one'),
    commit(10, 12),
    records(made(12, 2)),
    commit(12, 13),
    { kind: 'idle', end: place(13), time: NANOSECONDS },
    records(written(13, 2), written(14, 1)),
    data(2, 'two'),
    data(1, 'won'),
    commit(13, 15),
    END,
  ];
}

/** A baseline of three files, one with contents apart, and two changes. */
export function smallBaseline(): readonly Frame[] {
  return [
    { kind: 'header', header: header('baseline') },
    entries(
      baselineHead(10, 4),
      ROOT,
      file(1, Buffer.from('one')),
      { ...file(2, undefined, 0), xattrs: 1 },
      { kind: 'xattr', fid: fid(2), name: 'user.color', value: Buffer.from('red') },
      file(3, 'elsewhere', 5),
    ),
    data(3, 'three'),
    entries(
      { kind: 'name', fid: fid(1), parent: ROOT_FID, name: 'second' },
      { kind: 'end', objects: 4, names: 1 },
    ),
    commit(undefined, 10),
    records(made(10, 4), written(11, 1)),
    data(1, 'won'),
    commit(10, 12),
    END,
  ];
}
