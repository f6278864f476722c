/**
 * A server with clients that a test speaks for, message by message. Nothing happens by itself:
 * the test delivers what was sent, moves the clock, and lets commits reach the disk.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '../../../src/base/assert.js';
import { ExportServer } from '../../../src/mds/export/export-server.js';
import { StoredKeys } from '../../../src/mds/keys/stored-keys.js';
import { MetadataServer } from '../../../src/mds/server.js';
import { LOOK_US } from '../../../src/mds/stall.js';
import type { Peer } from '../../../src/rpc/channel.js';
import type { ServerBoot } from '../../../src/rpc/session.js';
import { type ChannelPair, channelPair } from '../../../src/rpc/socket/channel-pair.js';
import { Store } from '../../../src/store/store.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TEMP_PREFIX } from '../../support/mount.js';
import { TestClient } from './test-client.js';

export const ROOT_PEER: Peer = { kind: 'unix', uid: 0, gid: 0, pid: 1 };
export const WINDOW_US = 60_000_000;

const SKIPPED = ['lock', join('meta', 'lock.mdb')];

export class World {
  readonly folder = mkdtempSync(join(tmpdir(), TEMP_PREFIX));
  readonly clock = new FakeClock();
  readonly lines: string[] = [];
  readonly gone: string[] = [];
  store: Store;
  server: MetadataServer;
  exports: ExportServer;
  keys: StoredKeys;
  boot: ServerBoot;
  #runs = 0;
  #draws = 0;
  #flushDone: (() => void) | undefined;
  #flush: Store['flush'] | undefined;
  readonly #pairs = new Set<ChannelPair>();

  constructor() {
    const parts = this.#start();
    this.store = parts.store;
    this.server = parts.server;
    this.exports = parts.exports;
    this.keys = parts.keys;
    this.boot = parts.boot;
    this.settle();
  }

  get #path(): string {
    return join(this.folder, `store${this.#runs}`);
  }

  #start() {
    const store = Store.open(this.#path, { create: true });
    this.#flush = store.flush.bind(store);
    store.flush = (done) => {
      this.#flushDone = () => done(null);
    };
    const { clock } = this;
    let exports: ExportServer | undefined;
    const server = new MetadataServer({
      ...{ store, clock, visibility: 'disk', owner: { uid: 0, gid: 0 }, recovers: true },
      reaper: { remove: () => {}, truncate: () => {}, flushed: () => {} },
      unsettled: [],
      dataSync: (done) => done(null),
      diskUse: () => ({ freeBytes: 2 ** 40, totalBytes: 2 ** 41, freeFiles: 1, files: 2 }) as never,
      notify: (notice) => exports?.notify(notice),
    });
    const random = (bytes: number): Uint8Array => Buffer.alloc(bytes, ++this.#draws);
    const keys = new StoredKeys({ path: join(this.#path, 'keys'), clock, random });
    const boot = `${this.#runs + 1}`.padStart(32, 'b') as ServerBoot;
    exports = new ExportServer({
      ...{ server, store, clock, keys, boot, objects: join(this.#path, 'objects') },
      ...{ allowUids: [1000], uid: 0, windowUs: WINDOW_US },
      log: (line) => void this.lines.push(line),
      onGone: (client) => void this.gone.push(client),
    });
    return { store, server, exports, keys, boot };
  }

  /** A connection to the server. */
  connect(peer: Peer = ROOT_PEER): ChannelPair {
    const pair = channelPair({ clientPeer: peer });
    this.#pairs.add(pair);
    this.exports.accept(pair.server);
    return pair;
  }

  client(id = 1, peer: Peer = ROOT_PEER): TestClient {
    return new TestClient(this, id, peer);
  }

  /** A client that is connected. */
  welcome(id = 1, peer: Peer = ROOT_PEER): TestClient {
    const client = this.client(id, peer);
    client.hello();
    return client;
  }

  /** Delivers whatever is on its way. */
  pump(): void {
    let delivered: number;
    do {
      delivered = 0;
      for (const pair of this.#pairs) delivered += pair.pump();
    } while (delivered > 0);
  }

  /** The commit in flight is on disk. */
  flushed(): void {
    const done = this.#flushDone;
    this.#flushDone = undefined;
    done?.();
  }

  /** Commits and flushes until nothing is left to do, and delivers what that leads to. */
  settle(): void {
    for (let round = 0; round < 100; round++) {
      this.pump();
      this.flushed();
      if (!this.server.commit.busy && this.#flushDone === undefined) return this.pump();
      this.server.commit.run();
    }
    throw new Error('it does not settle');
  }

  tick(us = 0): void {
    // As often as it has to be: a longer pause counts as one of the server's.
    let rest = us;
    do {
      this.clock.advance(Math.min(rest, LOOK_US));
      this.exports.tick(this.clock.us);
      this.pump();
      rest -= LOOK_US;
    } while (rest > 0);
  }

  /** The server is killed, with what is not committed; another one starts on what there is. */
  async restart(): Promise<void> {
    const before = this.#path;
    for (const pair of this.#pairs) pair.cut('killed');
    this.#pairs.clear();
    this.#runs++;
    const skipped = SKIPPED.map((name) => join(before, name));
    cpSync(before, this.#path, { recursive: true, filter: (from) => !skipped.includes(from) });
    await this.#closeStore();
    rmSync(before, { recursive: true });
    const { store, server, exports, keys, boot } = this.#start();
    Object.assign(this, { store, server, exports, keys, boot });
    this.settle();
  }

  async end(): Promise<void> {
    await this.stop();
    this.remove();
  }

  /** The server is killed, and nothing starts. */
  async stop(): Promise<void> {
    for (const pair of this.#pairs) pair.cut('killed');
    await this.#closeStore();
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  async #closeStore(): Promise<void> {
    const flush = must(this.#flush, 'a store');
    this.#flushDone = undefined;
    this.store.flush = flush;
    await this.store.close();
  }
}
