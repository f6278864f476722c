/**
 * The bytes that a key signs (FORMAT.md). The first byte says what they are, so that what
 * was signed as one thing is never good as another.
 */
import { putU64 } from '../../base/bytes.js';
import type { Capability, ClientId, Receipt, Xid } from '../../rpc/session.js';

const CAPABILITY = 1;
const RECEIPT = 2;

const CLIENT_AT = 1;
const CLIENT_BYTES = 16;

/** Of a capability, all of it; of a receipt, what stands before the request. */
export const CAPABILITY_BYTES = 54;
export const RECEIPT_HEAD_BYTES = 69;

const CapabilityAt = { fid: 17, handle: 25, rights: 33, uid: 34, expires: 38, key: 46 } as const;
const ReceiptAt = {
  xid: 17,
  transno: 25,
  seconds: 33,
  nanoseconds: 41,
  fid: 45,
  handle: 53,
  key: 61,
} as const;

// What is signed is hashed before the next one is put there.
const capabilityBuffer = Buffer.alloc(CAPABILITY_BYTES);
const receiptBuffer = Buffer.alloc(RECEIPT_HEAD_BYTES);

/** Valid until the next call. */
export function capabilityBytes(client: ClientId, open: Omit<Capability, 'mac'>): Buffer {
  const bytes = capabilityBuffer;
  bytes[0] = CAPABILITY;
  bytes.write(client, CLIENT_AT, CLIENT_BYTES, 'hex');
  putU64(bytes, CapabilityAt.fid, open.fid);
  putU64(bytes, CapabilityAt.handle, open.handle);
  bytes[CapabilityAt.rights] = open.rights === 'write' ? 1 : 0;
  bytes.writeUInt32LE(open.uid, CapabilityAt.uid);
  putU64(bytes, CapabilityAt.expires, open.expires);
  putU64(bytes, CapabilityAt.key, open.key);
  return bytes;
}

/** Valid until the next call; the request's bytes follow. */
export function receiptHead(client: ClientId, xid: Xid, receipt: Omit<Receipt, 'mac'>): Buffer {
  const bytes = receiptBuffer;
  bytes[0] = RECEIPT;
  bytes.write(client, CLIENT_AT, CLIENT_BYTES, 'hex');
  putU64(bytes, ReceiptAt.xid, xid);
  putU64(bytes, ReceiptAt.transno, receipt.transno);
  bytes.writeBigInt64LE(BigInt(receipt.time.sec), ReceiptAt.seconds);
  bytes.writeUInt32LE(receipt.time.nsec, ReceiptAt.nanoseconds);
  putU64(bytes, ReceiptAt.fid, receipt.fid);
  // No handle is 0.
  putU64(bytes, ReceiptAt.handle, receipt.handle ?? 0);
  putU64(bytes, ReceiptAt.key, receipt.key);
  return bytes;
}
