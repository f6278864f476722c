/**
 * Connections between mounts and the server whose messages the world delivers, one at a time
 * and in an order that it chooses: within one connection as they were sent, among connections any.
 */
import { must } from '../../src/base/assert.js';
import type { Channel, Peer } from '../../src/rpc/channel.js';
import type { ClientMessage, ServerMessage } from '../../src/rpc/session.js';
import { type ChannelPair, channelPair } from '../../src/rpc/socket/channel-pair.js';

/** What happens with a message that arrives. */
export type Fate =
  | 'deliver'
  /** It is lost, and the connection with it. */
  | 'cut'
  /** It arrives, and then the connection is lost. */
  | 'cut after'
  | 'twice'
  /** It is lost, because what it was for is. */
  | 'nothing';

export interface Arrival {
  /** Name of the mount. */
  readonly mount: string;
  readonly to: 'server' | 'client';
  readonly message: ClientMessage | ServerMessage;
}

export interface WireEvents {
  arrives(arrival: Arrival): Fate;
  /** After it was handled. */
  arrived(arrival: Arrival): void;
}

export interface Kept {
  deliver?: () => void;
}

interface Keeping {
  readonly mount: string;
  readonly isIt: (message: ClientMessage) => boolean;
  readonly kept: Kept;
}

interface Queued {
  readonly pair: () => ChannelPair;
  readonly deliver: () => void;
}

export class Wire {
  readonly #events: WireEvents;
  #queued: Queued[] = [];
  #keeping: Keeping[] = [];
  readonly #pairs = new Map<string, ChannelPair>();

  constructor(events: WireEvents) {
    this.#events = events;
  }

  /** The client's end; the server's is given to `accept`. */
  connect(
    mount: string,
    peer: Peer,
    accept: (channel: Channel<ServerMessage, ClientMessage>) => void,
  ): Channel<ClientMessage, ServerMessage> {
    const through =
      (to: Arrival['to']) =>
      (message: ClientMessage | ServerMessage, deliver: () => void): void =>
        this.#arrive({ mount, to, message }, deliver);
    let made: ChannelPair | undefined;
    const pair = (): ChannelPair => must(made, 'pair');
    made = channelPair({
      schedule: (deliver) => this.#queued.push({ pair, deliver }),
      onClientMessage: through('server'),
      onServerMessage: through('client'),
      clientPeer: peer,
    });
    this.#pairs.set(mount, made);
    accept(made.server);
    return made.client;
  }

  /** Connections with something on its way; the one whose message was sent first comes first. */
  get waiting(): number {
    return new Set(this.#queued.map(({ pair }) => pair())).size;
  }

  /** Delivers the first message of the `which`-th of the connections that wait. */
  deliver(which = 0): void {
    const pairs = [...new Set(this.#queued.map(({ pair }) => pair()))];
    const chosen = pairs[which % Math.max(1, pairs.length)];
    const at = this.#queued.findIndex(({ pair }) => pair() === chosen);
    const [next] = this.#queued.splice(at, at < 0 ? 0 : 1);
    next?.deliver();
  }

  /** A copy of the next such message, which the world may deliver once more whenever it likes. */
  keep(mount: string, isIt: (message: ClientMessage) => boolean): Kept {
    const kept: Kept = {};
    this.#keeping.push({ mount, isIt, kept });
    return kept;
  }

  cut(mount: string): void {
    const pair = this.#pairs.get(mount);
    this.#pairs.delete(mount);
    if (pair === undefined) return;
    this.#queued = this.#queued.filter((queued) => queued.pair() !== pair);
    pair.cut('the connection is cut');
  }

  cutAll(): void {
    for (const mount of [...this.#pairs.keys()]) this.cut(mount);
  }

  #keep({ mount, to, message }: Arrival, deliver: () => void): void {
    if (to !== 'server') return;
    const asked = this.#keeping.find(
      (one) => one.mount === mount && one.isIt(message as ClientMessage),
    );
    if (asked === undefined) return;
    this.#keeping = this.#keeping.filter((one) => one !== asked);
    asked.kept.deliver = deliver;
  }

  #arrive(arrival: Arrival, deliver: () => void): void {
    this.#keep(arrival, deliver);
    const fate = this.#events.arrives(arrival);
    if (fate === 'nothing') return;
    if (fate === 'cut') return this.cut(arrival.mount);
    deliver();
    if (fate === 'twice') deliver();
    this.#events.arrived(arrival);
    if (fate === 'cut after') this.cut(arrival.mount);
  }
}
