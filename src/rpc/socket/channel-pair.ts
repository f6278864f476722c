/**
 * Two ends of a connection within one process: for a client in the server's own process, and
 * for simulations, which decide when messages arrive, whether, and how often. Messages go
 * through the bytes that a socket would carry.
 */
import type { Channel, ChannelEvents, Peer } from '../channel.js';
import { MESSAGE_BYTES_MAX } from '../limits.js';
import type { ClientMessage, ServerMessage } from '../session.js';
import { clientMessages, type MessageCodec, serverMessages } from './messages.js';
import { WireError } from './wire-error.js';
import { scratchWriter } from './writer.js';

/** Sees a message when it arrives; it arrives as often as `deliver` is called, and whenever that is. */
export type OnMessage<T> = (message: T, deliver: () => void) => void;

export interface ChannelPairOptions {
  /** Called for each message; calling `deliver` delivers the next one in order. Without it: {@link ChannelPair.pump}. */
  readonly schedule?: ((deliver: () => void) => void) | undefined;
  readonly onClientMessage?: OnMessage<ClientMessage> | undefined;
  readonly onServerMessage?: OnMessage<ServerMessage> | undefined;
  /** Whom the server sees, and whom the client. */
  readonly clientPeer?: Peer | undefined;
  readonly serverPeer?: Peer | undefined;
}

export interface ChannelPair {
  readonly client: Channel<ClientMessage, ServerMessage>;
  readonly server: Channel<ServerMessage, ClientMessage>;
  /**
   * Delivers what is queued now, in the order in which it was sent, over both directions.
   * Returns how much that was; what is for an end that is paused stays.
   */
  pump(): number;
  /** Ends it at once; what is queued is lost. */
  cut(reason: string): void;
}

const LOCAL: Peer = { kind: 'local' };

export function channelPair(options: ChannelPairOptions = {}): ChannelPair {
  const line = new Line(options.schedule);
  const { clientPeer = LOCAL, serverPeer = LOCAL } = options;
  const { onClientMessage, onServerMessage } = options;
  const client = new End(line, serverPeer, clientMessages, serverMessages, onServerMessage);
  const server = new End(line, clientPeer, serverMessages, clientMessages, onClientMessage);
  client.connect(server);
  server.connect(client);
  return {
    client,
    server,
    pump: () => line.pump(),
    cut(reason) {
      line.clear();
      client.ended(reason);
      server.ended(reason);
    },
  };
}

interface Item {
  readonly to: { readonly paused: boolean };
  arrive(): void;
}

/** What is on its way, over both directions. */
class Line {
  #items: Item[] = [];
  readonly #schedule: ((deliver: () => void) => void) | undefined;

  constructor(schedule: ((deliver: () => void) => void) | undefined) {
    this.#schedule = schedule;
  }

  add(item: Item): void {
    this.#items.push(item);
    this.#schedule?.(() => this.#next());
  }

  /** Something that waited for an end may go on. */
  again(count: number): void {
    for (let i = 0; i < count; i++) this.#schedule?.(() => this.#next());
  }

  countTo(end: Item['to']): number {
    return this.#items.filter((item) => item.to === end).length;
  }

  /** The first that can arrive does. */
  #next(): boolean {
    const position = this.#items.findIndex((item) => !item.to.paused);
    if (position < 0) return false;
    const [item] = this.#items.splice(position, 1);
    item?.arrive();
    return item !== undefined;
  }

  pump(): number {
    let count = 0;
    for (let left = this.#items.length; left > 0 && this.#next(); left--) count++;
    return count;
  }

  clear(): void {
    this.#items = [];
  }
}

class End<Out, In> implements Channel<Out, In> {
  readonly peer: Peer;
  paused = false;
  #queuedBytes = 0;
  readonly #line: Line;
  readonly #sends: MessageCodec<Out>;
  readonly #receives: MessageCodec<In>;
  readonly #onMessage: OnMessage<In> | undefined;
  #other: End<In, Out> | undefined;
  #events: ChannelEvents<In> | undefined;
  /** What came before {@link listen}. */
  #early: (() => void)[] = [];
  /** It sends nothing more. */
  #closing = false;
  #closed = false;

  constructor(
    line: Line,
    peer: Peer,
    sends: MessageCodec<Out>,
    receives: MessageCodec<In>,
    onMessage: OnMessage<In> | undefined,
  ) {
    this.#line = line;
    this.peer = peer;
    this.#sends = sends;
    this.#receives = receives;
    this.#onMessage = onMessage;
  }

  connect(other: End<In, Out>): void {
    this.#other = other;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  listen(events: ChannelEvents<In>): void {
    this.#events = events;
    for (const arrive of this.#early.splice(0)) arrive();
  }

  /** WireError if the message cannot be said. */
  send(message: Out): void {
    const other = this.#other;
    if (this.#closing || this.#closed || other === undefined) return;
    const bytes = encoded(this.#sends, message);
    this.#queuedBytes += bytes.length;
    const arrive = (): void => {
      this.#queuedBytes -= bytes.length;
      other.#arrived(bytes);
    };
    this.#line.add({ to: other, arrive });
  }

  #arrived(bytes: Buffer): void {
    if (this.#events === undefined) {
      this.#early.push(() => this.#arrived(bytes));
      return;
    }
    const deliver = (): void => {
      // Each time anew: who gets it may do with it what it wants.
      if (!this.#closing && !this.#closed) this.#events?.message(this.#receives.decode(bytes));
    };
    if (this.#onMessage === undefined) deliver();
    else this.#onMessage(this.#receives.decode(bytes), deliver);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.#line.again(this.#line.countTo(this));
  }

  close(reason: string): void {
    const other = this.#other;
    if (this.#closing || this.#closed || other === undefined) return;
    this.#closing = true;
    const arrive = (): void => {
      other.ended(reason);
      this.ended(reason);
    };
    this.#line.add({ to: other, arrive });
  }

  ended(reason: string): void {
    if (this.#closed) return;
    if (this.#events === undefined) {
      this.#early.push(() => this.ended(reason));
      return;
    }
    this.#closed = true;
    this.#queuedBytes = 0;
    this.#events.closed(reason);
  }
}

const scratch = scratchWriter();

function encoded<T>(codec: MessageCodec<T>, message: T): Buffer {
  scratch.truncate(0);
  codec.write(scratch, message);
  if (scratch.length > MESSAGE_BYTES_MAX) throw new WireError('the message is too long');
  return Buffer.from(scratch.view());
}
