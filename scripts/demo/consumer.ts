/**
 * A consumer as a stranger would write it: waits in epoll on `stream.ndjson`,
 * reads what is there, counts, acknowledges by punching a hole. It keeps nothing
 * on disk: after a restart of the filesystem, SEEK_DATA tells where to go on.
 *
 *     node consumer.js FEED-DIRECTORY
 *
 * It tells its parent what it sees, one JSON object a line on standard output.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { Epoll, punchHole, seekData } from './syscalls.js';

const READ_BYTES = 256 * 1024;
/** How long to wait before looking again whether the filesystem is back, in milliseconds. */
const RETRY_MS = 10;
/** Acknowledging waits for the disk, so it is done for many records at once. */
const ACK_BYTES = 64 * 1024;

export interface ConsumerReport {
  /** Records counted so far, each index once. */
  readonly records: number;
  /** Highest index seen. */
  readonly index: number;
  /** Records that came again after a restart. */
  readonly repeated: number;
  /** Indices that never came. */
  readonly missing: number;
  /** How often the feed was opened, and the index of the first record after the last time. */
  readonly opens: number;
  readonly resumedAt: number;
  /** Monotonic nanoseconds when epoll returned, and the mkdirs read after that. */
  readonly awake: string;
  readonly made: readonly string[];
}

const state = { records: 0, index: 0, repeated: 0, missing: 0, opens: 0, resumedAt: 0 };

function count(line: string, made: string[]): void {
  const record = JSON.parse(line) as { index: string; op: string; name?: unknown };
  const index = Number(record.index);
  if (state.resumedAt === 0) state.resumedAt = index;
  if (index <= state.index) {
    state.repeated += 1;
    return;
  }
  if (state.index > 0) state.missing += index - state.index - 1;
  state.index = index;
  state.records += 1;
  if (record.op === 'mkdir' && typeof record.name === 'string') made.push(record.name);
}

/** Follows one open of the feed; returns when the filesystem is gone. */
function follow(fd: number): void {
  const epoll = new Epoll(fd);
  const buffer = Buffer.alloc(READ_BYTES);
  state.opens += 1;
  state.resumedAt = 0;
  // What was acknowledged is a hole before this; from here on the text is contiguous.
  let acknowledged = seekData(fd);
  let seen = acknowledged;
  let rest = '';
  try {
    for (;;) {
      epoll.wait();
      const awake = process.hrtime.bigint();
      const made: string[] = [];
      // One character per byte: lengths are bytes, and a name of ours is ASCII.
      for (let length = readSome(fd, buffer); length > 0; length = readSome(fd, buffer)) {
        const lines = (rest + buffer.toString('latin1', 0, length)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) count(line, made);
        seen += length;
        if (seen - acknowledged >= ACK_BYTES)
          acknowledged = acknowledge(fd, acknowledged, seen - rest.length);
      }
      report(awake, made);
      acknowledged = acknowledge(fd, acknowledged, seen - rest.length);
    }
  } finally {
    fs.closeSync(epoll.fd);
  }
}

/** Bytes read, 0 when there are none yet; throws when the filesystem is gone. */
function readSome(fd: number, buffer: Buffer): number {
  try {
    const length = fs.readSync(fd, buffer);
    // End of file: the feed has been removed.
    if (length === 0) process.exit(0);
    return length;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return 0;
    throw error;
  }
}

function acknowledge(fd: number, from: number, to: number): number {
  if (to > from && !punchHole(fd, from, to - from)) throw new Error('not acknowledged');
  return to;
}

function report(awake: bigint, made: readonly string[]): void {
  const message: ConsumerReport = { ...state, awake: `${awake}`, made };
  fs.writeSync(1, `${JSON.stringify(message)}\n`);
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function main(directory: string): never {
  const path = join(directory, 'stream.ndjson');
  for (;;) {
    let fd: number | undefined;
    try {
      fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
      follow(fd);
    } catch {
      // The daemon has died, or is not back yet; the feed is where it was left.
      pause(RETRY_MS);
    } finally {
      if (fd !== undefined) fs.closeSync(fd);
    }
  }
}

main(process.argv[2] ?? '');
