/** Receiving an open descriptor from a child process: a socket pair and SCM_RIGHTS (unix(7), cmsg(3)). */
import { Errno, FsError } from '../base/errno.js';
import * as libc from './libc.js';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x4000_0000;

/** struct msghdr on 64-bit Linux: offsets of the fields that are used. */
const msghdr = { msg_iov: 16, msg_iovlen: 24, msg_control: 32, msg_controllen: 40, size: 56 };
const iovec = { iov_base: 0, iov_len: 8, size: 16 };
/** struct cmsghdr, and the descriptor behind it. */
const cmsghdr = { cmsg_len: 0, cmsg_level: 8, cmsg_type: 12, data: 16, size: 24 };

export interface FdChannel {
  /** For the child to inherit. The caller closes both. */
  readonly remoteFd: number;
  readonly localFd: number;
  /** The descriptor that was sent, made non-blocking; undefined if none is there. */
  receive(): number | undefined;
}

/** Throws FsError if there are no descriptors left. */
export function openFdChannel(): FdChannel {
  const pair = Buffer.alloc(8);
  if (libc.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) !== 0) {
    throw new FsError(Errno.EMFILE, 'socketpair');
  }
  const localFd = pair.readInt32LE(0);
  return { localFd, remoteFd: pair.readInt32LE(4), receive: () => receiveFd(localFd) };
}

function receiveFd(socket: number): number | undefined {
  const byte = Buffer.alloc(1);
  const control = Buffer.alloc(cmsghdr.size);
  const vector = Buffer.alloc(iovec.size);
  vector.writeBigUInt64LE(libc.addressOf(byte), iovec.iov_base);
  vector.writeBigUInt64LE(BigInt(byte.length), iovec.iov_len);
  const message = Buffer.alloc(msghdr.size);
  message.writeBigUInt64LE(libc.addressOf(vector), msghdr.msg_iov);
  message.writeBigUInt64LE(1n, msghdr.msg_iovlen);
  message.writeBigUInt64LE(libc.addressOf(control), msghdr.msg_control);
  message.writeBigUInt64LE(BigInt(control.length), msghdr.msg_controllen);

  if (libc.recvmsg(socket, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0) return undefined;
  const controlBytes = message.readBigUInt64LE(msghdr.msg_controllen);
  if (controlBytes < BigInt(cmsghdr.data + 4)) return undefined;
  if (control.readInt32LE(cmsghdr.cmsg_level) !== SOL_SOCKET) return undefined;
  if (control.readInt32LE(cmsghdr.cmsg_type) !== SCM_RIGHTS) return undefined;
  const fd = control.readInt32LE(cmsghdr.data);
  return libc.setNonBlocking(fd) ? fd : undefined;
}
