/** Requests as the kernel would write them, and a session's parts without a kernel. */
import { must } from '../../src/base/assert.js';
import type { Handlers } from '../../src/fuse/api.js';
import { Dispatcher, type DispatcherOptions } from '../../src/fuse/dispatcher.js';
import { FUSE_KERNEL_MINOR_VERSION, Opcode } from '../../src/fuse/wire/abi.js';
import { Message } from '../../src/fuse/wire/message.js';

export const u16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
};
export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};
export const i32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
};
export const u64 = (value: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
};
export const cstring = (text: string): Buffer => Buffer.from(`${text}\0`, 'latin1');

/** The fields of a reply or structure, one after the other. */
export const bytesOf = (...fields: readonly Uint8Array[]): Buffer => Buffer.concat(fields);

export interface HeaderFields {
  readonly unique?: number | bigint;
  readonly nodeId?: number | bigint;
  readonly uid?: number;
  readonly gid?: number;
  readonly pid?: number;
}

/** A whole request: fuse_in_header and body. */
export function request(
  opcode: number,
  body: Uint8Array = Buffer.alloc(0),
  head: HeaderFields = {},
) {
  return bytesOf(
    u32(40 + body.length), // len
    u32(opcode), // opcode
    u64(head.unique ?? 2), // unique
    u64(head.nodeId ?? 1), // nodeid
    u32(head.uid ?? 1000), // uid
    u32(head.gid ?? 1001), // gid
    u32(head.pid ?? 4242), // pid
    u16(0), // total_extlen
    u16(0), // padding
    body,
  );
}

/** fuse_init_in in its long form. */
export function initBody(flags: number, flags2 = 0, minor = FUSE_KERNEL_MINOR_VERSION, major = 7) {
  return bytesOf(
    u32(major), // major
    u32(minor), // minor
    u32(131_072), // max_readahead
    u32(flags), // flags
    u32(flags2), // flags2
    Buffer.alloc(44), // unused
  );
}

/** A dispatcher whose input buffer starts out full of rubbish, and all that it sent. */
export class Harness {
  readonly sent: Buffer[] = [];
  readonly faults: [operation: string, error: unknown][] = [];
  readonly fatal: Error[] = [];
  readonly dispatcher: Dispatcher;
  readonly message = new Message(Buffer.alloc(8192, 0xa5));

  constructor(handlers: Handlers, options: Partial<DispatcherOptions> = {}) {
    this.dispatcher = new Dispatcher(handlers, {
      onFault: (operation, error) => this.faults.push([operation, error]),
      onFatal: (error) => this.fatal.push(error),
      ...options,
      transmit: (bytes, length) => this.sent.push(Buffer.from(bytes.subarray(0, length))),
    });
  }

  /** Hands over one request; the buffer keeps what earlier, longer ones left there. */
  deliver(bytes: Buffer): void {
    bytes.copy(this.message.bytes);
    this.dispatcher.dispatch(this.message, bytes.length);
  }

  /** Everything sent since the last call. */
  take(): Buffer[] {
    return this.sent.splice(0);
  }

  /** The one reply to a request. */
  ask(bytes: Buffer): Buffer {
    this.deliver(bytes);
    const [reply, ...more] = this.take();
    if (more.length > 0) throw new Error(`${more.length + 1} replies to one request`);
    return must(reply, 'reply');
  }

  /** Agrees on everything that the defaults ask for. */
  init(): Buffer {
    return this.ask(request(Opcode.INIT, initBody(0x7fff_ffff, 0xffff_ffff)));
  }
}

/** errno of a reply; 0 for success. */
export function errnoIn(reply: Buffer): number {
  return -reply.readInt32LE(4);
}

export function uniqueIn(reply: Buffer): bigint {
  return reply.readBigUInt64LE(8);
}

export function bodyOf(reply: Buffer): Buffer {
  return reply.subarray(16);
}
