/**
 * A metadata server that is killed, mounts, and connections between them, in which nothing
 * happens but by {@link World.step}: a message arrives, a flush ends, the clock goes on. The
 * order is that of a seed, or the one in which things were sent; so a run can be repeated, and
 * a fault put at any place of it.
 */
import { join } from 'node:path';
import { must } from '../../src/base/assert.js';
import type { Fid } from '../../src/base/fid.js';
import type { ClientId, ClientMessage, OpenRecovery } from '../../src/rpc/session.js';
import { FakeClock } from '../support/fake-clock.js';
import { Random } from '../support/random.js';
import type { Done } from './call.js';
import type { Event, Fault, WorldOptions } from './faults.js';
import { Mount } from './mount.js';
import { ServerRun } from './server-run.js';
import { turn } from './turn.js';
import { type Arrival, type Fate, type Kept, Wire } from './wire.js';

/** More than any test needs. */
const STEPS_MAX = 200_000;
/** What is due later than this is not waited for by who lets the world come to rest. */
const REST_US = 3_000_000;
export const WINDOW_US = 60_000_000;

export class World {
  readonly clock = new FakeClock();
  readonly random: Random;
  readonly path: string;
  readonly mounts: Mount[] = [];
  /** Changes that were answered with success. */
  readonly history: Done[] = [];
  readonly log: string[] = [];
  /** What shall happen in the place of this event; asked before each one. */
  faultAt: (event: Event) => Fault | undefined = () => undefined;
  /** After each message that arrived. */
  after: (arrival: Arrival) => void = () => {};
  /** False: a server that ends is not started again. */
  restarts = true;
  /** Runs of the server so far. */
  runs = 0;
  /** Names of mounts that find no way to the server. */
  readonly unreachable = new Set<string>();
  readonly #options: WorldOptions;
  readonly #wire: Wire;
  #server: ServerRun | undefined;
  #killed: 'kill' | 'power cut' | undefined;
  #machine = 0;
  #clients = 0;

  constructor(folder: string, options: WorldOptions = {}) {
    this.path = join(folder, 'store');
    this.#options = options;
    this.random = new Random(options.seed ?? 1);
    this.#wire = new Wire({
      arrives: (arrival) => this.#arrives(arrival),
      arrived: (arrival) => this.after(arrival),
    });
  }

  get server(): ServerRun {
    return must(this.#server, 'server');
  }

  get isUp(): boolean {
    return this.#server !== undefined && this.#killed === undefined;
  }

  /** It was told to end, and has not yet. */
  get isKilled(): boolean {
    return this.#killed !== undefined;
  }

  async start(): Promise<void> {
    this.runs++;
    const server = new ServerRun({
      ...{ path: this.path, clock: this.clock, random: this.random, machine: this.#machine },
      windowUs: this.#options.windowUs ?? WINDOW_US,
      log: (line) => this.log.push(`server ${this.runs}: ${line}`),
    });
    await server.settle();
    this.#server = server;
  }

  /** A mount that is not started. */
  newMount(name: string, opens: OpenRecovery = 'reconstruct'): Mount {
    const id = (++this.#clients).toString(16).padStart(8, '0').repeat(4) as ClientId;
    const mount: Mount = new Mount({
      ...{ name, id, store: this.path, clock: this.clock, opens, history: this.history },
      connect: async () => {
        if (mount.dead || !this.isUp || this.unreachable.has(name))
          throw new Error('nobody listens');
        const { exports } = this.server;
        const peer = { kind: 'unix', uid: 0, gid: 0, pid: 1 } as const;
        return this.#wire.connect(name, peer, (channel) => exports.accept(channel));
      },
      log: (line) => this.log.push(`${name}: ${line}`),
    });
    this.mounts.push(mount);
    return mount;
  }

  async mount(name: string, opens: OpenRecovery = 'reconstruct'): Promise<Mount> {
    const mount = this.newMount(name, opens);
    let started: boolean | Error = false;
    mount.start().then(
      () => {
        started = true;
      },
      (error: Error) => {
        started = error;
      },
    );
    await this.until(() => started !== false);
    if ((started as unknown) instanceof Error) throw started;
    return mount;
  }

  /** The mount ends in order. */
  async unmount(mount: Mount): Promise<void> {
    let closed = false;
    mount.import.close().then(() => {
      closed = true;
    });
    await this.until(() => closed);
    this.bury(mount);
  }

  /** The mount's process is killed. */
  bury(mount: Mount): void {
    mount.kill();
    this.#wire.cut(mount.name);
    this.mounts.splice(this.mounts.indexOf(mount), 1);
  }

  /** The server ends, now; it starts again with the next step. */
  kill(how: 'kill' | 'power cut' = 'kill'): void {
    if (!this.isUp) return;
    this.#killed = how;
    this.#wire.cutAll();
  }

  cut(mount: Mount): void {
    this.#wire.cut(mount.name);
  }

  /** Lets the world go on until then. Throws if that does not happen. */
  async until(isSo: () => boolean): Promise<void> {
    for (let i = 0; i < STEPS_MAX; i++) {
      await turn();
      if (isSo()) return;
      if (!(await this.step())) throw new Error(`nothing happens any more\n${this.log.join('\n')}`);
    }
    throw new Error(`it takes too long\n${this.log.slice(-20).join('\n')}`);
  }

  /** So much time passes, with all that happens in it. */
  async elapse(us: number): Promise<void> {
    const untilUs = this.clock.us + us;
    for (let i = 0; i < STEPS_MAX && this.clock.us < untilUs; i++) await this.step(untilUs);
  }

  /** A copy of the next such message to the server: `deliver` has it arrive once more. */
  keep(mount: Mount, isIt: (message: ClientMessage) => boolean): Kept {
    return this.#wire.keep(mount.name, isIt);
  }

  /** Everything that was called is answered. */
  answered(calls: readonly { readonly errno: unknown }[]): Promise<void> {
    return this.until(() => calls.every(({ errno }) => errno !== undefined));
  }

  /** One call after the other. */
  async ok<C extends { readonly outcome: string; readonly errno: unknown }>(call: C): Promise<C> {
    await this.answered([call]);
    if (call.errno !== 0) throw new Error(`answered ${call.outcome}\n${this.log.join('\n')}`);
    return call;
  }

  /** An open as a session asks for it: its handle. */
  async opened(mount: Mount, fid: Fid): Promise<number> {
    const { got } = await this.ok(mount.ask('open', { nodeId: fid, flags: 2, killSuidgid: false }));
    return must(got.open, 'an open').fh;
  }

  /** Until everybody is connected, and everything is on disk. */
  async rest(): Promise<void> {
    const isQuiet = (): boolean =>
      this.isUp &&
      !this.server.isBusy(this.clock.us) &&
      this.#wire.waiting === 0 &&
      this.mounts.every((mount) => mount.import.isFull && mount.import.inFlight === 0);
    for (let i = 0; i < STEPS_MAX; i++) {
      await turn();
      if (isQuiet()) return;
      if (!(await this.step())) throw new Error(`no rest\n${this.log.join('\n')}`);
    }
    throw new Error('no rest after many steps');
  }

  /** Something happens, until then at most. False: nothing can. */
  async step(untilUs = Number.POSITIVE_INFINITY): Promise<boolean> {
    await turn();
    if (this.#killed !== undefined) return this.#restart();
    const server = this.#server;
    if (server !== undefined && this.#committed(server)) return true;
    if (this.mounts.map((mount) => mount.fence()).includes(true)) return true;
    const { waiting } = this.#wire;
    const flushes = server?.flushing === true;
    const { shuffles = false, commits = 'lazy' } = this.#options;
    if (flushes && (waiting === 0 || commits === 'eager' || (shuffles && this.random.chance(15)))) {
      return this.#flush(must(server, 'server'));
    }
    if (waiting > 0) {
      this.#wire.deliver(shuffles ? this.random.below(waiting) : 0);
      this.clock.advance(10);
      server?.exports.tick(this.clock.us);
      return true;
    }
    return this.#wait(untilUs);
  }

  async close(): Promise<void> {
    for (const mount of [...this.mounts]) this.bury(mount);
    const server = this.#server;
    this.#server = undefined;
    await server?.close();
  }

  #committed({ server }: ServerRun): boolean {
    const { commit } = server;
    const { commits = 'lazy', shuffles = false } = this.#options;
    if (commit.uncommitted === 0 || commit.flushing) return false;
    if (commits !== 'eager' && !(shuffles && this.random.chance(5))) return false;
    return this.#commit(() => commit.run());
  }

  #commit(run: () => void): true {
    const fault = this.faultAt({ kind: 'commit' });
    if (fault === 'kill' || fault === 'power cut') this.kill(fault);
    else run();
    return true;
  }

  async #flush(server: ServerRun): Promise<true> {
    const fault = this.faultAt({ kind: 'flush' });
    if (fault === 'kill' || fault === 'power cut') this.kill(fault);
    else await server.finishFlush();
    return true;
  }

  /** The clock goes on to whatever is due first. */
  #wait(untilUs: number): boolean {
    const nowUs = this.clock.us;
    const server = this.#server;
    const dues = this.mounts.map((mount) => mount.dueInUs(nowUs));
    const commitIn = server?.server.commit.dueInUs(nowUs);
    if (server !== undefined) {
      const { purge } = server.server.feeds;
      dues.push(server.exports.dueInUs(nowUs), commitIn, purge.pending ? 1_000 : undefined);
      if (server.server.recovering) dues.push(1_000);
    }
    const known = dues.filter((due) => due !== undefined);
    if (Number.isFinite(untilUs)) known.push(untilUs - nowUs);
    if (known.length === 0) return false;
    const dueUs = Math.min(...known);
    this.clock.advance(Math.ceil(dueUs));
    if (server !== undefined) {
      server.exports.tick(this.clock.us);
      const isCommit = commitIn !== undefined && commitIn <= dueUs;
      if (isCommit) this.#commit(() => server.server.tick(this.clock.us));
      else server.server.tick(this.clock.us);
    }
    for (const mount of this.mounts) mount.tick(this.clock.us);
    return dueUs < REST_US || this.mounts.some((mount) => !mount.import.isFull);
  }

  async #restart(): Promise<boolean> {
    const server = must(this.#server, 'server');
    if (this.#killed === 'power cut') this.#machine++;
    this.#server = undefined;
    await server.kill();
    this.#killed = undefined;
    this.clock.advance(1_000_000);
    if (this.restarts) await this.start();
    return this.restarts;
  }

  #arrives(arrival: Arrival): Fate {
    if (arrival.to === 'server' && !this.isUp) return 'nothing';
    const fault = this.faultAt({ kind: 'message', ...arrival });
    if (fault === 'kill' || fault === 'power cut') {
      this.kill(fault);
      return 'nothing';
    }
    return fault ?? 'deliver';
  }
}
