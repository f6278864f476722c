/**
 * Several mounts that look at and change the same objects, with the real locks at the server and
 * the real coherence in each mount; every message and every step of the kernels comes in an order
 * that the seed decides.
 *
 * Checked: whoever looks sees every change that was answered before it began to look, and
 * whatever is asked ends.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../../src/base/fid.js';
import { nameFromText } from '../../../src/base/name.js';
import type { ClientId } from '../../../src/rpc/session.js';
import { FakeClock } from '../../support/fake-clock.js';
import { Random } from '../../support/random.js';
import { SimulatedMount } from './simulated-mount.js';
import { SimulatedServer, type ToClient, type ToServer } from './simulated-server.js';

const FILES = [11, 12, 13] as Fid[];
const NAMES = ['a', 'b'].map(nameFromText);
const STEPS = 1_500;
/** Far beyond what the rest of the operations takes. */
const DRAIN_STEPS_MAX = 200_000;

interface Options {
  readonly mounts: number;
  readonly hasEpochs?: boolean;
  readonly cachedMax?: number;
  readonly releaseAbove?: number;
  /** Some changes wait for room at the server, between their admission and their execution. */
  readonly waits?: boolean;
  /** Programs do little but write by mappings of one file, and change its size. */
  readonly maps?: boolean;
  /** One of them stops to answer. */
  readonly falls?: boolean;
}

interface Peer {
  readonly id: ClientId;
  readonly mount: SimulatedMount;
  readonly toServer: ToServer[];
  readonly toClient: ToClient[];
  gone: boolean;
}

class World {
  readonly clock = new FakeClock();
  readonly server: SimulatedServer;
  readonly peers: Peer[] = [];
  readonly #random: Random;
  readonly #maps: boolean;
  readonly #tasks: (() => void)[] = [];
  readonly #floors = new Map<string, number>();
  /** Versions that an evicted mount had answered to its programs, and not recorded. */
  readonly #lost: { of: string; after: number; until: number }[] = [];
  #stamp = 0;
  evicted = 0;
  changes = 0;

  constructor(seed: number, options: Options) {
    this.#random = new Random(seed);
    this.#maps = options.maps === true;
    this.server = new SimulatedServer(
      {
        nowUs: () => this.clock.us,
        stamp: () => ++this.#stamp,
        send: (to, message) => this.#peer(to)?.toClient.push(message),
        evicted: (client) => this.#evict(client),
        later: (make) => {
          const waits = options.waits === true && this.#random.chance(20);
          if (waits) this.#tasks.push(make);
          return waits;
        },
      },
      options.cachedMax ?? 1_000,
    );
    for (let i = 0; i < options.mounts; i++) this.#addMount(i, options);
  }

  #addMount(index: number, { hasEpochs = true, releaseAbove = 1_000 }: Options): void {
    const toServer: ToServer[] = [];
    const mount = new SimulatedMount(
      {
        clock: this.clock,
        stamp: () => ++this.#stamp,
        later: (run) => void this.#tasks.push(run),
        floor: (key) => this.#floors.get(key) ?? 0,
        seen: (key, version, floor) => {
          const lost = this.#lost.some(
            ({ of, after, until }) => of === key && floor > after && floor <= until,
          );
          if (version < floor && !lost) {
            throw new Error(`${key}: saw ${version}, but ${floor} was answered`);
          }
        },
        changed: (key, version) => {
          this.#floors.set(key, Math.max(this.#floors.get(key) ?? 0, version));
        },
      },
      (message) => void toServer.push(message),
      { hasEpochs, releaseAbove },
    );
    this.peers.push({ id: `${index}` as ClientId, mount, toServer, toClient: [], gone: false });
  }

  #peer(id: ClientId): Peer | undefined {
    return this.peers.find((peer) => peer.id === id && !peer.gone);
  }

  #evict(id: ClientId): void {
    const peer = this.#peer(id);
    if (peer === undefined) return;
    peer.gone = true;
    this.evicted++;
    for (const [fid, version] of this.server.versions) {
      const until = this.#floors.get(`${fid}`) ?? 0;
      if (until <= version || this.#unrecordedElsewhere(fid)) continue;
      this.#lost.push({ of: `${fid}`, after: version, until });
      this.#floors.set(`${fid}`, version);
    }
  }

  #unrecordedElsewhere(fid: Fid): boolean {
    return this.#living.some(({ mount }) => mount.unrecorded(fid));
  }

  get #living(): Peer[] {
    return this.peers.filter(({ gone }) => !gone);
  }

  /** Everything that could happen next, but for new operations. */
  #possible(mute: Peer | undefined): (() => void)[] {
    const possible: (() => void)[] = [];
    for (const peer of this.#living) {
      if (peer.toServer.length > 0) {
        possible.push(() => {
          const message = peer.toServer.shift();
          if (message !== undefined) this.server.receive(peer.id, message);
        });
      }
      if (peer === mute) continue;
      if (peer.toClient.length > 0) {
        possible.push(() => {
          const message = peer.toClient.shift();
          if (message !== undefined) peer.mount.receive(message);
        });
      }
      if (peer.mount.kernel.canWork) possible.push(() => peer.mount.kernel.work());
    }
    if (this.#tasks.length > 0) {
      possible.push(() => this.#tasks.splice(this.#random.below(this.#tasks.length), 1)[0]?.());
    }
    return possible;
  }

  #begin(): void {
    const peer = this.#random.pick(this.#living);
    const fid = this.#random.pick(FILES);
    const name = this.#random.pick(NAMES);
    if (peer === undefined || fid === undefined || name === undefined) return;
    if (peer.mount.operations > 6) return;
    const { mount } = peer;
    const choice = this.#random.below(100);
    if (this.#maps) this.#map(mount, choice);
    else if (choice < 25) mount.look(fid);
    else if (choice < 50) mount.read(fid);
    else if (choice < 62) mount.write(fid);
    else if (choice < 65) mount.change(fid);
    else if (choice < 68) mount.truncate(fid);
    else if (choice < 71) mount.map(fid);
    else if (choice < 85) mount.find(name);
    else if (choice < 93) mount.toggle(name, this.#random.chance(50));
    else if (choice < 96) mount.forget(fid);
    else mount.flush(fid, () => {});
  }

  #map(mount: SimulatedMount, choice: number): void {
    const [fid = 0 as Fid] = FILES;
    if (choice < 40) mount.read(fid);
    else if (choice < 75) mount.map(fid);
    else if (choice < 95) mount.truncate(fid);
    else mount.write(fid);
  }

  #tick(us: number): void {
    this.clock.advance(us);
    this.server.locks.tick(this.clock.us);
    for (const { mount } of this.#living) mount.coherence.tick(this.clock.us);
  }

  run(falls: boolean): void {
    let mute: Peer | undefined;
    for (let step = 0; step < STEPS; step++) {
      if (falls && step === STEPS / 2) mute = this.peers[0];
      const possible = this.#possible(mute);
      if (possible.length === 0 || this.#random.chance(25)) this.#begin();
      else this.#random.pick(possible)?.();
      // Some of these changes are made only after YIELD_US.
      if (this.#random.chance(2)) this.#tick(this.#random.below(this.#maps ? 100_000 : 3_000));
    }
    for (
      let step = 0;
      this.#living.some((peer) => peer !== mute && peer.mount.operations > 0);
      step++
    ) {
      if (step > DRAIN_STEPS_MAX) throw new Error('something does not end');
      const possible = this.#possible(mute);
      // Who waits for a lock of the kernel asks again and again: time has to pass all the same.
      if (possible.length === 0 || this.#random.chance(5)) this.#tick(50_000);
      else this.#random.pick(possible)?.();
    }
    this.changes = this.#stamp;
  }
}

function simulate(from: number, to: number, options: Options): void {
  for (let seed = from; seed < to; seed++) {
    const world = new World(seed, options);
    try {
      world.run(options.falls ?? false);
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
    const least = options.maps === true ? 10 : 20;
    assert.ok(world.changes > least, `seed ${seed}: ${world.changes} changes`);
    if (!options.falls) assert.is(world.evicted, 0, `seed ${seed}`);
  }
}

test('two mounts', () => simulate(1, 60, { mounts: 2 }));

test('four mounts', () => simulate(100, 140, { mounts: 4 }));

test('a kernel without epochs', () => simulate(200, 220, { mounts: 2, hasEpochs: false }));

test('changes that wait for room', () => simulate(500, 540, { mounts: 3, waits: true }));

test('mappings of files whose size is changed from all sides', () =>
  simulate(600, 615, { mounts: 2, maps: true }));

test('fewer locks than objects', () =>
  simulate(300, 340, { mounts: 3, cachedMax: 2, releaseAbove: 1 }));

test('one that does not answer is not waited for', () =>
  simulate(400, 440, { mounts: 3, falls: true }));

test.run();
