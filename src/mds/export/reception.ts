/** A client says hello: whether it is who it says, what is left of it here, and the welcome. */
import { Errno, FsError } from '../../base/errno.js';
import type { Peer } from '../../rpc/channel.js';
import type { ClientMessage, Hello, ServerBoot, Welcome } from '../../rpc/session.js';
import { SESSION_VERSION } from '../../rpc/session.js';
import type { MetadataServer } from '../server.js';
import type { ClientExport } from './client-export.js';
import type { Clients } from './clients.js';
import { refuse, type Visitor } from './doorway.js';
import { tellDropAll } from './drop-all.js';
import { identityOf, nidOf } from './identity.js';
import { CLIENT_NAME_MAX, CLIENTS_MAX, CLIENTS_OF_ONE_MAX, RECOVERY_RETRY_MS } from './limits.js';
import { receptionOf } from './outcome.js';
import type { KeyRing, RecoveryCoordinator } from './parts.js';
import type { Refusals } from './refusals.js';

export interface ReceptionParts {
  readonly server: MetadataServer;
  readonly clients: Clients;
  readonly keys: KeyRing;
  readonly refusals: Refusals;
  readonly boot: ServerBoot;
  readonly filesystem: string;
  /** Identities that may have all places. */
  readonly privileged: ReadonlySet<string>;
  readonly userWatch: boolean;
  /** Where the object files are, for that peer; undefined if it may not use them. */
  readonly objectsFor: (peer: Peer) => string | undefined;
  readonly coordinator: () => RecoveryCoordinator;
  readonly message: (by: ClientExport, message: ClientMessage) => void;
  /** The client has lost that connection, and has no other. */
  readonly lost: (by: ClientExport) => void;
}

export class Reception {
  readonly #parts: ReceptionParts;

  constructor(parts: ReceptionParts) {
    this.#parts = parts;
  }

  hello(visitor: Visitor, hello: Hello): void {
    const { clients, boot, refusals } = this.#parts;
    const { client } = hello;
    const { peer } = visitor.channel;
    const identity = identityOf(peer);
    const known = clients.known(client);
    if (known !== undefined && known.identity !== identity) {
      const why = `it comes as ${identity}, and was ${known.identity}`;
      refusals.add('clients_refused', `client ${known.name} (${client.slice(0, 8)})`, why);
      return refuse(visitor.channel, Errno.EACCES, 'that client is somebody else');
    }
    const { outcome, afresh } = receptionOf({
      ...{ said: hello.boot, boot, recovering: this.#parts.coordinator().running },
      knows: known !== undefined && this.#parts.coordinator().knows(client),
      kept: clients.get(client) !== undefined,
    });
    if (afresh) {
      const before = clients.get(client)?.channel;
      clients.remove(client);
      before?.close('the client said hello on another connection');
    }
    if (outcome === 'wait') {
      return refuse(visitor.channel, Errno.EBUSY, 'the server recovers', RECOVERY_RETRY_MS);
    }
    const own = { client, name: readableName(hello.name), identity };
    if (outcome === 'new' || outcome === 'evicted') return this.#new(visitor, hello, own, outcome);
    let by = clients.get(client);
    try {
      by ??= clients.restore(known ?? own);
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      return refuse(visitor.channel, error.errno, error.message);
    }
    this.#welcome(visitor, hello, by, outcome);
  }

  /** It is welcome when it is in the store: a server that starts again must know it. */
  #new(
    visitor: Visitor,
    hello: Hello,
    own: { client: Hello['client']; name: string; identity: string },
    outcome: 'new' | 'evicted',
  ): void {
    const { clients, server } = this.#parts;
    const max = this.#parts.privileged.has(own.identity) ? CLIENTS_MAX : CLIENTS_OF_ONE_MAX;
    if (!clients.hasRoom(own.identity, max)) {
      const why = `the server has ${CLIENTS_MAX} clients, or ${max} of ${own.identity}`;
      return refuse(visitor.channel, Errno.ENFILE, why);
    }
    const by = clients.add(own);
    // If it does not stay, it has as long to come back as others.
    this.#parts.lost(by);
    server.commit.whenFlushed((error) => {
      if (visitor.over) return;
      if (error !== undefined) {
        if (!by.gone) clients.remove(by.client);
        return refuse(visitor.channel, error.errno, 'the client cannot be stored', 1_000);
      }
      if (by.gone) return visitor.channel.close('it said hello on another connection');
      this.#welcome(visitor, hello, by, outcome);
    });
  }

  #welcome(visitor: Visitor, hello: Hello, by: ClientExport, outcome: Welcome['outcome']): void {
    const { server, coordinator } = this.#parts;
    const { channel } = visitor;
    const before = by.channel;
    by.connected(channel);
    by.recovery = hello.opens;
    by.nid = nidOf(channel.peer);
    // A connection whose end nobody has told us of.
    before?.close('the client has another connection');
    visitor.message = (message) => this.#parts.message(by, message);
    visitor.closed = () => {
      if (by.channel === channel) this.#parts.lost(by);
    };
    by.toldCommitted = server.committedTransno;
    by.send(this.#welcomeOf(channel.peer, outcome));
    if (outcome === 'recover') return coordinator().connected(by.client);
    tellDropAll(by);
    for (const [id, recall] of by.recalls) by.send({ kind: 'recall', id, ...recall });
  }

  #welcomeOf(peer: Peer, outcome: Welcome['outcome']): Welcome {
    const { server, boot, filesystem, keys, userWatch, objectsFor } = this.#parts;
    const { recording, audience, replica, retention } = server;
    return {
      ...{ kind: 'welcome', version: SESSION_VERSION, boot, filesystem, outcome },
      state: {
        ...{ recording, accesses: audience.accesses, replica: replica.active },
        ...{ watchful: retention.room.tell(), userWatch },
      },
      committed: server.committedTransno,
      key: keys.current,
      objects: objectsFor(peer),
    };
  }
}

/** For lines of logs and of a status: nothing in it is taken for the line's own. */
function readableName(name: string): string {
  const escaped = name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
  // By whole characters: half of one could not be sent.
  return [...escaped].slice(0, CLIENT_NAME_MAX).join('');
}
