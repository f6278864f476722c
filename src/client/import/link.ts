/** The connection of an import: one at a time, made again when it ends, until it is to end. */
import type { Clock } from '../../base/time.js';
import type { Channel, Connect } from '../../rpc/channel.js';
import type { ClientId, ClientMessage, ServerMessage } from '../../rpc/session.js';
import { Backoff } from './backoff.js';
import { WELCOME_US_MAX } from './limits.js';

export interface LinkEvents {
  /** An attempt begins. */
  connecting(): void;
  /** There is a connection: time for a hello. */
  connected(): void;
  /** An attempt came to nothing. */
  failed(reason: string): void;
  message(message: ServerMessage): void;
  /** The connection ended. */
  lost(reason: string): void;
}

export class Link {
  readonly #connect: Connect<ClientMessage, ServerMessage>;
  readonly #clock: Pick<Clock, 'monotonicUs'>;
  readonly #events: LinkEvents;
  readonly #backoff: Backoff;
  #channel: Channel<ClientMessage, ServerMessage> | undefined;
  /** An attempt that was given up answers in vain. */
  #attempt = 0;
  #connectAt: number | undefined;
  #welcomeBy: number | undefined;
  #isOver = false;

  constructor(
    parts: {
      readonly connect: Connect<ClientMessage, ServerMessage>;
      readonly clock: Pick<Clock, 'monotonicUs'>;
      readonly client: ClientId;
    },
    events: LinkEvents,
  ) {
    this.#connect = parts.connect;
    this.#clock = parts.clock;
    this.#backoff = new Backoff(parts.client);
    this.#events = events;
  }

  /** Something that is another one on each connection; undefined without one. */
  get connection(): object | undefined {
    return this.#channel;
  }

  send(message: ClientMessage): void {
    this.#channel?.send(message);
  }

  /** Sends what is queued and takes what has come, if the channel can do so at once. */
  poll(): boolean {
    return this.#channel?.poll?.() ?? false;
  }

  /** Whether {@link poll} brings everything, and nothing waits to be sent. */
  get polls(): boolean {
    const channel = this.#channel;
    return channel?.polls === true && channel.queuedBytes === 0;
  }

  /** Tries again: after the time that the attempts so far give, or the one that the server gave. */
  again(afterUs = this.#backoff.next()): void {
    if (this.#isOver) return;
    if (afterUs === 0) this.#try();
    else this.#connectAt = this.#clock.monotonicUs() + afterUs;
  }

  /** The server has said welcome. */
  welcomed(): void {
    this.#welcomeBy = undefined;
  }

  /** Calls are answered: the next attempt will be made at once. */
  works(): void {
    this.#backoff.reset();
  }

  /** Ends the connection, which is then lost like any other. */
  drop(reason: string): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    this.#channel = undefined;
    this.#welcomeBy = undefined;
    channel.close(reason);
    this.#events.lost(reason);
  }

  /** No connection any more; nobody is told. */
  end(reason: string): void {
    this.#isOver = true;
    this.#attempt++;
    this.#connectAt = undefined;
    this.#welcomeBy = undefined;
    const channel = this.#channel;
    this.#channel = undefined;
    channel?.close(reason);
  }

  tick(nowUs: number): void {
    if (this.#connectAt !== undefined && nowUs >= this.#connectAt) this.#try();
    if (this.#welcomeBy !== undefined && nowUs >= this.#welcomeBy) {
      this.drop('the server did not say welcome');
    }
  }

  dueInUs(nowUs: number): number | undefined {
    const due = this.#connectAt ?? this.#welcomeBy;
    return due === undefined ? undefined : Math.max(0, due - nowUs);
  }

  #try(): void {
    this.#connectAt = undefined;
    const attempt = ++this.#attempt;
    this.#events.connecting();
    const isCurrent = (): boolean => attempt === this.#attempt;
    this.#attemptOnce().then(
      (channel) => {
        if (isCurrent()) this.#connected(channel);
        else channel.close('not needed any more');
      },
      (error: unknown) => {
        if (isCurrent()) this.#events.failed(error instanceof Error ? error.message : `${error}`);
      },
    );
  }

  async #attemptOnce(): Promise<Channel<ClientMessage, ServerMessage>> {
    return await this.#connect();
  }

  #connected(channel: Channel<ClientMessage, ServerMessage>): void {
    this.#channel = channel;
    this.#welcomeBy = this.#clock.monotonicUs() + WELCOME_US_MAX;
    channel.listen({
      message: (message) => {
        if (channel === this.#channel) this.#events.message(message);
      },
      closed: (reason) => {
        if (channel !== this.#channel) return;
        this.#channel = undefined;
        this.#welcomeBy = undefined;
        this.#events.lost(reason);
      },
    });
    if (channel === this.#channel) this.#events.connected();
  }
}
