/** INIT, the first request of a connection and the only one whose answer shapes the others. */
import { Errno, FsError } from '../../base/errno.js';
import { CapabilityBit, FUSE_KERNEL_VERSION } from './abi.js';
import { BODY, type ReplyBuffer } from './encode.js';
import type { Message } from './message.js';
import { FUSE_COMPAT_INIT_IN_SIZE, fuse_init_in, fuse_init_out } from './structs.js';

export interface InitRequest {
  readonly major: number;
  readonly minor: number;
  readonly maxReadaheadBytes: number;
  /** What the kernel can do: bit numbers are CapabilityBit. */
  readonly flags: bigint;
}

export interface InitAnswer {
  readonly minor: number;
  readonly maxReadaheadBytes: number;
  readonly flags: bigint;
  readonly maxBackground: number;
  readonly congestionThreshold: number;
  readonly maxWriteBytes: number;
  readonly timeGranularityNs: number;
  readonly maxPages: number;
}

const INIT_EXT = 1n << BigInt(CapabilityBit.INIT_EXT);

/** Kernels before 5.17 send the short form; a newer one may append what this code does not know. */
export function decodeInit(m: Message): InitRequest {
  m.atLeast(FUSE_COMPAT_INIT_IN_SIZE);
  let flags = BigInt(m.u32(fuse_init_in.flags));
  if (flags & INIT_EXT) {
    if (m.bodyBytes < fuse_init_in.size) throw new FsError(Errno.EPROTO, 'malformed INIT');
    flags |= BigInt(m.u32(fuse_init_in.flags2)) << 32n;
  }
  return {
    major: m.u32(fuse_init_in.major),
    minor: m.u32(fuse_init_in.minor),
    maxReadaheadBytes: m.u32(fuse_init_in.max_readahead),
    flags,
  };
}

/** Writes fuse_init_out into `out`; returns the body's bytes. */
export function encodeInit(out: ReplyBuffer, answer: InitAnswer): number {
  out.zero(BODY, fuse_init_out.size);
  out.u32(BODY + fuse_init_out.major, FUSE_KERNEL_VERSION);
  out.u32(BODY + fuse_init_out.minor, answer.minor);
  out.u32(BODY + fuse_init_out.max_readahead, answer.maxReadaheadBytes);
  out.u32(BODY + fuse_init_out.flags, Number(answer.flags & 0xffff_ffffn));
  out.u16(BODY + fuse_init_out.max_background, answer.maxBackground);
  out.u16(BODY + fuse_init_out.congestion_threshold, answer.congestionThreshold);
  out.u32(BODY + fuse_init_out.max_write, answer.maxWriteBytes);
  out.u32(BODY + fuse_init_out.time_gran, answer.timeGranularityNs);
  out.u16(BODY + fuse_init_out.max_pages, answer.maxPages);
  out.u32(BODY + fuse_init_out.flags2, Number(answer.flags >> 32n));
  return fuse_init_out.size;
}

/** The answer to a kernel of a newer major version: ours, whereupon it sends INIT again in our terms. */
export function encodeInitMajor(out: ReplyBuffer): number {
  out.zero(BODY, fuse_init_out.size);
  out.u32(BODY + fuse_init_out.major, FUSE_KERNEL_VERSION);
  return fuse_init_out.size;
}
