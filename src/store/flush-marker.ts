/**
 * The file `flushed`: which LMDB transaction is known to be on disk.
 *
 * Invariant: transaction N+1 is committed only after the marker says N. So after a
 * power cut the newest transaction is either flushed, or its predecessor is and is
 * still intact, and that one is opened instead (MDB_PREVSNAPSHOT).
 *
 * Bytes, little-endian: magic u32 "FDFL", version u32, transaction u64,
 * boot id 36 bytes of text, CRC-32 of all before. One sector, rewritten in place.
 */
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  openSync,
  readFileSync,
  readSync,
  write,
  writeSync,
} from 'node:fs';
import { crc32 } from 'node:zlib';

const MAGIC = 0x4c46_4446;
const VERSION = 1;
const BYTES = 56;
const BOOT_ID_BYTES = 36;

export interface Flushed {
  readonly transaction: number;
  /** The boot in which it was written; the page cache of another boot is gone. */
  readonly bootId: string;
}

export function currentBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim().slice(0, BOOT_ID_BYTES);
}

export function encodeFlushed({ transaction, bootId }: Flushed): Buffer {
  const bytes = Buffer.alloc(BYTES);
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt32LE(VERSION, 4);
  bytes.writeBigUInt64LE(BigInt(transaction), 8);
  bytes.write(bootId, 16, BOOT_ID_BYTES, 'latin1');
  bytes.writeUInt32LE(crc32(bytes.subarray(0, BYTES - 4)), BYTES - 4);
  return bytes;
}

/** Undefined for bytes that are not a whole marker. */
export function decodeFlushed(bytes: Buffer): Flushed | undefined {
  if (bytes.length !== BYTES) return undefined;
  if (bytes.readUInt32LE(0) !== MAGIC || bytes.readUInt32LE(4) !== VERSION) return undefined;
  if (crc32(bytes.subarray(0, BYTES - 4)) !== bytes.readUInt32LE(BYTES - 4)) return undefined;
  return {
    transaction: Number(bytes.readBigUInt64LE(8)),
    bootId: bytes.toString('latin1', 16, 16 + BOOT_ID_BYTES),
  };
}

/**
 * Whether the newest transaction of a store can be opened: it was flushed, or it is
 * in the page cache of a machine that has not gone down since.
 */
export function isUsable(
  transaction: number,
  flushed: Flushed | undefined,
  bootId: string,
): boolean {
  return flushed !== undefined && (transaction <= flushed.transaction || flushed.bootId === bootId);
}

/** The snapshots of a file, newest first, in the order in which they are to be opened. */
export function usableSnapshots<S extends { readonly transaction: number }>(
  { snapshots }: { readonly snapshots: readonly S[] },
  flushed: Flushed | undefined,
  bootId: string,
): readonly S[] {
  const [newest, previous] = snapshots;
  if (newest === undefined || previous === undefined || previous.transaction === 0) {
    return snapshots.slice(0, 1);
  }
  return isUsable(newest.transaction, flushed, bootId) ? [newest, previous] : [previous, newest];
}

export class FlushMarker {
  readonly #fd: number;
  readonly #bootId: string;

  constructor(path: string, bootId: string) {
    this.#fd = openSync(path, 'r+');
    this.#bootId = bootId;
  }

  static create(path: string, bootId: string): void {
    const fd = openSync(path, 'wx', 0o600);
    writeSync(fd, encodeFlushed({ transaction: 0, bootId }), 0, BYTES, 0);
    closeSync(fd);
  }

  /** What the file says, or undefined if it is damaged. */
  read(): Flushed | undefined {
    const bytes = Buffer.alloc(BYTES);
    const length = readSync(this.#fd, bytes, 0, BYTES, 0);
    return length === BYTES ? decodeFlushed(bytes) : undefined;
  }

  /** Says durably that `transaction` is on disk, then calls back. */
  write(transaction: number, done: (error: Error | null) => void): void {
    const bytes = encodeFlushed({ transaction, bootId: this.#bootId });
    write(this.#fd, bytes, 0, BYTES, 0, (error) => {
      if (error) done(error);
      else fdatasync(this.#fd, done);
    });
  }

  /** As {@link write}, at once: for the opening of a store. */
  writeNow(transaction: number): void {
    writeSync(this.#fd, encodeFlushed({ transaction, bootId: this.#bootId }), 0, BYTES, 0);
    fdatasyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
