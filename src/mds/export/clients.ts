/**
 * The clients: those that are here, those that lost their connection, and those that the
 * store knows and that have not come back yet. When one goes, all that it had goes with it.
 */
import type { ClientId, RecoveryStatus, ServerMessage } from '../../rpc/session.js';
import type { GroupCommit } from '../../store/group-commit.js';
import { LOOK_US, Stall } from '../stall.js';
import { ClientExport } from './client-export.js';
import type { ClientTable } from './client-table.js';
import { identityOf } from './identity.js';
import { CLIENTS_MAX, RECONNECT_US } from './limits.js';
import type { KnownClient } from './parts.js';

export interface ClientsParts {
  readonly table: ClientTable;
  readonly commit: GroupCommit;
  /** The client is out of the table already; whatever else it had is to go. */
  readonly gone: (client: ClientId, by: ClientExport | undefined) => void;
}

type ClientState = RecoveryStatus['clients'][number];

export class Clients {
  readonly #parts: ClientsParts;
  readonly #stall = new Stall();
  readonly #exports = new Map<ClientId, ClientExport>();
  /** Of the last run, and not back yet. */
  readonly #missing = new Map<ClientId, KnownClient>();

  constructor(parts: ClientsParts, known: readonly KnownClient[]) {
    this.#parts = parts;
    for (const client of known) this.#missing.set(client.client, client);
  }

  get size(): number {
    return this.#exports.size + this.#missing.size;
  }

  get(client: ClientId): ClientExport | undefined {
    return this.#exports.get(client);
  }

  /** What is known of it, whether it is here or not. */
  known(client: ClientId): KnownClient | undefined {
    return this.#exports.get(client)?.known ?? this.#missing.get(client);
  }

  *all(): Generator<ClientExport> {
    yield* this.#exports.values();
  }

  /** It is in the store after the next commit. */
  add(known: KnownClient): ClientExport {
    const by = new ClientExport(known, false);
    this.#exports.set(known.client, by);
    this.#parts.table.add(known);
    this.#parts.commit.note();
    return by;
  }

  /** What is known of it has changed. */
  store(by: ClientExport): void {
    if (by.gone) return;
    this.#parts.table.add(by.known);
    this.#parts.commit.note();
  }

  /**
   * Room for one more of that identity, of `max`; false if there is none. One that went before
   * its first call goes for it.
   */
  hasRoom(identity: string, max: number): boolean {
    const isOne = (known: KnownClient): boolean => known.identity === identity;
    const here = [...this.#exports.values()].filter(isOne);
    const count = here.length + [...this.#missing.values()].filter(isOne).length;
    if (this.size < CLIENTS_MAX && count < max) return true;
    const among = count < max ? [...this.#exports.values()] : here;
    const idle = among.find((by) => by.channel === undefined && !by.hasCalled);
    return idle !== undefined && this.remove(idle.client);
  }

  /** One that the store knows is back. FsError(EIO) if what it was answered is damaged. */
  restore(known: KnownClient): ClientExport {
    const rows = this.#parts.table.slotsOf(known.client);
    const by = new ClientExport(known, true);
    for (const [slot, row] of rows) by.slots.made(slot, row);
    this.#missing.delete(known.client);
    this.#exports.set(known.client, by);
    return by;
  }

  /** It will not be known any more. False if it was not. */
  remove(client: ClientId): boolean {
    const by = this.#exports.get(client);
    if (by === undefined && !this.#missing.has(client)) return false;
    if (by !== undefined) by.gone = true;
    this.#exports.delete(client);
    this.#missing.delete(client);
    this.#parts.table.remove(client);
    this.#parts.commit.note();
    this.#parts.gone(client, by);
    return true;
  }

  tell(message: ServerMessage): void {
    for (const by of this.#exports.values()) by.send(message);
  }

  /** Those that have been away for too long. */
  overdue(nowUs: number): ClientExport[] {
    const moved = this.#stall.look(nowUs);
    if (moved !== undefined) for (const by of this.#exports.values()) by.lostUs = moved(by.lostUs);
    const isOverdue = (by: ClientExport): boolean =>
      by.channel === undefined && nowUs - by.lostUs >= RECONNECT_US;
    return [...this.#exports.values()].filter(isOverdue);
  }

  /** Microseconds until one of them is overdue, or the time is to be looked at. */
  overdueInUs(nowUs: number): number | undefined {
    let due: number | undefined;
    for (const { channel, lostUs } of this.#exports.values()) {
      if (channel !== undefined) continue;
      due = Math.min(due ?? LOOK_US, Math.max(0, lostUs + RECONNECT_US - nowUs));
    }
    return due;
  }

  /** As mounts and people are told: the server's own client is none of theirs. */
  shown(status: RecoveryStatus): RecoveryStatus {
    const isOwn = (client: ClientId): boolean =>
      this.known(client)?.identity === identityOf({ kind: 'local' });
    return { ...status, clients: status.clients.filter(({ client }) => !isOwn(client)) };
  }

  states(): ClientState[] {
    return [...this.#exports.values()].map(({ client, name, channel }) => ({
      client,
      name,
      state: channel === undefined ? 'disconnected' : 'connected',
      reason: undefined,
    }));
  }
}
