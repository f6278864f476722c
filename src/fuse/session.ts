/** A served mount: device, dispatcher, notifications and loop put together. */
import { availableParallelism } from 'node:os';
import debug from 'debug';
import { assert } from '../base/assert.js';
import { Errno, errnoName } from '../base/errno.js';
import type { CoherentNotifier, Handlers, LoopHooks } from './api.js';
import type { Device } from './device.js';
import { Dispatcher } from './dispatcher.js';
import {
  BUSY_POLL_US_DEFAULT,
  BUSY_POLL_US_MAX,
  REQUEST_BYTES_MAX,
  SLICE_US_DEFAULT,
} from './limits.js';
import { Loop } from './loop.js';
import type { Connection, NegotiationOptions } from './negotiate.js';
import { NotificationQueue } from './notifier.js';
import type { RequestStats } from './request-stats.js';
import { Message } from './wire/message.js';
import { fuse_out_header } from './wire/structs.js';

const log = debug('feedfs:fuse');

export interface SessionOptions extends NegotiationOptions {
  readonly hooks?: LoopHooks;
  /** Busy-polling after the last request in microseconds: 0..10,000. Default 50, on one core 0. */
  readonly busyPollUs?: number;
  /** Longest time without a turn of the event loop, in microseconds. Default 1,000. */
  readonly sliceUs?: number;
  /** A handler threw what is no FsError (the caller got EIO), or the kernel sent nonsense. Default: debug log. */
  readonly onFault?: (operation: string, error: unknown) => void;
  /** Counts requests, for whoever wants to know. */
  readonly stats?: RequestStats | undefined;
  /** Monotonic clock in microseconds. */
  readonly nowUs?: () => number;
}

/** Why a session ended: unmounted (or aborted) by the kernel, closed by its owner, or a failure. */
export type SessionEnd = 'unmounted' | 'closed' | Error;

const NO_HOOKS: LoopHooks = { tick: () => false };

export class Session {
  readonly notifier: CoherentNotifier;
  /** Resolves when INIT was answered: from then on the mount works. Never rejects. */
  readonly connected: Promise<Connection>;
  /** Resolves once, after the last handler ran. Never rejects. */
  readonly ended: Promise<SessionEnd>;

  readonly #device: Device;
  readonly #handlers: Handlers;
  readonly #dispatcher: Dispatcher;
  readonly #notifications: NotificationQueue;
  readonly #loop: Loop;
  readonly #onFault: (operation: string, error: unknown) => void;
  #resolveEnded: (end: SessionEnd) => void = () => undefined;
  #started = false;
  #over = false;

  /** Takes over the device. Throws EINVAL for a capability that cannot be honoured. */
  constructor(device: Device, handlers: Handlers, options: SessionOptions = {}) {
    this.#device = device;
    this.#handlers = handlers;
    this.#onFault = options.onFault ?? logFault;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    let connected: (connection: Connection) => void = () => undefined;
    this.connected = new Promise((resolve) => {
      connected = resolve;
    });
    this.#dispatcher = new Dispatcher(handlers, {
      ...options,
      transmit: (bytes, length) => this.#transmit(bytes, length),
      onConnected: (connection) => connected(connection),
      onFatal: (error) => this.#finish(error),
      onFault: this.#onFault,
    });
    this.#notifications = new NotificationQueue({
      send: (bytes) => this.#notify(bytes),
      attempt: (bytes) => device.write(bytes, bytes.length),
      sendAside: (bytes, done) => device.writeAside(bytes, done),
      wanted: () => this.kick(),
    });
    this.notifier = this.#notifications;
    this.#loop = this.#makeLoop(options);
  }

  /** Begins to serve requests, from the next turn of the event loop on. */
  start(): void {
    assert(!this.#started, 'a session starts once');
    this.#started = true;
    this.#loop.start();
  }

  /** Has the loop call `hooks.tick` and send notifications soon. */
  kick(): void {
    if (this.#started) this.#loop.kick();
  }

  /** Notifications that the kernel was sent. */
  get sent(): { readonly wakeups: number; readonly invalidations: number } {
    return this.#notifications.sent;
  }

  /** Requests that wait for their answer. */
  get parkedCount(): number {
    return this.#dispatcher.parkedCount;
  }

  /**
   * Stops serving and closes the device, whereupon the kernel fails every use
   * of the mount with ENOTCONN. Waiting requests end (ECONNABORTED where their
   * owner has no answer). Unmount first to leave nothing behind. Idempotent.
   */
  close(): void {
    this.#finish('closed');
  }

  #makeLoop(options: SessionOptions): Loop {
    const message = new Message(Buffer.allocUnsafeSlow(REQUEST_BYTES_MAX));
    const busyPollUs =
      options.busyPollUs ?? (availableParallelism() > 1 ? BUSY_POLL_US_DEFAULT : 0);
    assert(busyPollUs >= 0 && busyPollUs <= BUSY_POLL_US_MAX, 'busyPollUs is 0..10,000');
    return new Loop(
      {
        read: () => this.#device.read(message.bytes),
        handle: (bytes) => this.#dispatcher.dispatch(message, bytes),
        notifications: this.#notifications,
        sleep: (wake) => this.#device.sleep(wake),
        rouse: () => this.#device.rouse(),
        rest: (us) => this.#device.rest(us),
        yield: (next) => setImmediate(next),
        nowUs: options.nowUs ?? (() => performance.now() * 1000),
        ended: (error) => this.#finish(error === undefined ? 'unmounted' : asError(error)),
      },
      {
        hooks: options.hooks ?? NO_HOOKS,
        busyPollUs,
        sliceUs: options.sliceUs ?? SLICE_US_DEFAULT,
      },
    );
  }

  #transmit(bytes: Buffer, length: number): void {
    const errno = this.#device.write(bytes, length);
    if (errno === 0 || isHarmless(errno)) return;
    this.#onFault('reply', new Error(`the kernel refused a reply: ${errnoName(errno)}`));
    // Its requester still waits. An error without a body is all that can be said now.
    if (bytes.readInt32LE(fuse_out_header.error) !== 0) return;
    bytes.writeUInt32LE(fuse_out_header.size, fuse_out_header.len);
    bytes.writeInt32LE(-Errno.EIO, fuse_out_header.error);
    this.#device.write(bytes, fuse_out_header.size);
  }

  #notify(bytes: Buffer): void {
    const errno = this.#device.write(bytes, bytes.length);
    if (errno !== 0 && !isHarmless(errno)) {
      this.#onFault('notification', new Error(`refused by the kernel: ${errnoName(errno)}`));
    }
  }

  #finish(end: SessionEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#loop.stop();
    this.#notifications.close();
    this.#dispatcher.abandonParked(Errno.ECONNABORTED);
    this.#device.close();
    try {
      this.#handlers.destroy?.();
    } catch (error) {
      this.#onFault('destroy', error);
    }
    this.#resolveEnded(end);
  }
}

/** ENOENT: the requester is gone. ENODEV, ECONNABORTED: so is the mount; the next read says so. */
function isHarmless(errno: number): boolean {
  return errno === Errno.ENOENT || errno === Errno.ENODEV || errno === Errno.ECONNABORTED;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function logFault(operation: string, error: unknown): void {
  log('%s: %O', operation, error);
}
