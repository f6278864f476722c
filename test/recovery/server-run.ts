/**
 * One run of a metadata server of its own on a store in a folder, until it is killed. Nothing
 * happens by itself: who has it says when a flush is done, and moves the clock.
 */
import { copyFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { must } from '../../src/base/assert.js';
import type { Errno } from '../../src/base/errno.js';
import type { Clock } from '../../src/base/time.js';
import { discardObjectsOf } from '../../src/cli/serve/clients-objects.js';
import { ExportServer } from '../../src/mds/export/export-server.js';
import { LINGER_US } from '../../src/mds/export/limits.js';
import { StoredKeys } from '../../src/mds/keys/stored-keys.js';
import { MetadataServer } from '../../src/mds/server.js';
import { ObjectStore } from '../../src/objects/object-store.js';
import type { Method, RequestOf, ResultOf } from '../../src/rpc/messages.js';
import type { ServerBoot } from '../../src/rpc/session.js';
import { Store } from '../../src/store/store.js';
import type { Random } from '../support/random.js';

/** A boot id is a UUID as text. */
const BOOT_ID_BYTES = 36;
/** What a kill leaves of a store, beside the object files: the database, and how much of it is on disk. */
const KEPT = [join('meta', 'data.mdb'), 'flushed'];

export interface ServerRunOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Boots of the machine so far: in another one what was not flushed is gone. */
  readonly machine: number;
  readonly windowUs: number;
  readonly log: (line: string) => void;
}

export class ServerRun {
  readonly path: string;
  readonly store: Store;
  readonly keys: StoredKeys;
  readonly objects: ObjectStore;
  readonly server: MetadataServer;
  readonly exports: ExportServer;
  /** A flush that began; calling it, once, lets it happen. */
  #begin: ((finished: () => void) => void) | undefined;

  constructor({ path, clock, random, machine, windowUs, log }: ServerRunOptions) {
    this.path = path;
    const bootId = `machine-${machine}`.padEnd(BOOT_ID_BYTES, '.');
    this.store = Store.open(path, { create: true, bootId });
    this.#holdFlushes();
    const { store } = this;
    const bytes = (count: number): Uint8Array =>
      Uint8Array.from({ length: count }, () => random.below(256));
    const objects = new ObjectStore(path);
    this.objects = objects;
    this.keys = new StoredKeys({ path: join(path, 'keys'), clock, random: bytes });
    this.server = new MetadataServer({
      ...{ store, clock, visibility: 'disk', owner: { uid: 0, gid: 0 }, recovers: true },
      reaper: {
        remove: (fid, generation) => objects.remove({ fid, generation }),
        truncate: (fid, generation, size) => objects.truncate({ fid, generation }, size),
        flushed: () => objects.flushed(),
        recorded: (fid, generation) => objects.recorded({ fid, generation }),
      },
      // Object files are in no case lost here.
      dataSync: (done) => done(null),
      unsettled: () => {
        const gone = new Set(['missing', 'evicted']);
        const made: ExportServer | undefined = this.exports;
        const here = (made?.status().clients ?? []).filter(({ state }) => !gone.has(state));
        const present = new Set<string>(here.map(({ client }) => client));
        return [...objects.unsettled(), ...objects.absorb((client) => !present.has(client))];
      },
      diskUse: () => objects.statfs(),
      notify: (notice) => {
        const made: ExportServer | undefined = this.exports;
        made?.notify(notice);
      },
    });
    this.exports = new ExportServer({
      ...{ server: this.server, store, clock, keys: this.keys, windowUs, log },
      boot: Buffer.from(bytes(16)).toString('hex') as ServerBoot,
      objects: join(path, 'objects'),
      allowUids: [],
      uid: 0,
      onGone: (client) => discardObjectsOf(client, objects, this.server),
    });
  }

  /** A metadata RPC that is answered at once: its result, or the errno. */
  rpc<M extends Method>(method: M, request: RequestOf<M>): ResultOf<M> | Errno {
    let outcome: { errno: Errno | 0; result: ResultOf<M> | undefined } | undefined;
    this.server.service[method](request, (errno, result) => {
      outcome = { errno, result };
    });
    const { errno, result } = must(outcome, `an answer to ${method}`);
    return errno === 0 ? (result as ResultOf<M>) : errno;
  }

  /** Something of what was done is on its way to the disk, or about to be. */
  isBusy(nowUs: number): boolean {
    const { commit, recovering, feeds } = this.server;
    // What has just lost its name stays for a moment.
    const dueUs = this.exports.dueInUs(nowUs) ?? Number.POSITIVE_INFINITY;
    return commit.busy || recovering || feeds.purge.pending || dueUs <= LINGER_US;
  }

  get flushing(): boolean {
    return this.#begin !== undefined;
  }

  /** Lets the flush happen that waits, and waits until everybody has heard of it. */
  async finishFlush(): Promise<void> {
    const begin = this.#begin;
    if (begin === undefined) return;
    this.#begin = undefined;
    await new Promise<void>((finished) => begin(finished));
  }

  /** What opening it changed is on disk. */
  async settle(): Promise<void> {
    const { commit } = this.server;
    do {
      commit.run();
      await this.finishFlush();
    } while (commit.busy);
  }

  /** It ends between two steps: what it had committed stays, in the page cache or on disk. */
  async kill(): Promise<void> {
    for (const name of KEPT) copyFileSync(join(this.path, name), join(this.path, `${name}.killed`));
    await this.#discard();
    for (const name of KEPT) renameSync(join(this.path, `${name}.killed`), join(this.path, name));
  }

  /** In order. */
  async close(): Promise<void> {
    await this.settle();
    await this.#discard();
  }

  async #discard(): Promise<void> {
    const begin = this.#begin;
    this.#begin = undefined;
    if (begin !== undefined) await new Promise<void>((finished) => begin(finished));
    this.objects.close();
    this.#release();
    await this.store.close();
  }

  /** Closing the store flushes it. */
  #release: () => void = () => {};

  #holdFlushes(): void {
    const { store } = this;
    const flush = store.flush.bind(store);
    let released = false;
    this.#release = () => {
      released = true;
    };
    store.flush = (done) => {
      if (released) return flush(done);
      this.#begin = (finished) =>
        flush((error) => {
          done(error);
          finished();
        });
    };
  }
}
