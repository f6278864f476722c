/**
 * Connections until it is known who is at the other end: the version, who may come, and who
 * it is. Whoever says nothing does not stay.
 */
import { Errno } from '../../base/errno.js';
import type { ClientMessage, Hello, RecoveryStatus, Refused } from '../../rpc/session.js';
import { SESSION_VERSION } from '../../rpc/session.js';
import type { ServerChannel } from './client-export.js';
import { identityOf, refusesPeer } from './identity.js';
import { HELLO_US_MAX, STRANGERS_MAX, STRANGERS_OF_ONE_MAX } from './limits.js';
import type { Refusals } from './refusals.js';

export interface DoorwayParts {
  readonly uids: ReadonlySet<number>;
  /** Identities that may have all places. */
  readonly privileged: ReadonlySet<string>;
  readonly refusals: Refusals;
  readonly nowUs: () => number;
  readonly status: () => RecoveryStatus;
  /** Whoever said that; from now on it has the connection's messages. */
  readonly welcome: (visitor: Visitor, hello: Hello) => void;
}

/** A connection. */
export interface Visitor {
  readonly channel: ServerChannel;
  readonly sinceUs: number;
  /** Takes what comes after the hello; undefined before. */
  message: ((message: ClientMessage) => void) | undefined;
  closed: (() => void) | undefined;
  /** It has ended. */
  over: boolean;
}

export class Doorway {
  readonly #parts: DoorwayParts;
  readonly #strangers = new Set<Visitor>();

  constructor(parts: DoorwayParts) {
    this.#parts = parts;
  }

  accept(channel: ServerChannel): void {
    const { uids, refusals } = this.#parts;
    const { peer } = channel;
    const why = refusesPeer(peer, uids);
    if (why !== undefined) {
      // It is not listened to, and has no place among the others.
      refusals.add('clients_refused', `a connection of ${peer.kind}`, why);
      return refuse(channel, Errno.EACCES, why);
    }
    if (!this.#hasRoom(identityOf(peer))) return channel.close('too many connections');
    const sinceUs = this.#parts.nowUs();
    const visitor: Visitor = {
      ...{ channel, sinceUs },
      ...{ message: undefined, closed: undefined, over: false },
    };
    this.#strangers.add(visitor);
    channel.listen({
      message: (message) => {
        if (visitor.over) return;
        if (visitor.message === undefined) this.#begins(visitor, message);
        else visitor.message(message);
      },
      closed: () => {
        if (visitor.over) return;
        visitor.over = true;
        this.#strangers.delete(visitor);
        visitor.closed?.();
      },
    });
  }

  /** Ends those that have said nothing for too long. */
  tick(nowUs: number): void {
    for (const { channel, sinceUs } of this.#strangers) {
      if (nowUs - sinceUs > HELLO_US_MAX) channel.close('it does not say who it is');
    }
  }

  get dueInUs(): number | undefined {
    return this.#strangers.size > 0 ? HELLO_US_MAX / 10 : undefined;
  }

  close(reason: string): void {
    for (const { channel } of [...this.#strangers]) channel.close(reason);
  }

  #hasRoom(identity: string): boolean {
    if (this.#strangers.size >= STRANGERS_MAX) return false;
    if (this.#parts.privileged.has(identity)) return true;
    let same = 0;
    for (const { channel } of this.#strangers) if (identityOf(channel.peer) === identity) same++;
    return same < STRANGERS_OF_ONE_MAX;
  }

  /** Whatever is wrong with it, or here, is the end of that connection and of nothing else. */
  #begins(visitor: Visitor, message: ClientMessage): void {
    try {
      this.#first(visitor, message);
    } catch (error) {
      console.error(`feedfs: ${message.kind} failed:`, error);
      visitor.channel.close('the server failed in what it was asked for');
    }
  }

  #first(visitor: Visitor, message: ClientMessage): void {
    const { status, welcome } = this.#parts;
    if (message.kind !== 'hello' && message.kind !== 'status-asked') {
      return visitor.channel.close('a connection begins with hello');
    }
    if (message.version !== SESSION_VERSION) {
      const versions = `${message.version}, and the server's ${SESSION_VERSION}`;
      return refuse(
        visitor.channel,
        Errno.EPROTO,
        `the client's version of the protocol is ${versions}`,
      );
    }
    if (message.kind === 'status-asked') {
      visitor.channel.send({ kind: 'status', status: status() });
      return visitor.channel.close('that was all');
    }
    this.#strangers.delete(visitor);
    // Nothing is to come before it is welcome.
    visitor.message = () => visitor.channel.close('it did not wait for its welcome');
    welcome(visitor, message);
  }
}

/** Says why there is no connection, and ends it. */
export function refuse(
  channel: ServerChannel,
  errno: Errno,
  reason: string,
  retryMs?: number,
): void {
  const refused: Refused = { kind: 'refused', errno, reason, retryMs };
  channel.send(refused);
  channel.close(reason);
}
