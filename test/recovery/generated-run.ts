/**
 * Programs on several mounts, drawn from a seed, with a server that is killed and connections
 * that are lost at any moment. Each name and each file is changed by one program at a time, so
 * the model says what every call must be answered; calls on different ones are on their way
 * together. Programs know of no fault: none may see one.
 */
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { ROOT_FID } from '../../src/base/fid.js';
import type { OpenRecovery } from '../../src/rpc/session.js';
import { namespaceOf, owedRecords } from '../support/namespace-model.js';
import type { Claims } from './claims.js';
import { traceEvent } from './everywhere.js';
import type { Event, Fault } from './faults.js';
import { Programs, S_IFDIR } from './generated-calls.js';
import { Model, TRACE } from './generated-model.js';
import type { World } from './world.js';

/** After this a client that is gone is given up; in a recovery after its window. */
const GONE_US = 100_000_000;
/** Calls of all mounts on their way. */
const TOGETHER = 6;

export class GeneratedRun {
  readonly world: World;
  readonly #claims: Claims;
  readonly #model: Model;
  readonly #programs: Programs;
  faults = 0;

  constructor(world: World, claims: Claims) {
    this.world = world;
    this.#model = new Model(world.random);
    this.#programs = new Programs(world, this.#model);
    this.#claims = claims;
    world.faultAt = (event) => this.#fault(event);
  }

  #fault(event: Event): Fault | undefined {
    const fault = this.#drawn(event);
    if (TRACE) traceEvent(event, this.faults, fault);
    return fault;
  }

  #drawn(event: Event): Fault | undefined {
    const { random } = this.world;
    if (!random.chance(2)) return undefined;
    this.faults++;
    if (event.kind !== 'message') return 'kill';
    const repeats = ['call', 'answer', 'replay'].includes(event.message.kind);
    return random.pick(['kill', 'cut', 'cut after', repeats ? 'twice' : 'cut'] as const);
  }

  /** Begins a call, or lets the world go on. */
  async step(): Promise<void> {
    const { random } = this.world;
    this.#model.reap();
    if (this.#model.pending.length < TOGETHER && random.chance(40)) this.#programs.begin();
    else if (!(await this.world.step())) this.#model.reap();
  }

  /** Until all calls are answered as the model says. */
  async finish(): Promise<void> {
    await this.world.until(() => {
      this.#model.reap();
      return this.#model.pending.length === 0;
    });
  }

  async end(): Promise<void> {
    this.world.faultAt = () => undefined;
    await this.finish();
    await this.#checkContents();
    for (const open of this.#model.opens.splice(0)) this.#programs.release(open);
    await this.finish();
    for (const mount of this.world.mounts) mount.client.settle();
    await this.world.rest();
    this.#checkTree();
    this.#checkRecords();
  }

  /** A mount is killed when all that it did is on disk; another takes its place. */
  async replaceMount(kind: OpenRecovery): Promise<void> {
    const { world } = this;
    await this.finish();
    const mount = must(world.random.pick(world.mounts), 'a mount');
    let synced: number | undefined;
    mount.client.sync((errno) => {
      synced = errno;
    });
    await world.until(() => synced !== undefined);
    assert.is(synced, 0, 'sync');
    for (const open of this.#model.opens) {
      if (open.mount === mount && open.file.lockedBy === open) open.file.lockedBy = undefined;
    }
    this.#model.opens = this.#model.opens.filter((open) => open.mount !== mount);
    world.bury(mount);
    // The server has to notice.
    await world.elapse(GONE_US);
    await world.rest();
    await world.mount(`${mount.name}'`, kind);
  }

  /** By every open, and of files that have a name on every mount. */
  async #checkContents(): Promise<void> {
    for (const open of [...this.#model.opens]) {
      this.#programs.readBy(open);
      await this.finish();
    }
    for (const [name, file] of this.#model.names) {
      if (file.isDirectory) continue;
      for (const mount of this.world.mounts) {
        const before = this.#model.opens.length;
        const asked = { nodeId: file.fid, flags: 0, killSuidgid: false };
        const { got } = await this.world.ok(mount.ask('open', asked));
        this.#model.opens.push({ mount, file, fh: must(got.open, `open of ${name}`).fh });
        this.#programs.readBy(must(this.#model.opens[before], 'the open'));
        await this.finish();
      }
    }
  }

  #checkTree(): void {
    const nodes = namespaceOf(this.world.server);
    const found = [...must(nodes.get(ROOT_FID), 'root').entries].map(([name, fid]) => {
      const { nlink, size, mode } = must(nodes.get(fid), name).attrs;
      const isDirectory = (mode & S_IFDIR) !== 0;
      return { name, fid, names: isDirectory ? 1 : nlink, size: isDirectory ? 0 : size };
    });
    const wanted = [...this.#model.names].map(([name, file]) => {
      return { name, fid: file.fid, names: file.names, size: file.contents.length };
    });
    const sorted = (list: typeof found): typeof found =>
      [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
    assert.equal(sorted(found), sorted(wanted), 'names');
  }

  /** Each change of a name is one record. */
  #checkRecords(): void {
    const counts = new Map<string, number>();
    for (const { op } of owedRecords(this.world.server, this.#claims.feed)) {
      counts.set(op, (counts.get(op) ?? 0) + 1);
    }
    for (const [op, count] of this.#model.made)
      assert.is(counts.get(op) ?? 0, count, `records of ${op}`);
  }
}
