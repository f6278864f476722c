/** A feed's `baseline`: entries as they come, and which files' contents are not among them. */
import * as fs from 'node:fs';
import { getU64 } from '../../base/bytes.js';
import { type Fid, readFid } from '../../base/fid.js';
import { FeedError, fromNodeError } from '../../consumer/errors.js';
import type { BaselineHead } from '../../rpc/baseline.js';
import {
  BASELINE_ENTRY_BYTES_MAX,
  BaselineDecoder,
  BaselineError,
  wholeEntriesBytes,
} from '../../rpc/baseline-entry.js';
import { Every, Kind, ObjectAt, Where } from '../../rpc/baseline-layout.js';
import { BASELINE_KEEP_NS, CHUNK_BYTES } from './limits.js';
import { SendError } from './send-error.js';

/** Sequential reads of `baseline`: fills `into`, returns the bytes; 0 at the end. */
export interface BaselineFile {
  read(into: Buffer): Promise<number>;
  /** fsync: its reader is still there. */
  keep(): Promise<void>;
  close(): Promise<void>;
}

/** A file whose contents have to be read by FID. */
export interface Elsewhere {
  readonly fid: Fid;
  /** Bytes. */
  readonly size: number;
}

export interface EntryChunk {
  /** Whole entries; valid until the next chunk is asked for. */
  readonly bytes: Buffer;
  readonly objects: number;
  /** Of objects that are whole, with their extended attributes, at the end of this chunk. */
  readonly elsewhere: readonly Elsewhere[];
}

export class BaselineSource {
  readonly head: BaselineHead;
  readonly #file: BaselineFile;
  /** While the one is sent the other is filled, so that server and receiver work at once. */
  readonly #buffers: readonly [Buffer, Buffer];
  /** Bytes in the first of them, at the beginning. */
  readonly #filled: number;
  #hasEnd = false;
  /** Extended attributes of the last object that are to come. */
  #xattrsMissing = 0;
  /** Files before or in the object that is not whole: contents stand between whole objects. */
  #held: Elsewhere[] = [];
  #kept = 0n;

  private constructor(
    file: BaselineFile,
    buffers: readonly [Buffer, Buffer],
    filled: number,
    head: BaselineHead,
  ) {
    this.#file = file;
    this.#buffers = buffers;
    this.#filled = filled;
    this.head = head;
  }

  /** Reads the head. Owns the file, unless it throws. SendError `baseline`, FeedError. */
  static async open(file: BaselineFile): Promise<BaselineSource> {
    const buffers = [newBuffer(), newBuffer()] as const;
    const filled = await file.read(buffers[0].subarray(0, CHUNK_BYTES));
    const head = decodeHead(buffers[0].subarray(0, filled));
    return new BaselineSource(file, buffers, filled, head);
  }

  /** All entries, the head among them. Throws SendError `baseline` for anything but a whole baseline. */
  async *chunks(): AsyncGenerator<EntryChunk, void, void> {
    let [current, other] = this.#buffers;
    let filled = this.#filled;
    for (;;) {
      const whole = wholeLength(current.subarray(0, filled));
      const rest = filled - whole;
      current.copy(other, 0, whole, filled);
      const next = this.#file.read(other.subarray(rest, rest + CHUNK_BYTES));
      // Whoever leaves early closes the file, which fails this read: nobody wants to know.
      next.catch(() => {});
      if (whole > 0) yield this.#scan(current.subarray(0, whole));
      const count = await next;
      if (count === 0 && (rest > 0 || !this.#hasEnd)) {
        throw new SendError('baseline', 'the baseline broke off before its end');
      }
      if (count === 0) return;
      filled = rest + count;
      [current, other] = [other, current];
    }
  }

  /**
   * While contents are sent nothing is read: tells now and then that somebody still waits for
   * the rest. `now` in ns; undefined if that is not due. SendError `baseline`, FeedError.
   */
  keep(now: bigint): Promise<void> | undefined {
    const passed = now - this.#kept;
    if (passed >= 0n && passed < BASELINE_KEEP_NS) return undefined;
    this.#kept = now;
    return this.#file.keep();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** By the fixed parts alone: whoever receives decodes all of it. */
  #scan(bytes: Buffer): EntryChunk {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const elsewhere = this.#held;
    this.#held = [];
    let objects = 0;
    for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + Every.length)) {
      const kind = bytes.readUInt8(at + Every.kind);
      if (this.#hasEnd) throw new SendError('baseline', 'the baseline goes on behind its end');
      if (kind === Kind.END) this.#hasEnd = true;
      if (kind === Kind.XATTR) this.#xattrsMissing -= 1;
      if (kind !== Kind.OBJECT) continue;
      objects += 1;
      this.#xattrsMissing = bytes.readUInt32LE(at + ObjectAt.xattrs);
      if (bytes.readUInt8(at + Every.detail) !== Where.ELSEWHERE) continue;
      const fid = readFid(view, at + ObjectAt.fid);
      const size = getU64(bytes, at + ObjectAt.size);
      if (fid === 0) throw new SendError('baseline', 'an object of the baseline has no FID');
      if (size > 0) elsewhere.push({ fid, size });
    }
    if (this.#xattrsMissing === 0) return { bytes, objects, elsewhere };
    this.#held = elsewhere;
    return { bytes, objects, elsewhere: [] };
  }
}

/** For the beginning of an entry, and a read behind it. */
function newBuffer(): Buffer {
  return Buffer.allocUnsafeSlow(BASELINE_ENTRY_BYTES_MAX + CHUNK_BYTES);
}

/** Bytes of the whole entries that these begin with. */
function wholeLength(bytes: Buffer): number {
  try {
    return wholeEntriesBytes(bytes);
  } catch (error) {
    if (!(error instanceof BaselineError)) throw error;
    throw new SendError('baseline', error.message, { cause: error });
  }
}

function decodeHead(bytes: Buffer): BaselineHead {
  try {
    const { entry } = new BaselineDecoder(bytes).decode(0);
    if (entry.kind === 'head') return entry;
  } catch (error) {
    if (!(error instanceof BaselineError)) throw error;
    throw new SendError('baseline', error.message, { cause: error });
  }
  throw new SendError('baseline', 'the baseline does not begin with its head');
}

/** What the errors of these calls mean, for people. */
const REASONS: Readonly<Record<string, string>> = {
  EBUSY: 'too many baselines are open: wait until another sender has sent its own',
  EIO: 'the store is damaged (feedfs fsck)',
  ENOSPC: 'it was given up, because keeping it took more disk than there is',
  ESTALE:
    'it was given up, because it was read too slowly while the filesystem changed, or not at all for ten minutes: begin anew, with a receiver that keeps up, or with a stream into a file',
};

/** open(2) of a feed's `baseline`, which takes the snapshot. SendError `baseline`, FeedError with the errno. */
export async function openBaselineFile(file: string): Promise<BaselineFile> {
  const handle = await onFile(file, () => fs.promises.open(file, fs.constants.O_RDONLY));
  return {
    read: async (into) => {
      const { bytesRead } = await onFile(file, () => handle.read(into, 0, into.length, null));
      return bytesRead;
    },
    keep: () => onFile(file, () => handle.sync()),
    close: () => handle.close(),
  };
}

async function onFile<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const cause = fromNodeError(error, file);
    const reason = cause instanceof FeedError ? REASONS[cause.code] : undefined;
    if (reason === undefined) throw cause;
    throw new SendError('baseline', `no baseline can be had: ${reason}`, { cause });
  }
}
