/** A feed's `changelog` through the calls that Lustre's library makes on its device. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';
import { SyscallError } from '../posix/libc.js';
import { type LustreRecord, readLustreRecords } from '../support/lustre-record.js';
import { within } from '../support/processes.js';
import { read, TestFeed, WAIT_MS } from './feed-fixture.js';

const libc = koffi.load('libc.so.6');
const ioctlNumber = libc.func('int ioctl(int fd, unsigned long command, ...)');
const ioctlBytes = libc.func('int ioctl(int fd, unsigned long command, void *argument)');
const readCall = libc.func('int64_t read(int fd, _Out_ uint8_t *into, size_t size)');

/** As the library reads. */
export const READ_BYTES = 4096;
export const SET_FLAGS = 0x800866e9;
export const SET_FILTER = 0x403066b3;
export const FOLLOW = 0x01;
export const NID_BE = 0x10;

export class ChangelogFeed extends TestFeed {
  get changelog(): string {
    return join(this.folder, 'changelog');
  }

  get id(): number {
    return (JSON.parse(fs.readFileSync(join(this.folder, 'info'), 'utf8')) as { id: number }).id;
  }

  /** All that is owed, in the reads that a new open of the device takes. */
  records(): LustreRecord[] {
    const fd = fs.openSync(this.changelog, 'r');
    try {
      return drain(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** The errno's name, or undefined if it was taken whole. */
  write(text: string): string | undefined {
    const fd = fs.openSync(this.changelog, 'w');
    try {
      const written = fs.writeSync(fd, text);
      return written === Buffer.byteLength(text) ? undefined : `${written} bytes`;
    } catch (error) {
      return error instanceof Error && 'code' in error ? `${error.code}` : `${error}`;
    } finally {
      fs.closeSync(fd);
    }
  }
}

/** Reads to the end; every read gives whole records. */
export function drain(fd: number): LustreRecord[] {
  const records: LustreRecord[] = [];
  for (;;) {
    const bytes = read(fd, READ_BYTES);
    if (typeof bytes === 'string') throw new Error(`read: ${bytes}`);
    if (bytes.length === 0) return records;
    records.push(...readLustreRecords(bytes));
  }
}

/** The records of one read, or the errno's name. */
export function readRecords(fd: number, position: number | null = null): LustreRecord[] | string {
  const bytes = read(fd, READ_BYTES, position);
  return typeof bytes === 'string' ? bytes : readLustreRecords(bytes);
}

export function indices(records: readonly LustreRecord[] | string): number[] {
  if (typeof records === 'string') throw new Error(`read: ${records}`);
  return records.map(({ index }) => Number(index));
}

/** A read that may wait, on another thread: its bytes. SyscallError if it fails. */
export function readLater(fd: number, size = READ_BYTES): Promise<Buffer> {
  const into = Buffer.alloc(size);
  const reading = new Promise<Buffer>((resolve, reject) => {
    readCall.async(fd, into, size, (error: unknown, length: number) => {
      if (error !== null && error !== undefined) reject(error);
      else if (length < 0) reject(new SyscallError('read', koffi.errno()));
      else resolve(into.subarray(0, length));
    });
  });
  return within(reading, WAIT_MS, 'a read');
}

/** An ioctl whose argument is a number. SyscallError if it fails. */
export function ioctl(fd: number, command: number, argument: number): void {
  if (ioctlNumber(fd, command, 'uint64_t', argument) < 0) {
    throw new SyscallError('ioctl', koffi.errno());
  }
}

/** struct changelog_filter. SyscallError if it is refused. */
export function setFilter(
  fd: number,
  { mask = 0n, user = 0, name = '' }: { mask?: bigint; user?: number; name?: string },
): void {
  const filter = Buffer.alloc(48);
  filter.writeBigUInt64LE(mask, 0);
  filter.writeUInt32LE(user, 8);
  filter.write(name, 16);
  if (ioctlBytes(fd, SET_FILTER, filter) < 0) throw new SyscallError('ioctl', koffi.errno());
}
