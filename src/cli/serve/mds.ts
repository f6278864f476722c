/** A server of its own: a store, and whoever connects. */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import createDebug from 'debug';
import { SystemClock } from '../../base/time.js';
import { BUSY_POLL_US_DEFAULT } from '../../fuse/limits.js';
import { ExportServer } from '../../mds/export/export-server.js';
import { StoredKeys } from '../../mds/keys/stored-keys.js';
import type { MetadataServer } from '../../mds/server.js';
import { ObjectStore } from '../../objects/object-store.js';
import { LocalConnection } from '../../rpc/local.js';
import type { ClientStats } from '../../rpc/messages.js';
import type { ClientId, RecoveryStatus, ServerBoot } from '../../rpc/session.js';
import { BusyPoll } from '../../rpc/socket/busy-poll.js';
import { ResidentLimit } from '../../store/resident.js';
import { Store } from '../../store/store.js';
import { Heartbeat } from '../heartbeat.js';
import type { MetricsAddress } from '../metrics-address.js';
import { type MetricsServer, serveMetrics } from '../metrics-server.js';
import { discardObjectsOf } from './clients-objects.js';
import { DataService } from './data-service.js';
import { type Listeners, type ListenPlace, listenAt } from './listeners.js';
import { openServer, settle } from './opening.js';
import type { StoreSettings, TlsFiles } from './options.js';
import { serverPart } from './parts.js';
import { removePlace, writePlace } from './place.js';

const debug = createDebug('feedfs:cli');

export interface MdsOptions extends StoreSettings {
  readonly listen: readonly ListenPlace[];
  readonly tls: TlsFiles | undefined;
  /** Users whose mounts are let in, beside root and the server's own. */
  readonly allowUids: readonly number[];
  readonly windowUs: number;
  readonly metrics: MetricsAddress | undefined;
  /** As the mount's: microseconds after the last message; on one core 0 unless given. */
  readonly busyPollUs?: number | undefined;
  readonly log: (line: string) => void;
}

export interface ServedStore {
  /** As clients would name them. */
  readonly addresses: readonly string[];
  status(): RecoveryStatus;
  /** Mounts that are connected, or may come back. */
  readonly clientCount: number;
  rotateKey(): void;
  /** Ends in order: everything is on disk. The clients are told nothing, and connect again. */
  stop(): Promise<void>;
}

/** What was opened, the newest first: closed in this order. */
type Opened = { close(): void | Promise<void> }[];

async function closeAll(opened: Opened): Promise<void> {
  for (const one of opened.splice(0)) await one.close();
}

/** Opens the store and listens. Throws StoreError or CliError. */
export async function serveStore(options: MdsOptions): Promise<ServedStore> {
  const store = Store.open(options.store, { create: true, onUpgrade: options.onUpgrade });
  const opened: Opened = [store];
  try {
    return await new StoreServer(options, store, opened).start();
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

class StoreServer implements ServedStore {
  readonly #options: MdsOptions;
  readonly #opened: Opened;
  readonly #dataClient: ClientId;
  readonly #boot = randomBytes(16).toString('hex') as ServerBoot;
  readonly #keys: StoredKeys;
  readonly #server: MetadataServer;
  readonly #data: DataService;
  readonly #exports: ExportServer;
  readonly #heartbeat: Heartbeat;
  #listeners: Listeners | undefined;
  #beatDue = false;
  readonly #beatNow = () => {
    this.#beatDue = false;
    this.#beat();
  };

  constructor(options: MdsOptions, store: Store, opened: Opened) {
    this.#options = options;
    this.#opened = opened;
    const clock = new SystemClock();
    this.#dataClient = store.identity.fsid as ClientId;
    this.#keys = new StoredKeys({ path: join(options.store, 'keys'), clock, random: randomBytes });
    const objects = this.#opens(new ObjectStore(options.store));
    const resident = this.#opens(new ResidentLimit(join(store.path, 'meta', 'data.mdb')));
    this.#server = this.#openServer(store, clock, objects);
    this.#data = this.#opens(
      new DataService({
        store: options.store,
        client: this.#dataClient,
        made: this.#boot,
        clock,
        log: options.log,
        accept: (channel) => this.#exports.accept(channel),
        beat: () => this.#beat(),
      }),
    );
    this.#exports = new ExportServer({
      server: this.#server,
      store,
      clock,
      keys: this.#keys,
      boot: this.#boot,
      objects: join(options.store, 'objects'),
      allowUids: options.allowUids,
      windowUs: options.windowUs,
      data: this.#data.methods,
      userWatch: options.userWatch,
      log: options.log,
      wake: () => this.#beatSoon(),
      onGone: (client) => discardObjectsOf(this.#listOf(client), objects, this.#server),
    });
    this.#heartbeat = new Heartbeat([
      this.#data,
      this.#exports,
      serverPart(this.#server, resident),
    ]);
  }

  async start(): Promise<ServedStore> {
    const { store, metrics } = this.#options;
    // What opening the store changed is on disk before anybody uses it.
    await settle(this.#server, store);
    this.#server.commit.onSettled(() => this.#heartbeat.beat());
    if (metrics !== undefined) this.#opens(await this.#metrics(metrics));
    this.#data.begin(this.#exports.status());
    this.#heartbeat.beat();
    const { busyPollUs = availableParallelism() > 1 ? BUSY_POLL_US_DEFAULT : 0 } = this.#options;
    const nowUs = (): number => performance.now() * 1000;
    const busyPoll = new BusyPoll({ us: busyPollUs, nowUs });
    const place = { pid: process.pid, boot: this.#boot };
    // A mount that connects finds it.
    writePlace(store, { ...place, addresses: [] });
    const listeners = await listenAt({ ...this.#options, busyPoll }, (channel) =>
      this.#exports.accept(channel),
    );
    this.#listeners = this.#opens(listeners);
    writePlace(store, { ...place, addresses: listeners.addresses });
    return this;
  }

  get addresses(): readonly string[] {
    return this.#listeners?.addresses ?? [];
  }

  get clientCount(): number {
    const { clients } = this.#exports.status();
    return clients.filter(({ client, state }) => {
      return client !== this.#dataClient && state !== 'evicted';
    }).length;
  }

  status(): RecoveryStatus {
    return this.#exports.status();
  }

  rotateKey(): void {
    this.#keys.rotate();
    this.#options.log('the key was rotated');
  }

  async stop(): Promise<void> {
    debug('the server ends');
    await this.#listeners?.close();
    this.#exports.close();
    this.#heartbeat.stop();
    await settle(this.#server, this.#options.store);
    removePlace(this.#options.store);
    await closeAll(this.#opened);
  }

  /** Once for all messages of a turn. */
  #beatSoon(): void {
    if (this.#beatDue) return;
    this.#beatDue = true;
    setImmediate(this.#beatNow);
  }

  /** Not before everything is made. */
  #beat(): void {
    const made: Heartbeat | undefined = this.#heartbeat;
    made?.beat();
  }

  #opens<T extends Opened[number]>(one: T): T {
    this.#opened.unshift(one);
    return one;
  }

  #openServer(store: Store, clock: SystemClock, objects: ObjectStore): MetadataServer {
    return openServer({
      store,
      clock,
      visibility: this.#options.visibility,
      owner: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
      userWatch: this.#options.userWatch,
      recovers: true,
      reaper: {
        remove: (fid, generation) => objects.remove({ fid, generation }),
        truncate: (fid, generation, size) => objects.truncate({ fid, generation }, size),
        flushed: () => objects.flushed(),
        recorded: (fid, generation) => objects.recorded({ fid, generation }),
      },
      dataSync: (done) => objects.sync(done),
      // Asked at the end of a recovery: who lives then keeps its own.
      unsettled: () => {
        const here = this.#present();
        const gone = objects.absorb((client) => !here.has(client));
        return [...objects.unsettled(), ...gone];
      },
      diskUse: () => objects.statfs(),
      notify: (notice) => this.#exports?.notify(notice),
    });
  }

  /** Whose list of objects this is: that of the server itself has one of its own in every run. */
  #listOf(client: ClientId): string {
    return client === this.#dataClient ? this.#boot : client;
  }

  /** Whose lists are in use. */
  #present(): ReadonlySet<string> {
    const gone = new Set(['missing', 'evicted']);
    // Nobody was connected when the last server ended: then it is asked while the exports are made.
    const made: ExportServer | undefined = this.#exports;
    const clients = made?.status().clients ?? [];
    const present = clients.filter(({ state }) => !gone.has(state));
    return new Set([this.#boot, ...present.map(({ client }) => client)]);
  }

  #metrics(address: MetricsAddress): Promise<MetricsServer> {
    const { service } = this.#server;
    const connection = new LocalConnection(service);
    return serveMetrics(address, (done) => {
      connection.call('stats', undefined, (_errno, server) =>
        done(server === undefined ? undefined : { server, client: NO_CLIENT }),
      );
    });
  }
}

/** Mounts count for themselves. */
const NO_CLIENT: ClientStats = {
  operations: [],
  waiting: 0,
  wakeups: 0,
  invalidations: 0,
  events: {},
};
