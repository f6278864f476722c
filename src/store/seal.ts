/**
 * The seal of a stored value: a CRC-32 of its bytes behind them, so that a flipped
 * bit in the file damages one entry and never passes for an answer.
 */
import { crc32 } from 'node:zlib';

/** Bytes that a seal adds. */
export const SEAL_BYTES = 4;

/** Writes the seal of a value behind it, into a buffer that begins with the value. */
export function writeSeal(bytes: Buffer, value: Uint8Array): void {
  bytes.writeUInt32LE(crc32(value), value.byteLength);
}

/** The value without its seal, or undefined if it is damaged. */
export function unseal(sealed: Buffer): Buffer | undefined {
  const length = sealed.byteLength - SEAL_BYTES;
  if (length < 0) return undefined;
  const value = sealed.subarray(0, length);
  return crc32(value) === sealed.readUInt32LE(length) ? value : undefined;
}
