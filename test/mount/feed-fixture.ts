/** One feed of a test's own mount, used through plain system calls. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';
import { lseek, SEEK_DATA, SyscallError } from '../posix/libc.js';
import type { TestMount } from '../support/mount.js';
import { until } from '../support/processes.js';

const { O_RDONLY, O_RDWR, O_NONBLOCK } = fs.constants;

const libc = koffi.load('libc.so.6');
const dupCall = libc.func('int dup(int)');
const fcntlCall = libc.func('int fcntl(int, int, ...)');
const pollCall = libc.func('int poll(void *, uint64_t, int)');

const F_GETFL = 3;
const F_SETFL = 4;

export const POLLIN = 0x001;
export const POLLHUP = 0x010;
export const POLLRDNORM = 0x040;

/** A wait that a broken filesystem would never end ends after this, in milliseconds. */
export const WAIT_MS = 10_000;

/** The two files of a feed that are sparse files of records. */
export const VIEWS = ['stream', 'stream.ndjson'] as const;
export type View = (typeof VIEWS)[number];

export interface FeedInfo {
  readonly owedRecords: string;
  readonly owedBytes: string;
  readonly nextIndex: string;
  readonly nextOffset: string;
  readonly firstIndex: string;
  readonly firstOffset: string;
}

export class TestFeed {
  readonly mount: TestMount;
  readonly folder: string;

  constructor(mount: TestMount, name = 'f') {
    this.mount = mount;
    this.folder = mount.feed(name);
  }

  path(view: View): string {
    return join(this.folder, view);
  }

  info(): FeedInfo {
    return JSON.parse(fs.readFileSync(join(this.folder, 'info'), 'utf8')) as FeedInfo;
  }

  /** Makes directories `prefix-0` … and waits until the feed shows all of them. */
  async make(prefix: string, count: number): Promise<void> {
    const wanted = BigInt(this.info().nextIndex) + BigInt(count);
    for (let i = 0; i < count; i++) fs.mkdirSync(join(this.mount.mnt, `${prefix}-${i}`));
    await until(() => BigInt(this.info().nextIndex) >= wanted, `${count} records`);
  }

  /** Where each record of a view starts, and where the last one ends; from offset 0, nothing cancelled. */
  boundaries(view: View): number[] {
    return withOpen(this.path(view), O_RDONLY, (fd) => {
      const all = Buffer.alloc(fs.fstatSync(fd).size);
      let length = 0;
      while (length < all.length) {
        length += fs.readSync(fd, all, length, all.length - length, length);
      }
      return boundariesOf(all, view);
    });
  }
}

/** Starts of the records in `bytes`, which hold whole records, and their end. */
export function boundariesOf(bytes: Buffer, view: View): number[] {
  const starts = [0];
  for (let at = 0; at < bytes.length; ) {
    at = view === 'stream' ? at + bytes.readUInt32LE(at) : bytes.indexOf('\n', at) + 1;
    starts.push(at);
  }
  return starts;
}

/** Opens, hands over the descriptor, and closes it in any case. */
export function withOpen<T>(path: string, flags: number, use: (fd: number) => T): T {
  const fd = fs.openSync(path, flags);
  let pending = false;
  try {
    const result = use(fd);
    if (result instanceof Promise) {
      pending = true;
      return result.finally(() => fs.closeSync(fd)) as T;
    }
    return result;
  } finally {
    if (!pending) fs.closeSync(fd);
  }
}

/** Opens for reading without ever blocking. */
export function withReader<T>(path: string, use: (fd: number) => T): T {
  return withOpen(path, O_RDONLY | O_NONBLOCK, use);
}

/** Opens for acknowledging. */
export function withPuncher<T>(path: string, use: (fd: number) => T): T {
  return withOpen(path, O_RDWR, use);
}

/** One read(2), or pread(2) with a position; the errno's name if it fails. */
export function read(fd: number, size: number, position: number | null = null): Buffer | string {
  const buffer = Buffer.alloc(size);
  try {
    return buffer.subarray(0, fs.readSync(fd, buffer, 0, size, position));
  } catch (error) {
    if (error instanceof Error && 'code' in error) return `${error.code}`;
    throw error;
  }
}

/** The bytes that a read must have given. */
export function bytesRead(result: Buffer | string): Buffer {
  if (typeof result === 'string') throw new Error(`read: ${result}`);
  return result;
}

/** Where the first owed byte of a file is; its end when nothing is owed. */
export function firstOwed(path: string): number {
  return withReader(path, (fd) => {
    try {
      return lseek(fd, 0, SEEK_DATA);
    } catch (error) {
      if (error instanceof SyscallError && error.code === 'ENXIO') return fs.fstatSync(fd).size;
      throw error;
    }
  });
}

/** Names in the lines of `stream.ndjson`; filler is left out. */
export function namesIn(text: Buffer | string): string[] {
  return bytesRead(text)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { name: string }).name);
}

export function numbered(prefix: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `${prefix}-${from + i}`);
}

/** A second descriptor of the same open file description. */
export function dup(fd: number): number {
  const copy: number = dupCall(fd);
  if (copy < 0) throw new SyscallError('dup', koffi.errno());
  return copy;
}

/** Sets or clears O_NONBLOCK of an open file description. */
export function setNonBlocking(fd: number, on: boolean): void {
  const flags: number = fcntlCall(fd, F_GETFL);
  const wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  if (fcntlCall(fd, F_SETFL, 'int', wanted) < 0) throw new SyscallError('fcntl', koffi.errno());
}

/** poll(2) for reading on one descriptor; the events it returns, 0 when the time is over. */
export function poll(fd: number, timeoutMs: number): Promise<number> {
  const request = Buffer.alloc(8);
  request.writeInt32LE(fd, 0);
  request.writeInt16LE(POLLIN | POLLRDNORM, 4);
  return new Promise((resolve, reject) => {
    pollCall.async(request, 1, timeoutMs, (error: unknown, count: number) => {
      if (error !== null && error !== undefined) reject(error);
      else if (count < 0) reject(new Error('poll failed'));
      else resolve(count === 0 ? 0 : request.readInt16LE(6));
    });
  });
}
