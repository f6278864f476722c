/**
 * The server's end of all connections: wires together who may come (doorway.ts, reception.ts),
 * what each client has (clients.ts), and what its messages lead to (calls.ts,
 * recovery-messages.ts).
 */
import type { Fid } from '../../base/fid.js';
import type { Peer } from '../../rpc/channel.js';
import type { Notice } from '../../rpc/messages.js';
import type { ClientId, KeyId, RecoveryStatus, RecoveryStep } from '../../rpc/session.js';
import { FileLockTable } from '../file-locks/file-lock-table.js';
import { createCacheLocks } from '../locks/cache-locks.js';
import { createCoordinator } from '../recovery/coordinator.js';
import { Calls } from './calls.js';
import type { ClientExport, ServerChannel } from './client-export.js';
import { ClientTable } from './client-table.js';
import { Clients } from './clients.js';
import { Departures } from './departures.js';
import { Dispatch } from './dispatch.js';
import { Doorway } from './doorway.js';
import { tellDropAll } from './drop-all.js';
import type { ExportServerOptions } from './export-options.js';
import { Held } from './held.js';
import { privilegedIdentities } from './identity.js';
import { ownMethods } from './own-methods.js';
import type { KnownClient, RecoveryCoordinator } from './parts.js';
import { Reception } from './reception.js';
import { RecoveryMessages } from './recovery-messages.js';
import { Refusals } from './refusals.js';
import { Turns } from './turns.js';

export type { ExportServerOptions } from './export-options.js';

type Locks = ReturnType<typeof createCacheLocks>;

export class ExportServer {
  readonly #options: ExportServerOptions;
  readonly #refusals: Refusals;
  readonly #table: ClientTable;
  readonly #clients: Clients;
  readonly #held: Held;
  readonly #locks: Locks;
  readonly #fileLocks = new FileLockTable();
  readonly #recovery: RecoveryMessages;
  readonly #coordinator: RecoveryCoordinator;
  readonly #departures: Departures;
  readonly #dispatch: Dispatch;
  readonly #doorway: Doorway;
  readonly #turns = new Turns((by, message) => this.#dispatch.work(by, message));
  /** The key that clients were told of. */
  #key: KeyId;
  #keysFailed = false;
  #closed = false;

  /** FsError(EIO) if what is stored of the clients is damaged. */
  constructor(options: ExportServerOptions) {
    this.#options = options;
    const { server, store, clock, keys, log } = options;
    this.#key = keys.current;
    this.#refusals = new Refusals(server.events, log);
    this.#table = new ClientTable(store.tables.client);
    const known = this.#table.stored();
    this.#joinCommits();
    this.#clients = this.#knownClients(known);
    this.#held = new Held(server.namespace, server.commit, clock, () => this.#clients.size > 1);
    this.#locks = this.#cacheLocks();
    this.#recovery = this.#recoveryMessages();
    const { calls, departures } = this.#callsAndDepartures();
    this.#departures = departures;
    this.#dispatch = new Dispatch({
      ...{ keys, calls, departures, locks: this.#locks, recovery: this.#recovery },
      coordinator: () => this.#coordinator,
      queue: (by, message) => this.#turns.add(by, message),
    });
    const { windowUs } = options;
    this.#coordinator = createCoordinator(this.#recoveryTarget(), { known, windowUs });
    this.#doorway = this.#openDoor(this.#reception());
    // Nobody is to come back.
    if (known.length === 0) server.finishRecovery(() => false);
  }

  get #uid(): number {
    return this.#options.uid ?? process.geteuid?.() ?? 0;
  }

  accept(channel: ServerChannel): void {
    if (this.#closed) channel.close('the server ends');
    else this.#doorway.accept(channel);
  }

  /** What the server tells of itself. */
  notify(notice: Notice): void {
    this.#clients.tell({ kind: 'notice', notice });
  }

  /** Called often, from the loop. True while there is more to do at once. */
  tick(nowUs: number): boolean {
    this.#tickKeys();
    this.#coordinator.tick(nowUs);
    this.#locks.tick(nowUs);
    this.#held.lingering.tick(nowUs);
    this.#doorway.tick(nowUs);
    this.#turns.next();
    // In a recovery it is the coordinator that waits for them.
    if (!this.#coordinator.running) {
      for (const by of this.#clients.overdue(nowUs))
        this.#departures.evict(by.client, 'it did not come back');
    }
    return this.#turns.dueInUs === 0;
  }

  /** Microseconds until {@link tick} has something to do; undefined: nothing that is known. */
  dueInUs(nowUs: number): number | undefined {
    const { running } = this.#coordinator;
    const due = [
      this.#turns.dueInUs,
      this.#coordinator.dueInUs(nowUs),
      this.#locks.dueInUs(nowUs),
      this.#held.lingering.dueInUs(nowUs),
      running ? undefined : this.#clients.overdueInUs(nowUs),
      this.#doorway.dueInUs,
    ].filter((us) => us !== undefined);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  status(): RecoveryStatus {
    const { server, boot } = this.#options;
    const { clients, ...status } = this.#coordinator.status();
    const { committedTransno: committed, lastTransno: last } = server;
    const gone = clients.filter(({ client }) => this.#clients.known(client) === undefined);
    const shown = this.#coordinator.running ? clients : [...this.#clients.states(), ...gone];
    return { ...status, clients: shown, boot, committed, last };
  }

  /** Ends all connections; clients come back to the next run. */
  close(): void {
    this.#closed = true;
    this.#doorway.close('the server ends');
    for (const by of this.#clients.all()) by.channel?.close('the server ends');
  }

  #joinCommits(): void {
    const table = this.#table;
    this.#options.server.commit.join({
      collect: () => table.collect(),
      committed: () => table.committed(),
      flushed: () => this.#tellCommitted(),
    });
  }

  /** Those that keep changes to make them again. */
  #tellCommitted(): void {
    const transno = this.#options.server.committedTransno;
    for (const by of this.#clients.all()) {
      if (by.lastReceipt <= by.toldCommitted || transno <= by.toldCommitted) continue;
      by.toldCommitted = transno;
      by.send({ kind: 'committed', transno });
    }
  }

  #nowUs(): number {
    return this.#options.clock.monotonicUs();
  }

  #knownClients(known: readonly KnownClient[]): Clients {
    const { commit } = this.#options.server;
    const gone = (client: ClientId, by: ClientExport | undefined): void =>
      this.#departures.release(client, by);
    return new Clients({ table: this.#table, commit, gone }, known);
  }

  #cacheLocks(): Locks {
    const { namespace } = this.#options.server;
    const target = {
      recall: (to: ClientId, id: number, fids: readonly Fid[], want: 'flush' | 'drop'): void => {
        const by = this.#clients.get(to);
        by?.recalls.set(id, { fids, want });
        by?.send({ kind: 'recall', id, fids, want });
      },
      evict: (client: ClientId, reason: string): void => this.#departures.evict(client, reason),
    };
    return createCacheLocks(target, {
      nowUs: () => this.#nowUs(),
      lookup: (parent, name) => namespace.dirents.lookup(parent, name)?.fid as Fid | undefined,
      openElsewhere: (fid, by) => this.#held.elsewhere(fid, this.#clients.get(by)),
    });
  }

  #recoveryMessages(): RecoveryMessages {
    const { server, keys } = this.#options;
    return new RecoveryMessages({
      ...{ server, keys, table: this.#table, held: this.#held, locks: this.#locks },
      ...{ fileLocks: this.#fileLocks, refusals: this.#refusals },
      coordinator: () => this.#coordinator,
      exportOf: (client) => this.#clients.get(client),
      evict: (client, reason) => this.#departures.evict(client, reason),
      failed: (by, what, error) => this.#departures.failed(by, what, error),
    });
  }

  #callsAndDepartures(): { readonly calls: Calls; readonly departures: Departures } {
    const { server, keys, clock, data, log, onGone = () => {} } = this.#options;
    const held = this.#held;
    const locks = this.#locks;
    const fileLocks = this.#fileLocks;
    const status = (): RecoveryStatus => this.#clients.shown(this.status());
    const own = ownMethods({ service: server.service, held, fileLocks, data, status });
    const broken = (by: ClientExport, why: string): void => this.#departures.broken(by, why);
    const failed = (by: ClientExport, what: string, error: unknown): void =>
      this.#departures.failed(by, what, error);
    const { methods } = own;
    const calls = new Calls({
      ...{ server, clock, keys, held, locks, methods, broken, failed },
      table: this.#table,
    });
    const departures = new Departures({
      ...{ server, held, locks, fileLocks, own, log, onGone },
      ...{ clients: this.#clients, turns: this.#turns },
      coordinator: () => this.#coordinator,
    });
    return { calls, departures };
  }

  #begin(client: ClientId, step: RecoveryStep | 'full'): void {
    const by = this.#clients.get(client);
    if (by === undefined) return;
    if (step === 'locks') this.#recovery.reopenLate(by);
    // Before it goes on.
    if (step === 'full') tellDropAll(by);
    by.send({ kind: 'step', step });
  }

  #recoveryTarget(): Parameters<typeof createCoordinator>[0] {
    return {
      nowUs: () => this.#nowUs(),
      wallClock: () => this.#options.clock.now(),
      step: (client, step) => this.#begin(client, step),
      replay: (client, item) => this.#recovery.make(client, item),
      evict: (client, reason) => this.#departures.evict(client, reason),
      whenFlushed: (settled) => this.#options.server.commit.whenFlushed(settled),
      dropAll: () => this.#departures.dropAll(),
      destroyOrphans: () => {
        for (const by of this.#clients.all()) this.#recovery.keepUnclaimed(by, by.slots.rows());
        this.#options.server.finishRecovery((fid) => this.#departures.isWritten(fid));
      },
    };
  }

  #reception(): Reception {
    const { server, keys, boot, store, objects, userWatch = false, wake } = this.#options;
    return new Reception({
      ...{ server, keys, boot, userWatch, refusals: this.#refusals, clients: this.#clients },
      filesystem: store.identity.fsid,
      privileged: privilegedIdentities(this.#uid),
      objectsFor: (peer) => (this.#mayUseObjects(peer) ? objects : undefined),
      coordinator: () => this.#coordinator,
      message: (by, message) => {
        this.#dispatch.message(by, message);
        wake?.();
      },
      lost: (by) => this.#departures.lost(by, this.#nowUs()),
    });
  }

  #openDoor(reception: Reception): Doorway {
    const { allowUids, wake } = this.#options;
    return new Doorway({
      uids: new Set([0, this.#uid, ...allowUids]),
      privileged: privilegedIdentities(this.#uid),
      refusals: this.#refusals,
      nowUs: () => this.#nowUs(),
      status: () => this.#clients.shown(this.status()),
      welcome: (visitor, hello) => {
        reception.hello(visitor, hello);
        wake?.();
      },
    });
  }

  /** Whoever could read them without us. */
  #mayUseObjects(peer: Peer): boolean {
    if (peer.kind === 'unix') return peer.uid === 0 || peer.uid === this.#uid;
    return peer.kind === 'local';
  }

  /** Takes a new key when it is time, and tells of it: capabilities are renewed by it. */
  #tickKeys(): void {
    const { keys, log } = this.#options;
    try {
      keys.tick();
    } catch (error) {
      // The old one goes on; it is tried again.
      if (!this.#keysFailed) log(`the keys cannot be rotated: ${(error as Error).message}`);
      this.#keysFailed = true;
    }
    if (keys.current === this.#key) return;
    this.#keysFailed = false;
    this.#key = keys.current;
    this.#clients.tell({ kind: 'key', key: this.#key });
  }
}
