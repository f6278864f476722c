/**
 * Messages that we send unasked: an out header with `unique` 0 and the
 * notification's code in the place of the error.
 */
import type { FileName } from '../../base/name.js';
import { NotifyCode } from './abi.js';
import {
  fuse_notify_delete_out,
  fuse_notify_inval_entry_out,
  fuse_notify_inval_inode_out,
  fuse_notify_poll_wakeup_out,
  fuse_out_header,
} from './structs.js';

const BODY = fuse_out_header.size;

function notification(code: number, bodyBytes: number): Buffer {
  const bytes = Buffer.alloc(BODY + bodyBytes);
  bytes.writeUInt32LE(bytes.length, fuse_out_header.len);
  bytes.writeInt32LE(code, fuse_out_header.error);
  return bytes;
}

function putU64(bytes: Buffer, at: number, value: number): void {
  bytes.writeBigInt64LE(BigInt(value), BODY + at);
}

/** Names are sent with a NUL that their length does not count. */
function putName(bytes: Buffer, at: number, name: FileName): void {
  bytes.write(name, BODY + at, 'latin1');
}

/** A wake-up with an empty poll handle: {@link setPollHandle} fills it in, so one buffer serves all. */
export function pollWakeupTemplate(): Buffer {
  return notification(NotifyCode.POLL, fuse_notify_poll_wakeup_out.size);
}

export function setPollHandle(template: Buffer, kh: number): void {
  const at = BODY + fuse_notify_poll_wakeup_out.kh;
  template.writeUInt32LE(kh >>> 0, at);
  template.writeUInt32LE(Math.floor(kh / 2 ** 32), at + 4);
}

/** `length` 0 is everything from `offset`; a negative `offset` is the attributes only. */
export function encodeInvalidateInode(nodeId: number, offset: number, length: number): Buffer {
  const at = fuse_notify_inval_inode_out;
  const bytes = notification(NotifyCode.INVAL_INODE, at.size);
  putU64(bytes, at.ino, nodeId);
  putU64(bytes, at.off, offset);
  putU64(bytes, at.len, length);
  return bytes;
}

export function encodeInvalidateEntry(parent: number, name: FileName): Buffer {
  const at = fuse_notify_inval_entry_out;
  const bytes = notification(NotifyCode.INVAL_ENTRY, at.size + name.length + 1);
  putU64(bytes, at.parent, parent);
  bytes.writeUInt32LE(name.length, BODY + at.namelen);
  putName(bytes, at.size, name);
  return bytes;
}

export function encodeDeleteEntry(parent: number, child: number, name: FileName): Buffer {
  const at = fuse_notify_delete_out;
  const bytes = notification(NotifyCode.DELETE, at.size + name.length + 1);
  putU64(bytes, at.parent, parent);
  putU64(bytes, at.child, child);
  bytes.writeUInt32LE(name.length, BODY + at.namelen);
  putName(bytes, at.size, name);
  return bytes;
}

/** A header alone. */
export function encodeIncrementEpoch(): Buffer {
  return notification(NotifyCode.INC_EPOCH, 0);
}
