/**
 * One run of the crash simulation: random operations, commits and flushes from a seed,
 * and at random moments the end of the process or of the machine.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import { type FileName, nameFromText } from '../../src/base/name.js';
import { fsckStore } from '../../src/mds/fsck.js';
import { FakeClock } from '../support/fake-clock.js';
import type { FakeReply } from '../support/fake-reply.js';
import { nodeOf } from '../support/namespace-model.js';
import type { Random } from '../support/random.js';
import type { ModelNode } from '../support/replayer.js';
import { type Asked, Simulated } from '../support/simulated.js';
import { O_RDWR, type OpenFile, releaseOf, setattrOf } from '../support/simulated-files.js';
import { acknowledge, makeFeed } from './crash-feeds.js';
import { nameless } from './crash-nameless.js';
import { space } from './crash-space.js';
import { FileHistory } from './file-history.js';
import { randomXattr } from './random-xattr.js';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((text) => nameFromText(text));
const O_TRUNC = 0o1000;
const S_IFDIR = 0o040000;
const S_IFIFO = 0o010000;
/** A commit is due by then, whoever waits. */
const COMMIT_US = 6_000;

export class CrashRun {
  readonly random: Random;
  readonly #folder: string;
  #instance = 0;
  #boot = 0;
  readonly clock = new FakeClock();
  sim: Simulated;
  /** The feed from the beginning of time, which nobody acknowledges. */
  feed = 0;
  root: ModelNode | undefined;
  directories: Fid[] = [ROOT_FID];
  readonly files = new Map<Fid, FileHistory>();
  opens: OpenFile[] = [];
  /** Every FID that a client was told, as long as the machine runs. */
  readonly told = new Set<Fid>();
  /** Objects that some answered call took a name from. */
  readonly unlinked = new Set<Fid>();
  /** The feed that is acknowledged: end of what was acknowledged in order. */
  acknowledged: { readonly id: number; to: number } | undefined;
  /** Index of the next record when the store was last closed in order. */
  endIndex = 0;
  /** Records that the feed has shown. */
  shown = 0;
  #value = 0;

  constructor(folder: string, random: Random) {
    this.#folder = folder;
    this.random = random;
    this.sim = this.#open();
  }

  #open(): Simulated {
    const bootId = `boot-${this.#boot}`;
    const path = join(this.#folder, `${this.#instance}`);
    return new Simulated(path, { clock: this.clock, bootId, holdFlushes: true });
  }

  async start(): Promise<void> {
    const { sim } = this;
    await sim.settle();
    sim.holdFlushes = true;
    this.root = nodeOf(sim, ROOT_FID);
    this.feed = await makeFeed(this, 'all');
  }

  /** Until the changes so far are on disk. */
  async letDiskWork(): Promise<void> {
    this.clock.advance(COMMIT_US);
    this.sim.tick();
    await this.sim.finishFlush();
  }

  /** Calls a handler and waits for its answer. */
  async #do<O extends Parameters<Simulated['ask']>[0]>(
    operation: O,
    asked: Asked<O>,
  ): Promise<FakeReply> {
    this.clock.advance(10);
    const reply = this.sim.ask(operation, asked);
    while (!reply.answered) await this.letDiskWork();
    return reply;
  }

  /** The process ends (same boot) or the machine does (another one), and the store is opened again. */
  async crash(machine: boolean): Promise<void> {
    const next = join(this.#folder, `${++this.#instance}`);
    await this.sim.crash(next);
    assert.equal(fsckStore(next).findings, [], 'fsck, before the next start');
    if (machine) {
      this.#boot++;
      // Nobody is left who was told of what was not on disk.
      this.told.clear();
    }
    this.#reopen();
  }

  async restart(): Promise<void> {
    for (const open of this.opens) this.sim.ask('release', releaseOf(open));
    await this.sim.close();
    this.endIndex = this.sim.server.log.end.index;
    this.#reopen();
  }

  #reopen(): void {
    this.clock.advance(1_000_000);
    this.sim = this.#open();
    this.opens = [];
  }

  async end(): Promise<void> {
    await this.sim.close();
    fs.rmSync(this.sim.path, { recursive: true });
  }

  #name(): FileName {
    return this.random.pick(NAMES) ?? (NAMES[0] as FileName);
  }

  #directory(): number {
    return this.random.pick(this.directories) ?? ROOT_FID;
  }

  /** One random step. */
  async step(): Promise<void> {
    if (this.random.chance(8)) return nameless(this);
    if (this.random.chance(6)) return space(this);
    const dice = this.random.below(100);
    if (dice < 12) await this.#make();
    else if (dice < 20) await this.#remove();
    else if (dice < 30) await this.#rename();
    else if (dice < 36) await this.#link();
    else if (dice < 44) await this.#open_();
    else if (dice < 62) await this.#write();
    else if (dice < 67) await this.#setSize();
    else if (dice < 72) await this.#setattr();
    else if (dice < 76) await this.#xattr();
    else if (dice < 80) await this.#fsync();
    else if (dice < 85) await this.#release();
    else if (dice < 88) await acknowledge(this);
    else if (dice < 91) this.#check();
    else if (dice < 96) {
      this.clock.advance(COMMIT_US * (this.random.chance(10) ? 1000 : 1));
      this.sim.tick();
    } else await this.sim.finishFlush();
  }

  async #make(): Promise<void> {
    const asked = { nodeId: this.#directory(), name: this.#name(), umask: 0o2 };
    const kind = this.random.below(10);
    let reply: FakeReply;
    if (kind < 5) {
      const flags = O_RDWR;
      reply = await this.#do('create', { ...asked, mode: 0o6755, flags, killSuidgid: false });
      const { open, entry } = reply.got;
      if (open !== undefined && entry !== undefined) {
        this.files.set(entry.nodeId as Fid, new FileHistory());
        this.opens.push({ fh: open.fh, fid: entry.nodeId as Fid });
      }
    } else if (kind < 8) {
      reply = await this.#do('mkdir', { ...asked, mode: S_IFDIR | 0o2775 });
      if (reply.errno === 0) this.directories.push((reply.got.entry?.nodeId ?? 0) as Fid);
    } else if (kind === 8) {
      reply = await this.#do('mknod', { ...asked, mode: S_IFIFO | 0o600, rdev: 0 });
    } else reply = await this.#do('symlink', { ...asked, target: 'some/where' });
    if (reply.errno !== 0) return;
    const fid = (reply.got.entry?.nodeId ?? 0) as Fid;
    assert.not.ok(this.told.has(fid), `FID ${fid} was given out twice`);
    this.told.add(fid);
  }

  #lookup(parent: number, name: FileName): Fid | undefined {
    const reply = this.sim.ask('lookup', { nodeId: parent, name });
    return reply.errno === 0 ? (reply.got.entry?.nodeId as Fid) : undefined;
  }

  #losing(fid: Fid | undefined, reply: FakeReply): void {
    if (fid !== undefined && reply.errno === 0) this.unlinked.add(fid);
  }

  async #remove(): Promise<void> {
    const asked = { nodeId: this.#directory(), name: this.#name() };
    const fid = this.#lookup(asked.nodeId, asked.name);
    this.#losing(fid, await this.#do(this.random.chance(70) ? 'unlink' : 'rmdir', asked));
  }

  async #rename(): Promise<void> {
    const asked = {
      nodeId: this.#directory(),
      name: this.#name(),
      newParent: this.#directory(),
      newName: this.#name(),
      flags: this.random.pick([0, 0, 0, 1, 2, 4, 5]) ?? 0,
    };
    const over = asked.flags % 4 === 0 ? this.#lookup(asked.newParent, asked.newName) : undefined;
    this.#losing(over, await this.#do('rename', asked));
  }

  async #link(): Promise<void> {
    const oldNodeId = this.#lookup(this.#directory(), this.#name());
    if (oldNodeId === undefined) return;
    await this.#do('link', { nodeId: this.#directory(), oldNodeId, name: this.#name() });
  }

  async #open_(): Promise<void> {
    const fid = this.#lookup(this.#directory(), this.#name());
    const history = fid === undefined ? undefined : this.files.get(fid);
    if (fid === undefined || history === undefined) return;
    const truncates = this.random.chance(20);
    const flags = O_RDWR | (truncates ? O_TRUNC : 0);
    const reply = await this.#do('open', { nodeId: fid, flags, killSuidgid: false });
    if (reply.got.open === undefined) return;
    if (truncates) history.truncate(0);
    this.opens.push({ fh: reply.got.open.fh, fid });
  }

  async #write(): Promise<void> {
    const open = this.random.pick(this.opens);
    const history = open === undefined ? undefined : this.files.get(open.fid);
    if (open === undefined || history === undefined) return;
    const length = 1 + this.random.below(this.random.pick([20, 3000, 9000, 20_000]) ?? 20);
    const offset = this.random.chance(40)
      ? history.size
      : this.random.below(Math.min(history.size + 5000, 40_000));
    this.#value = (this.#value % 255) + 1;
    const asked = { nodeId: open.fid, fh: open.fh, offset, flags: 0, fromCache: false };
    const data = new Uint8Array(length).fill(this.#value);
    const more = { data, killSuidgid: this.random.chance(5), lockOwner: undefined };
    const reply = await this.#do('write', { ...asked, ...more });
    assert.is(reply.outcome, 'ok', 'write');
    history.write(offset, length, this.#value);
  }

  async #setSize(): Promise<void> {
    const fid = this.random.pick(this.opens)?.fid;
    const history = fid === undefined ? undefined : this.files.get(fid);
    if (fid === undefined || history === undefined) return;
    const size = this.random.pick([0, this.random.below(20_000), this.random.below(40_000)]) ?? 0;
    const reply = await this.#do('setattr', setattrOf(fid, { size }));
    assert.is(reply.outcome, 'ok', 'truncate');
    history.truncate(size);
  }

  async #setattr(): Promise<void> {
    const nodeId = this.#lookup(this.#directory(), this.#name());
    if (nodeId === undefined) return;
    const changes = [
      { mode: this.random.below(0o7777) },
      { uid: this.random.below(9), gid: 5, killSuidgid: true },
      { mtime: { sec: 5, nsec: 6 }, atime: 'now' as const },
    ];
    const change = this.random.pick(changes) ?? {};
    await this.#do('setattr', setattrOf(nodeId, change));
  }

  async #xattr(): Promise<void> {
    const nodeId = this.#lookup(this.#directory(), this.#name());
    if (nodeId === undefined) return;
    const { name, value } = randomXattr(this.random);
    const flags = this.random.pick([0, 0, 1, 2]) ?? 0;
    if (this.random.chance(30)) await this.#do('removexattr', { nodeId, name });
    else await this.#do('setxattr', { nodeId, name, value, flags, killSgid: false });
  }

  async #fsync(): Promise<void> {
    const open = this.random.pick(this.opens);
    if (open === undefined) return;
    const asked = { nodeId: open.fid, fh: open.fh, dataOnly: false };
    assert.is((await this.#do('fsync', asked)).outcome, 'ok', 'fsync');
    this.files.get(open.fid)?.fsync();
  }

  async #release(): Promise<void> {
    const at = this.random.below(Math.max(1, this.opens.length));
    const [open] = this.opens.splice(at, 1);
    if (open !== undefined) await this.#do('release', releaseOf(open));
  }

  /** What a reader of the mount sees now. */
  #check(): void {
    this.shown = Math.max(this.shown, this.sim.server.log.visibleEnd.index - 1);
    const open = this.random.pick(this.opens);
    const history = open === undefined ? undefined : this.files.get(open.fid);
    if (open === undefined || history === undefined) return;
    const { attr } = this.sim.ask('getattr', { nodeId: open.fid, fh: open.fh }).got;
    assert.is(attr?.size, history.size, 'size');
    const asked = { nodeId: open.fid, fh: open.fh, offset: 0, size: history.size, flags: 0 };
    const { bytes } = this.sim.ask('read', { ...asked, lockOwner: undefined }).got;
    assert.ok(Buffer.from(bytes ?? []).equals(history.contents), 'contents');
  }
}
