/**
 * A mount with the real SharedCoherence: programs that look and change, a kernel that keeps what
 * it may, files whose writes are recorded later, and a connection.
 */
import type { Fid } from '../../../src/base/fid.js';
import type { FileName } from '../../../src/base/name.js';
import { SharedCoherence } from '../../../src/client/coherence/shared-coherence.js';
import type { Attributes, Reint, ResultOf } from '../../../src/rpc/messages.js';
import { SimulatedImport } from './simulated-import.js';
import { SimulatedKernel } from './simulated-kernel.js';
import {
  type Answered,
  DIRECTORY,
  recordOf,
  type ToClient,
  type ToServer,
} from './simulated-server.js';
import { KnownFiles, type MountWorld } from './simulated-world.js';

const WHO = { uid: 0, gid: 0, pid: 0, jobid: '', nid: '' };

export class SimulatedMount {
  readonly coherence: SharedCoherence;
  readonly kernel: SimulatedKernel;
  readonly #world: MountWorld;
  readonly #import: SimulatedImport;
  readonly #files = new KnownFiles();
  /** Operations of programs that have not ended. */
  operations = 0;

  constructor(
    world: MountWorld,
    send: (message: ToServer) => void,
    options: { readonly hasEpochs: boolean; readonly releaseAbove: number },
  ) {
    this.#world = world;
    this.#import = new SimulatedImport(send, (fids, exclusive) =>
      this.coherence.granted(fids, exclusive),
    );
    this.kernel = new SimulatedKernel(options.hasEpochs, (fid) => this.#writeBack(fid));
    this.coherence = new SharedCoherence({
      notifier: this.kernel,
      files: {
        flush: (fid, done) => {
          const owed = this.coherence.isOwed(fid);
          for (const next of owed ? this.#files.of(fid).resizing.splice(0) : []) next();
          this.flush(fid, () => done(0));
        },
        stale: (fid) => {
          this.#files.of(fid).contents = undefined;
        },
        staleAll: () => {},
        lost: () => {},
      },
      listings: { moved: () => {}, staleAll: () => {} },
      call: this.#import.connection,
      clock: world.clock,
      released: (fids) => this.#import.released(fids),
      releaseAbove: options.releaseAbove,
    });
  }

  receive(message: ToClient): void {
    if (message.kind === 'recall') {
      const { id, fids, want } = message;
      this.coherence.recall(fids, want, () => this.#import.recallDone(id));
    } else {
      this.#import.answered(message);
    }
  }

  /** stat(2) by a descriptor. */
  look(fid: Fid): void {
    const floor = this.#beginFile(fid);
    const kept = this.kernel.inode(fid).attributes;
    if (kept !== undefined) return this.#endFile(fid, kept, floor);
    const keep = this.kernel.attributesAsked(fid);
    this.#import.call('getattr', { fid }, ({ version }) => {
      const value = Math.max(version, this.#files.of(fid).dirty ?? 0);
      const may = this.coherence.mayCache(fid);
      this.#world.later(() => {
        keep(value, may);
        this.#endFile(fid, value, floor);
      });
    });
  }

  /** read(2) through the page cache. */
  read(fid: Fid): void {
    this.#read(fid, this.#beginFile(fid));
  }

  #read(fid: Fid, floor: number): void {
    const inode = this.kernel.inode(fid);
    if (inode.locked) return this.#world.later(() => this.#read(fid, floor));
    if (inode.page !== undefined) return this.#endFile(fid, inode.page, floor);
    inode.locked = true;
    const { own } = inode;
    const ended = this.coherence.reading(fid);
    this.#contents(fid, (value) => {
      ended();
      this.#world.later(() => {
        inode.locked = false;
        if (inode.own === own) inode.page = value;
        this.#endFile(fid, value, floor);
      });
    });
  }

  /** write(2): done as soon as the file is this mount's own. */
  write(fid: Fid): void {
    this.#beginFile(fid);
    this.#write(fid);
  }

  #write(fid: Fid): void {
    const file = this.#files.of(fid);
    if (file.gate !== undefined) {
      file.gate.push(() => this.#write(fid));
      return;
    }
    this.coherence.exclusive(fid, (errno) => {
      if (errno !== 0) throw new Error(`no exclusive lock: ${errno}`);
      if (file.gate !== undefined) return this.#write(fid);
      const version = this.#world.stamp();
      file.dirty = version;
      file.contents = version;
      this.kernel.changed(fid);
      this.#changedFile(fid, version);
    });
  }

  /** A program writes by its mapping of a page that the kernel has. */
  map(fid: Fid): void {
    const inode = this.kernel.inode(fid);
    if (inode.page !== undefined && !inode.locked) inode.mapped = true;
  }

  /** Nobody need have seen it before. */
  #writeBack(fid: Fid): void {
    const file = this.#files.of(fid);
    file.dirty = this.#world.stamp();
    file.mapped = true;
  }

  /** truncate(2): no page is written back before it is done. */
  truncate(fid: Fid): void {
    this.#beginFile(fid);
    const inode = this.kernel.inode(fid);
    inode.nowrite++;
    const { resizing } = this.#files.of(fid);
    const go = (): void => {
      if (resizing.includes(go)) resizing.splice(resizing.indexOf(go), 1);
      this.#change(fid, () => void inode.nowrite--);
    };
    if (this.coherence.isOwed(fid)) return go();
    resizing.push(go);
    this.coherence.exclusive(fid, () => resizing.includes(go) && go());
  }

  /** chmod(2). */
  change(fid: Fid): void {
    this.#beginFile(fid);
    this.#change(fid);
  }

  #change(fid: Fid, ended = (): void => {}): void {
    const file = this.#files.of(fid);
    if (file.gate !== undefined) {
      file.gate.push(() => this.#change(fid, ended));
      return;
    }
    const gate: (() => void)[] = [];
    file.gate = gate;
    this.flush(fid, () => {
      this.#reint({ op: 'setattr', fid, change: {} }, ({ version }) => {
        file.contents = undefined;
        this.kernel.changed(fid);
        file.gate = undefined;
        ended();
        this.#changedFile(fid, version);
        for (const next of gate) next();
      });
    });
  }

  /** access(2) of a name in the directory. */
  find(name: FileName): void {
    this.#find(name, this.#begin(name));
  }

  #find(name: FileName, floor: number): void {
    const kept = this.kernel.name(name);
    if (kept !== undefined) return this.#end(name, kept, floor);
    if (!this.kernel.lockNames(false)) return this.#world.later(() => this.#find(name, floor));
    const { epoch } = this.kernel;
    this.#import.call('lookup', { parent: DIRECTORY, name }, ({ version, result }) => {
      const may = this.coherence.mayCacheNames(DIRECTORY);
      const found = result as Attributes | undefined;
      const keep = found === undefined ? undefined : this.kernel.attributesAsked(found.fid);
      const mayAttributes = found !== undefined && this.coherence.mayCache(found.fid);
      this.#world.later(() => {
        this.kernel.unlockNames();
        if (may) this.kernel.keepName(name, version, epoch);
        if (found !== undefined && !this.kernel.knows(found.fid)) keep?.(found.size, mayAttributes);
        this.#end(name, version, floor);
      });
    });
  }

  /** open(2) with O_CREAT | O_EXCL, or unlink(2). */
  toggle(name: FileName, exists: boolean): void {
    this.#begin(name);
    this.#toggle(name, exists);
  }

  #toggle(name: FileName, exists: boolean): void {
    if (!this.kernel.lockNames(true)) return this.#world.later(() => this.#toggle(name, exists));
    const open = { mode: 0, umask: 0, rdev: 0, open: false };
    const change: Reint = exists
      ? { op: 'create', parent: DIRECTORY, name, ...open }
      : { op: 'unlink', parent: DIRECTORY, name };
    this.#reint(change, ({ version, result }) => {
      this.kernel.unlockNames();
      this.kernel.dropName(name);
      const changed = result as ResultOf<'reint'> | undefined;
      if (changed !== undefined) this.kernel.changed(changed.attributes.fid);
      this.operations--;
      this.#world.changed(name, version);
    });
  }

  forget(fid: Fid): void {
    if (this.kernel.forget(fid)) this.#world.later(() => this.coherence.forgotten([fid]));
  }

  flush(fid: Fid, done: () => void): void {
    const file = this.#files.of(fid);
    if (file.recording !== undefined) {
      file.waiting.push(() => this.flush(fid, done));
      return;
    }
    const version = file.dirty;
    if (version === undefined) return done();
    file.recording = version;
    this.#reint(recordOf(fid, version, file.mapped), () => {
      file.recording = undefined;
      if (file.dirty === version) {
        file.dirty = undefined;
        file.mapped = false;
      }
      done();
      for (const next of file.waiting.splice(0)) next();
    });
  }

  unrecorded(fid: Fid): boolean {
    return this.#files.of(fid).dirty !== undefined;
  }

  #contents(fid: Fid, done: (value: number) => void): void {
    const file = this.#files.of(fid);
    if (file.contents !== undefined) return done(file.contents);
    this.#import.call('contents', { fid }, ({ version }) => {
      const value = Math.max(version, file.dirty ?? 0);
      if (this.coherence.mayCache(fid)) file.contents = value;
      done(value);
    });
  }

  #reint(change: Reint, answer: (answered: Answered) => void): void {
    this.#import.call('reint', { who: WHO, change }, answer);
  }

  #beginFile(fid: Fid): number {
    this.kernel.inode(fid).pins++;
    return this.#begin(`${fid}`);
  }

  #endFile(fid: Fid, version: number, floor: number): void {
    this.kernel.inode(fid).pins--;
    this.#end(`${fid}`, version, floor);
  }

  #changedFile(fid: Fid, version: number): void {
    this.kernel.inode(fid).pins--;
    this.operations--;
    this.#world.changed(`${fid}`, version);
  }

  #begin(key: string): number {
    this.operations++;
    return this.#world.floor(key);
  }

  #end(key: string, version: number, floor: number): void {
    this.operations--;
    this.#world.seen(key, version, floor);
  }
}
