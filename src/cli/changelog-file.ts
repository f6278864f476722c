/** An open of a feed's `changelog`, as the command that prints it needs it. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import koffi from 'koffi';
import { FeedError, fromNodeError, systemError } from '../consumer/errors.js';
import { poller } from '../consumer/poller.js';
import { type ChangelogRecord, decodeChangelog } from '../feed/encodings/changelog-decode.js';

const libc = koffi.load(null);
const ioctl: (fd: number, command: number, type: 'uint64_t', argument: number) => number =
  libc.func('int ioctl(int fd, unsigned long command, ...)');

/** OBD_IOC_CHLG_SET_FLAGS, and what it sets. */
const SET_FLAGS = 0x800866e9;
const FOLLOW = 0x01;
const NID_BE = 0x10;

const FILE = 'changelog';
const READ_BYTES = 64 * 1024;

export interface ChangelogOptions {
  /** Index of the first record that is wanted. */
  readonly from: number;
  /** Wait for more at the end. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
  /** Damaged records were passed over. */
  readonly onDamage: () => void;
}

/**
 * The owed records in the batches they are read in, none of them empty. Ends at the end or,
 * following, when the feed does. Throws FeedError, and the signal's reason.
 */
export async function* readChangelog(
  directory: string,
  { from, follow, signal, onDamage }: ChangelogOptions,
): AsyncGenerator<readonly ChangelogRecord[], void, void> {
  const file = path.join(directory, FILE);
  const fd = open(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  try {
    if (ioctl(fd, SET_FLAGS, 'uint64_t', follow ? FOLLOW | NID_BE : NID_BE) !== 0) {
      throw systemError(koffi.errno(), 'ioctl', file);
    }
    const bytes = Buffer.alloc(READ_BYTES);
    // The first read names a record, and each further one goes on where the last one ended.
    let position = from;
    for (;;) {
      signal.throwIfAborted();
      const length = read(fd, bytes, position, file);
      if (length === 0) return;
      if (length === 'damaged') onDamage();
      else if (length === 'wait') await poller.wait(fd, signal);
      else {
        position += length;
        yield recordsIn(bytes.subarray(0, length), file);
      }
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** Acknowledges all that feed `id` owes up to `index`; resolves when that is on disk. */
export async function clearChangelog(directory: string, id: number, index: bigint): Promise<void> {
  const file = path.join(directory, FILE);
  try {
    const handle = await fs.promises.open(file, fs.constants.O_WRONLY);
    try {
      await handle.write(`clear:cl${id}:${index}`);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fromNodeError(error, file);
  }
}

function open(file: string, flags: number): number {
  try {
    return fs.openSync(file, flags);
  } catch (error) {
    throw fromNodeError(error, file);
  }
}

function read(
  fd: number,
  into: Buffer,
  position: number,
  file: string,
): number | 'wait' | 'damaged' {
  try {
    return fs.readSync(fd, into, 0, into.length, position);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EAGAIN') return 'wait';
    if (code === 'EIO') return 'damaged';
    throw fromNodeError(error, file);
  }
}

function recordsIn(bytes: Buffer, file: string): ChangelogRecord[] {
  const records: ChangelogRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    const decoded = decodeChangelog(bytes, at);
    if (decoded === undefined) {
      throw new FeedError('BAD_RECORD', file, `a record of ${file} is not whole`);
    }
    records.push(decoded.record);
    at += decoded.size;
  }
  return records;
}
