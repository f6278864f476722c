/** How clients go: in order, or evicted; and what goes with them. */
import type { Fid } from '../../base/fid.js';
import type { ClientId } from '../../rpc/session.js';
import type { MetadataServer } from '../server.js';
import type { ClientExport } from './client-export.js';
import type { Clients } from './clients.js';
import type { Held } from './held.js';
import type { OwnMethods } from './own-methods.js';
import type { CacheLocks, FileLocks, RecoveryCoordinator } from './parts.js';
import { titleOf } from './recovery-messages.js';
import type { Turns } from './turns.js';

export interface DeparturesParts {
  readonly server: MetadataServer;
  readonly clients: Clients;
  readonly held: Held;
  readonly locks: CacheLocks;
  readonly fileLocks: FileLocks;
  readonly own: OwnMethods;
  readonly turns: Turns;
  readonly coordinator: () => RecoveryCoordinator;
  readonly log: (line: string) => void;
  readonly onGone: (client: ClientId) => void;
}

export class Departures {
  readonly #parts: DeparturesParts;

  constructor(parts: DeparturesParts) {
    this.#parts = parts;
  }

  /** What it has is given to others; it is told, if it can be. */
  evict(client: ClientId, reason: string): void {
    const { clients, server, log } = this.#parts;
    const by = clients.get(client);
    const known = clients.known(client);
    if (known === undefined) return;
    server.events.count('clients_evicted');
    log(`client ${known.name} (${client.slice(0, 8)}) is evicted: ${reason}`);
    const channel = by?.channel;
    by?.send({ kind: 'evicted', reason });
    clients.remove(client);
    channel?.close(`evicted: ${reason}`);
  }

  /** It ends in order. Its connection ends when the store knows it no more, so that no recovery waits for it. */
  bye(by: ClientExport): void {
    const { clients, server } = this.#parts;
    const { channel } = by;
    clients.remove(by.client);
    server.commit.whenFlushed(() => channel?.close('bye'));
  }

  /** It broke the rules of the protocol; what it has stays until it is back, or is not. */
  broken(by: ClientExport, why: string): void {
    this.#parts.log(`${titleOf(by)}: its connection is ended: ${why}`);
    by.channel?.close(why);
  }

  /** A fault of this server in what it does for that client. What else it does goes on. */
  failed(by: ClientExport, what: string, error: unknown): void {
    console.error(`feedfs: ${what} of ${titleOf(by)} failed:`, error);
    this.broken(by, 'the server failed in what it was asked for');
  }

  /** Others' changes are lost, and whoever keeps something of them must drop it: all are told when they may go on. */
  dropAll(): void {
    const { clients } = this.#parts;
    for (const by of clients.all()) {
      by.isStale = true;
      clients.store(by);
    }
  }

  /** It has nothing of these any more. */
  dropped(by: ClientExport): void {
    if (!by.isStale) return;
    by.isStale = false;
    this.#parts.clients.store(by);
  }

  /** The client has no connection. */
  lost(by: ClientExport, nowUs: number): void {
    const { turns, coordinator } = this.#parts;
    by.channel = undefined;
    by.lostUs = nowUs;
    // It sends again what was not answered.
    turns.forget(by);
    coordinator().disconnected(by.client);
  }

  /** All that it had; it is not among the clients any more. */
  release(client: ClientId, by: ClientExport | undefined): void {
    const { server, held, locks, fileLocks, own, turns, coordinator, onGone } = this.#parts;
    // What it had to bring back, if it had anything.
    if (server.recovering) server.namespace.lossy = true;
    onGone(client);
    if (by !== undefined) {
      by.channel = undefined;
      turns.forget(by);
      own.release(by);
      held.closeAll(by);
    }
    // Before anybody who waits for it looks.
    server.resolveIntents((fid) => this.isWritten(fid));
    locks.dropped(client);
    fileLocks.dropped(client);
    coordinator().gone(client);
  }

  /**
   * Somebody has written there and will record it: who has the file exclusively, or has to give
   * that back and has not yet. Whoever else has it open has nothing unrecorded.
   */
  isWritten(fid: Fid): boolean {
    const { clients, locks } = this.#parts;
    for (const by of clients.all()) {
      if (locks.holds(by.client, fid) === 'exclusive') return true;
      for (const { fids, want } of by.recalls.values()) {
        if (want === 'flush' && fids.includes(fid)) return true;
      }
    }
    return false;
  }
}
