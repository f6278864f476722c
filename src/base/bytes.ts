/** Whole numbers below 2^53 as eight bytes, little-endian: a u64 without the cost of bigint. */
const TWO_32 = 2 ** 32;

export function putU64(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32LE(value % TWO_32, at);
  bytes.writeUInt32LE(Math.floor(value / TWO_32), at + 4);
}

export function getU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * TWO_32;
}
