/**
 * INIT negotiation: what the kernel offered, what we want, what both agree on.
 * The two sets stay apart, because a capability that we asked for and did not
 * get is a fact that the filesystem may have to act on.
 */
import { Errno, FsError } from '../base/errno.js';
import type { Handlers } from './api.js';
import {
  BACKGROUND_REQUESTS_DEFAULT,
  IO_BYTES_MAX,
  IO_PAGES_MAX,
  READAHEAD_BYTES_DEFAULT,
} from './limits.js';
import {
  CapabilityBit,
  type CapabilityName,
  FUSE_KERNEL_MINOR_VERSION,
  FUSE_KERNEL_VERSION,
  FUSE_MINOR_MIN,
} from './wire/abi.js';
import type { InitAnswer, InitRequest } from './wire/init.js';

/** Capabilities asked for unless the owner says otherwise. */
export const DEFAULT_CAPABILITIES: readonly CapabilityName[] = [
  'ASYNC_READ',
  'ATOMIC_O_TRUNC',
  'BIG_WRITES',
  'DO_READDIRPLUS',
  'READDIRPLUS_AUTO',
  'PARALLEL_DIROPS',
  'ABORT_ERROR',
  'MAX_PAGES',
  'CACHE_SYMLINKS',
  'HANDLE_KILLPRIV_V2',
  'SETXATTR_EXT',
];

/** Capabilities that this code cannot honour, each with the reason. Asking for one is an error. */
export const REFUSED_CAPABILITIES: Readonly<Partial<Record<CapabilityName, string>>> = {
  FILE_OPS: 'never implemented by any kernel',
  SPLICE_WRITE: 'data passes through a buffer; there is no splice path',
  SPLICE_MOVE: 'data passes through a buffer; there is no splice path',
  SPLICE_READ: 'data passes through a buffer; there is no splice path',
  HANDLE_KILLPRIV: 'superseded by HANDLE_KILLPRIV_V2, which says when to clear set-id bits',
  NO_OPEN_SUPPORT: 'opens carry state; leave out the open handler to get the same',
  NO_OPENDIR_SUPPORT: 'opens carry state; leave out the opendir handler to get the same',
  MAP_ALIGNMENT: 'DAX windows exist on virtio-fs only',
  HAS_INODE_DAX: 'DAX windows exist on virtio-fs only',
  SUBMOUNTS: 'attribute flags are always written as 0',
  INIT_EXT: 'set by the session itself when a capability above bit 31 is agreed',
  SECURITY_CTX: 'the security context appended to create requests is not decoded',
  CREATE_SUPP_GROUP: 'the group extension appended to create requests is not decoded',
  PASSTHROUGH: 'backing files are not registered with the device',
  HAS_RESEND: 'the session never asks the kernel to send requests again',
  ALLOW_IDMAP: 'ids are taken as the kernel gives them',
  OVER_IO_URING: 'requests are read from the device',
  REQUEST_TIMEOUT: 'a blocking read may wait for ever, and the kernel would abort the connection',
};

export interface NegotiationOptions {
  /** Replaces {@link DEFAULT_CAPABILITIES}. */
  readonly capabilities?: readonly CapabilityName[];
  /** Added to whichever list holds, for instance POSIX_ACL, EXPLICIT_INVAL_DATA, DONT_MASK. */
  readonly extraCapabilities?: readonly CapabilityName[];
  /** Bytes of the largest WRITE, at most 1 MiB. */
  readonly maxWriteBytes?: number;
  readonly maxReadaheadBytes?: number;
  /** Requests that the kernel may queue on nobody's behalf. */
  readonly maxBackground?: number;
  /** Resolution of the filesystem's timestamps in nanoseconds. */
  readonly timeGranularityNs?: number;
}

/** What a connection turned out to be. */
export interface Connection {
  readonly kernelMinor: number;
  readonly minor: number;
  readonly offered: ReadonlySet<CapabilityName>;
  readonly agreed: ReadonlySet<CapabilityName>;
  /** Asked for, and not offered by this kernel. */
  readonly missing: ReadonlySet<CapabilityName>;
  readonly maxWriteBytes: number;
  readonly maxReadaheadBytes: number;
  readonly maxBackground: number;
}

/** The capabilities to ask for. Throws EINVAL, naming the reason, for one that cannot be honoured. */
export function wantedCapabilities(
  options: NegotiationOptions,
  handlers: Handlers,
): Set<CapabilityName> {
  const wanted = new Set([
    ...(options.capabilities ?? DEFAULT_CAPABILITIES),
    ...(options.extraCapabilities ?? []),
  ]);
  for (const name of wanted) {
    const reason = REFUSED_CAPABILITIES[name];
    if (reason !== undefined) throw new FsError(Errno.EINVAL, `FUSE_${name}: ${reason}`);
  }
  // Without a handler the kernel's own (local) locks must stay in charge.
  const locks = handlers.setlk !== undefined && handlers.setlkw !== undefined;
  if (locks && handlers.getlk !== undefined) wanted.add('POSIX_LOCKS');
  if (locks) wanted.add('FLOCK_LOCKS');
  if (handlers.readdirplus === undefined) {
    wanted.delete('DO_READDIRPLUS');
    wanted.delete('READDIRPLUS_AUTO');
  }
  return wanted;
}

export function capabilitySet(flags: bigint): Set<CapabilityName> {
  const names = Object.keys(CapabilityBit) as CapabilityName[];
  return new Set(names.filter((name) => flags & bitOf(name)));
}

function bitOf(name: CapabilityName): bigint {
  return 1n << BigInt(CapabilityBit[name]);
}

/** A kernel of a newer major version must be told ours and asked again. */
export function isNewerMajor(request: InitRequest): boolean {
  return request.major > FUSE_KERNEL_VERSION;
}

/** The answer to INIT. Throws EPROTO for a kernel whose protocol is too old. */
export function negotiate(
  request: InitRequest,
  wanted: ReadonlySet<CapabilityName>,
  options: NegotiationOptions,
): { answer: InitAnswer; connection: Connection } {
  if (request.major < FUSE_KERNEL_VERSION || request.minor < FUSE_MINOR_MIN) {
    throw new FsError(
      Errno.EPROTO,
      `this kernel speaks FUSE ${request.major}.${request.minor}; ` +
        `${FUSE_KERNEL_VERSION}.${FUSE_MINOR_MIN} or newer is needed (Linux 5.4)`,
    );
  }
  const offered = capabilitySet(request.flags);
  const agreed = new Set([...wanted].filter((name) => offered.has(name)));
  const missing = new Set([...wanted].filter((name) => !offered.has(name)));
  let flags = 0n;
  for (const name of agreed) flags |= bitOf(name);
  if (flags >> 32n !== 0n) flags |= bitOf('INIT_EXT');

  const maxBackground = options.maxBackground ?? BACKGROUND_REQUESTS_DEFAULT;
  const answer: InitAnswer = {
    minor: Math.min(request.minor, FUSE_KERNEL_MINOR_VERSION),
    maxReadaheadBytes: Math.min(
      request.maxReadaheadBytes,
      options.maxReadaheadBytes ?? READAHEAD_BYTES_DEFAULT,
    ),
    flags,
    maxBackground,
    congestionThreshold: Math.floor((maxBackground * 3) / 4),
    maxWriteBytes: Math.min(options.maxWriteBytes ?? IO_BYTES_MAX, IO_BYTES_MAX),
    timeGranularityNs: options.timeGranularityNs ?? 1,
    maxPages: agreed.has('MAX_PAGES') ? IO_PAGES_MAX : 0,
  };
  const connection: Connection = {
    kernelMinor: request.minor,
    minor: answer.minor,
    offered,
    agreed,
    missing,
    maxWriteBytes: answer.maxWriteBytes,
    maxReadaheadBytes: answer.maxReadaheadBytes,
    maxBackground,
  };
  return { answer, connection };
}
