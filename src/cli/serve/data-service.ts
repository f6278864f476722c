/**
 * File contents for clients that cannot reach the object files. The server reads and writes
 * them as one more client of itself, which takes part in the locks like any mount: it is
 * connected once somebody needs it.
 */
import createDebug from 'debug';
import { Errno } from '../../base/errno.js';
import type { Clock } from '../../base/time.js';
import { SharedCoherence } from '../../client/coherence/shared-coherence.js';
import { FileIo } from '../../client/file-io.js';
import { Import } from '../../client/import/import.js';
import { syncAll } from '../../client/sync-all.js';
import type { CoherentNotifier } from '../../fuse/api.js';
import { ObjectStore } from '../../objects/object-store.js';
import type { Channel } from '../../rpc/channel.js';
import type { Answer, DataMethods, RequestOf, Service } from '../../rpc/messages.js';
import type { ClientId, RecoveryStatus } from '../../rpc/session.js';
import type { ClientMessage, ServerMessage } from '../../rpc/session-messages.js';
import { channelPair } from '../../rpc/socket/channel-pair.js';
import type { Part } from '../heartbeat.js';
import { DataWork } from './data-work.js';
import { MadeObjects } from './made-objects.js';

const debug = createDebug('feedfs:cli');

type DataMethod = keyof DataMethods;

export interface DataServiceOptions {
  readonly store: string;
  /** The same in every run, so that a recovery does not wait for one that cannot come back. */
  readonly client: ClientId;
  /** The name of the list of objects that it makes: another in every run, for the server looks through the last one. */
  readonly made: string;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  /** Gives the server its end of the connection. */
  readonly accept: (channel: Channel<ServerMessage, ClientMessage>) => void;
  /** Has the heartbeat look again at what is due. */
  readonly beat: () => void;
}

/** No kernel has anything of it. */
const NO_KERNEL: CoherentNotifier = {
  pollWakeup: () => {},
  invalidateInode: () => {},
  invalidateEntry: () => {},
  deleteEntry: () => {},
  incrementEpoch: () => true,
  fence: (done) => setImmediate(done),
};

interface Working {
  readonly connection: Import;
  readonly coherence: SharedCoherence;
  readonly made: MadeObjects;
  readonly work: DataWork;
}

export class DataService implements Part {
  readonly methods: Pick<Service, DataMethod> = {
    dataRead: (request, answer) => this.#do('dataRead', request, answer),
    dataWrite: (request, answer) => this.#do('dataWrite', request, answer),
    dataSpace: (request, answer) => this.#do('dataSpace', request, answer),
    dataSeek: (request, answer) => this.#do('dataSeek', request, answer),
  };
  readonly #options: DataServiceOptions;
  #working: Working | undefined;
  #started: Promise<unknown> | undefined;

  constructor(options: DataServiceOptions) {
    this.#options = options;
  }

  /** A recovery that knows this client waits for it too. */
  begin({ clients }: Pick<RecoveryStatus, 'clients'>): void {
    if (clients.some(({ client }) => client === this.#options.client)) this.#start();
  }

  tick(nowUs: number): boolean {
    this.#working?.connection.tick(nowUs);
    this.#working?.coherence.tick(nowUs);
    this.#working?.made.tick();
    return false;
  }

  dueInUs(nowUs: number): number | undefined {
    if (this.#working === undefined) return undefined;
    const { connection, coherence } = this.#working;
    const due = [connection.dueInUs(nowUs), coherence.dueInUs(nowUs)];
    const known = due.filter((us) => us !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  async close(): Promise<void> {
    const working = this.#working;
    if (working === undefined) return;
    this.#working = undefined;
    working.made.close();
  }

  #do<M extends DataMethod>(method: M, request: RequestOf<M>, answer: Answer<M>): void {
    const { work } = this.#start();
    const started = this.#started;
    if (started === undefined) return work.do(method, request, answer);
    started.then(
      () => work.do(method, request, answer),
      () => answer(Errno.EIO, undefined),
    );
  }

  #start(): Working {
    if (this.#working !== undefined) return this.#working;
    const { store, client, clock, log, accept, beat } = this.#options;
    const objects = new ObjectStore(store, { client: this.#options.made });
    const made = new MadeObjects(objects, (done) => syncAll({ files, mds: connection }, done));
    const coherence: SharedCoherence = new SharedCoherence({
      notifier: NO_KERNEL,
      files: {
        flush: (fid, done) => files.flush(fid, done),
        stale: (fid) => files.stale(fid),
        staleAll: () => files.staleAll(),
        lost: () => {
          const unrecorded = files.lost();
          made.begin();
          return unrecorded;
        },
        openLost: (fid) => files.lose(fid),
        recovered: () => files.announceAgain(),
      },
      listings: { moved: () => {}, staleAll: () => {} },
      call: (method, request, answer) => connection.call(method, request, answer),
      released: (fids) => connection.released(fids),
      clock,
      ready: () => connection.isFull,
    });
    const connection: Import = new Import({
      connect: async () => {
        const pair = channelPair({ schedule: (deliver) => void setImmediate(deliver) });
        accept(pair.server);
        return pair.client;
      },
      clock,
      client,
      name: 'server',
      opens: 'reconstruct',
      events: coherence,
      log,
      onWake: beat,
    });
    const files: FileIo = new FileIo(connection, objects, clock, coherence);
    const work = new DataWork(connection, files);
    this.#working = { connection, coherence, made, work };
    this.#started = connection.start().finally(() => {
      this.#started = undefined;
    });
    this.#started.catch((error: unknown) => {
      debug('the data client does not start: %o', error);
      log(`file data cannot be served: ${error instanceof Error ? error.message : String(error)}`);
    });
    beat();
    return this.#working;
  }
}
