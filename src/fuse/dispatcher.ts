/**
 * One connection's protocol, without its device: takes each request from the
 * input buffer to its handler, and each answer to `transmit`. Everything that a
 * kernel can see of us happens here and can be tested byte for byte.
 */
import { AssertionError } from '../base/assert.js';
import { Errno, FsError } from '../base/errno.js';
import type { Handlers } from './api.js';
import { REPLY_BYTES_MAX } from './limits.js';
import {
  type Connection,
  isNewerMajor,
  type NegotiationOptions,
  negotiate,
  wantedCapabilities,
} from './negotiate.js';
import { type Exchange, OPERATIONS, type Operation, UNANSWERED } from './operations.js';
import { ParkedReplies } from './parked.js';
import type { PendingReply } from './pending-reply.js';
import type { RequestStats } from './request-stats.js';
import type { CapabilityName } from './wire/abi.js';
import { BODY, ReplyBuffer } from './wire/encode.js';
import { decodeInit, encodeInit, encodeInitMajor } from './wire/init.js';
import type { Message } from './wire/message.js';
import { fuse_in_header } from './wire/structs.js';

export interface DispatcherOptions extends NegotiationOptions {
  /** Sends the first `length` bytes of `bytes`; they are reused when it returns. */
  readonly transmit: (bytes: Buffer, length: number) => void;
  /** INIT was answered. */
  readonly onConnected?: (connection: Connection) => void;
  /** The connection cannot go on (a kernel too old). */
  readonly onFatal?: (error: Error) => void;
  /** A handler threw what is no FsError, or the kernel sent what nobody understands. */
  readonly onFault?: (operation: string, error: unknown) => void;
  /** Told of every request. */
  readonly stats?: RequestStats | undefined;
}

export class Dispatcher implements Exchange {
  readonly handlers: Handlers;
  readonly out = new ReplyBuffer(REPLY_BYTES_MAX);

  readonly #options: DispatcherOptions;
  readonly #wanted: ReadonlySet<CapabilityName>;
  readonly #operations: readonly (Operation | undefined)[];
  readonly #parked = new ParkedReplies();
  readonly #unknownSeen = new Set<number>();
  /** Of the request in hand. */
  #opcode = 0;

  /** Throws EINVAL if a capability is asked for that cannot be honoured. */
  constructor(handlers: Handlers, options: DispatcherOptions) {
    this.handlers = handlers;
    this.#options = options;
    this.#wanted = wantedCapabilities(options, handlers);
    // An array indexed by opcode: one load per request instead of a property lookup by name.
    const table: (Operation | undefined)[] = [];
    for (const [opcode, operation] of Object.entries(OPERATIONS)) table[Number(opcode)] = operation;
    this.#operations = table;
  }

  /** Requests that wait for their answer. */
  get parkedCount(): number {
    return this.#parked.size;
  }

  /** Handles the request of `length` bytes that stands in `message`'s buffer. Never throws. */
  dispatch(message: Message, length: number): void {
    if (!message.load(length)) {
      const error = new FsError(Errno.EPROTO, `no valid header in ${length} bytes`);
      this.#fault('request', error);
      // Whoever asked must not wait for ever, if it can be told at all.
      if (length >= fuse_in_header.size) this.failed(message, 'request', error);
      return;
    }
    const operation = this.#operations[message.opcode];
    if (operation === undefined) this.#unknown(message);
    else this.#run(operation, message);
  }

  #run(operation: Operation, message: Message): void {
    const { stats } = this.#options;
    if (stats === undefined) return operation.run(message, this);
    const { opcode } = message;
    this.#opcode = opcode;
    const fromUs = stats.nowUs();
    operation.run(message, this);
    stats.handled(opcode, stats.nowUs() - fromUs);
  }

  /** Ends all waiting requests, with `errno` where their owner does not say otherwise. */
  abandonParked(errno: Errno): void {
    this.#parked.abandonAll(errno, (error) => this.#fault('cancel', error));
  }

  // ------------------------------------------------- what operations ask of us

  send(length: number): void {
    this.#options.transmit(this.out.bytes, length);
  }

  settled(unique: number): void {
    this.#parked.remove(unique);
    this.#options.stats?.settled(unique);
  }

  refuse(request: Message, errno: Errno): void {
    this.out.owner = undefined;
    this.out.header(request.uniqueLow, request.uniqueHigh, errno, 0);
    this.send(BODY);
  }

  failed(request: Message, operation: string, error: unknown, reply?: PendingReply): void {
    const expected = error instanceof FsError;
    const late = reply?.answered === true;
    if (!expected || late) this.#fault(operation, error);
    if (late || UNANSWERED.has(request.opcode)) return;
    const errno = expected ? error.errno : Errno.EIO;
    if (reply === undefined) this.refuse(request, errno);
    else reply.abandon(errno);
  }

  park(reply: PendingReply): void {
    if (this.#parked.add(reply)) {
      this.#options.stats?.parked(this.#opcode, reply.unique);
      return;
    }
    reply.abandon(Errno.ENOMEM);
    this.#fault('park', new FsError(Errno.ENOMEM, 'too many requests wait for an answer'));
  }

  init(request: Message): void {
    try {
      const init = decodeInit(request);
      if (isNewerMajor(init)) {
        this.#answer(request, encodeInitMajor(this.out));
        return;
      }
      const { answer, connection } = negotiate(init, this.#wanted, this.#options);
      request.extendedSetxattr = connection.agreed.has('SETXATTR_EXT');
      this.#answer(request, encodeInit(this.out, answer));
      this.#options.onConnected?.(connection);
    } catch (error) {
      this.failed(request, 'INIT', error);
      this.#options.onFatal?.(error instanceof Error ? error : new Error(String(error)));
    }
  }

  interrupt(request: Message, unique: number): void {
    const reply = this.#parked.get(unique);
    if (reply !== undefined) {
      reply.interrupt();
      return;
    }
    // Either its answer crossed the interrupt, and the kernel drops what we say
    // (ENOENT), or the request has not come yet: EAGAIN queues the interrupt again.
    this.refuse(request, Errno.EAGAIN);
  }

  #answer(request: Message, bodyBytes: number): void {
    this.out.header(request.uniqueLow, request.uniqueHigh, 0, bodyBytes);
    this.send(BODY + bodyBytes);
  }

  #unknown(message: Message): void {
    if (!this.#unknownSeen.has(message.opcode)) {
      this.#unknownSeen.add(message.opcode);
      this.#fault(`opcode ${message.opcode}`, new AssertionError('unknown operation: ENOSYS'));
    }
    this.refuse(message, Errno.ENOSYS);
  }

  #fault(operation: string, error: unknown): void {
    this.#options.onFault?.(operation, error);
  }
}
