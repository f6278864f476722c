/**
 * The seal of a stored value: a CRC-32 of its bytes behind them, so that a flipped
 * bit in the file damages one entry and never passes for an answer.
 */
import { crc32 } from 'node:zlib';

/** Bytes that a seal adds. */
export const SEAL_BYTES = 4;

/** Writes the seal of the first `length` bytes behind them. */
export function seal(bytes: Buffer, length: number): void {
  bytes.writeUInt32LE(crc32(bytes.subarray(0, length)), length);
}

/** The value without its seal, or undefined if it is damaged. */
export function unseal(sealed: Buffer): Buffer | undefined {
  const length = sealed.byteLength - SEAL_BYTES;
  if (length < 0) return undefined;
  const value = sealed.subarray(0, length);
  return crc32(value) === sealed.readUInt32LE(length) ? value : undefined;
}
