/**
 * A {@link Channel} over a stream of bytes: a unix socket, or TLS. Messages are encoded when
 * they are sent, so nothing of them is referred to afterwards.
 */
import type { Duplex } from 'node:stream';
import createDebug from 'debug';
import type { Channel, ChannelEvents, Peer } from '../channel.js';
import { MESSAGE_BYTES_MAX } from '../limits.js';
import type { BusyPoll } from './busy-poll.js';
import type { DirectIo } from './direct-io.js';
import { flushSoon } from './flusher.js';
import { FrameReader, writeFrame } from './frame.js';
import { FRAME_HEADER_BYTES, LINGER_MS, MESSAGES_PER_TURN, QUEUED_BYTES_MAX } from './limits.js';
import type { MessageCodec } from './messages.js';
import { WireError } from './wire-error.js';
import { Writer } from './writer.js';

const debug = createDebug('feedfs:rpc');

/** Most turns send less than this. */
const FIRST_BYTES = 4_096;
/** What one turn may send, until a message more is too much. */
const TURN_BYTES_MAX = QUEUED_BYTES_MAX + MESSAGE_BYTES_MAX + FRAME_HEADER_BYTES;

export interface SocketChannelOptions<Out, In> {
  readonly peer: Peer;
  readonly sends: MessageCodec<Out>;
  readonly receives: MessageCodec<In>;
  /** Bytes of the first message that comes, at most. Default MESSAGE_BYTES_MAX. */
  readonly firstMax?: number | undefined;
  /** Past the stream, where there is nothing between it and the descriptor. */
  readonly direct?: DirectIo | undefined;
  /** Told of whatever comes. */
  readonly busyPoll?: BusyPoll | undefined;
}

type State = 'open' | 'closing' | 'closed';

export class SocketChannel<Out, In> implements Channel<Out, In> {
  readonly peer: Peer;
  readonly #stream: Duplex;
  readonly #sends: MessageCodec<Out>;
  readonly #receives: MessageCodec<In>;
  readonly #direct: DirectIo | undefined;
  readonly #busyPoll: BusyPoll | undefined;
  readonly #frames: FrameReader;
  readonly #pending = new Writer(FIRST_BYTES, TURN_BYTES_MAX);
  #events: ChannelEvents<In> | undefined;
  #state: State = 'open';
  #paused = false;
  /** The rest of what came is handled in another turn. */
  #scheduled = false;
  /** The stream gives nothing more until what it gave is handled. */
  #held = false;
  #handling = false;
  #reason: string | undefined;
  /** The stream is closed; what came before its end may still be delivered. */
  #over = false;
  #linger: NodeJS.Timeout | undefined;

  constructor(stream: Duplex, options: SocketChannelOptions<Out, In>) {
    const { peer, sends, receives, firstMax, direct, busyPoll } = options;
    this.peer = peer;
    this.#frames = new FrameReader(firstMax);
    this.#direct = direct;
    this.#busyPoll = busyPoll;
    this.#stream = stream;
    this.#sends = sends;
    this.#receives = receives;
    stream.on('error', (error) => {
      this.#reason ??= error.message;
    });
    stream.on('end', () => {
      this.#reason ??= 'the other side closed the connection';
    });
    stream.on('close', () => this.#gone());
  }

  get queuedBytes(): number {
    return this.#pending.length + this.#stream.writableLength;
  }

  listen(events: ChannelEvents<In>): void {
    this.#events = events;
    if (this.#state === 'closed') {
      queueMicrotask(() => events.closed(this.#reason ?? 'closed'));
      return;
    }
    this.#stream.on('data', (chunk: Buffer) => {
      if (this.#state !== 'open') return;
      this.#busyPoll?.touched(this);
      this.#frames.push(chunk);
      this.#handle();
    });
  }

  get polls(): boolean {
    return this.#direct !== undefined;
  }

  poll(): boolean {
    this.flush();
    const direct = this.#direct;
    if (direct === undefined || this.#state !== 'open' || this.#over) return false;
    // What the stream has, or was told to keep, comes first.
    if (this.#events === undefined || this.#held || this.#paused || this.#scheduled) return false;
    if (this.#handling || this.#stream.readableLength > 0) return false;
    const chunk = direct.receive();
    if (chunk === undefined) return false;
    this.#busyPoll?.touched(this);
    this.#frames.push(chunk);
    this.#handle();
    this.flush();
    return true;
  }

  /** WireError if the message cannot be said; then nothing of it is sent. */
  send(message: Out): void {
    if (this.#state !== 'open' || this.#over) return;
    const before = this.#pending.length;
    writeFrame(this.#pending, this.#sends, message);
    if (this.queuedBytes > QUEUED_BYTES_MAX) {
      this.#end(`more than ${QUEUED_BYTES_MAX} bytes wait for the other side to read them`);
      return;
    }
    if (before === 0) flushSoon(this);
  }

  /** For the flusher. */
  flush(): void {
    const { length } = this.#pending;
    if (this.#over || length === 0) return;
    // What the stream has not sent yet goes before it.
    const straight = this.#direct !== undefined && this.#stream.writableLength === 0;
    const sent = straight ? (this.#direct?.send(this.#pending.view()) ?? 0) : 0;
    if (sent === length) return this.#pending.reset(FIRST_BYTES);
    this.#stream.write(this.#pending.take(FIRST_BYTES).subarray(sent));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#handleSoon();
  }

  close(reason: string): void {
    if (this.#state !== 'open') return;
    if (this.#over) return this.#closed();
    this.#reason ??= reason;
    this.flush();
    this.#state = 'closing';
    // What still comes is thrown away, so that the other side's end is seen.
    this.#stream.resume();
    // Nobody has listened to it: it keeps its place no longer than its last message takes.
    if (this.#events === undefined) this.#stream.end(() => this.#stream.destroy());
    else this.#stream.end();
    this.#linger = setTimeout(() => this.#stream.destroy(), LINGER_MS);
    this.#linger.unref();
  }

  /** At once: what is queued is lost. */
  #end(reason: string): void {
    debug('a connection is ended: %s', reason);
    this.#reason = reason;
    this.#state = 'closing';
    if (this.#over) this.#closed();
    else this.#stream.destroy();
  }

  #gone(): void {
    this.#over = true;
    this.#busyPoll?.forget(this);
    this.#pending.truncate(0);
    // In an orderly end what came before it counts.
    if (this.#state === 'open' && this.#stream.errored === null && this.#events !== undefined) {
      this.#handle();
    } else {
      this.#closed();
    }
  }

  #closed(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#linger);
    this.#events?.closed(this.#reason ?? 'the connection was closed');
  }

  #handleSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#handle();
    });
  }

  /** Some messages of those that came; the others after the other connections had their turn. */
  #handle(): void {
    if (this.#handling || this.#scheduled) return;
    this.#handling = true;
    try {
      const all = this.#some();
      if (all && this.#over) return this.#closed();
      this.#hold(!all);
      if (!all && !this.#paused && this.#state === 'open') this.#handleSoon();
    } finally {
      this.#handling = false;
    }
  }

  /** Whether there is no whole message left. */
  #some(): boolean {
    for (let left = MESSAGES_PER_TURN; left > 0; left--) {
      if (this.#paused || this.#state !== 'open') return false;
      const message = this.#next();
      if (message === undefined) return true;
      this.#events?.message(message);
    }
    return false;
  }

  /** Undefined if there is no whole message, and none to come if this is no stream of messages. */
  #next(): In | undefined {
    try {
      const body = this.#frames.next();
      return body === undefined ? undefined : this.#receives.decode(body);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#end(error.message);
      return undefined;
    }
  }

  #hold(hold: boolean): void {
    if (this.#held === hold || this.#state !== 'open') return;
    this.#held = hold;
    if (hold) this.#stream.pause();
    else this.#stream.resume();
  }
}
