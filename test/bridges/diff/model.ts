/**
 * A filesystem that is nothing but names and inodes, changed by random operations, each of
 * which is a record, too: what diff is tried on without any store.
 */

import { must } from '../../../src/base/assert.js';
import type { Fid } from '../../../src/base/fid.js';
import { FIRST_FID, ROOT_FID } from '../../../src/base/fid.js';
import { S_IFDIR, S_IFREG } from '../../../src/base/mode.js';
import type { ChangeRecord, RecordIndex, Transno } from '../../../src/feed/record.js';
import type { ObjectPlaces } from '../../../src/rpc/places.js';
import type { Random } from '../../support/random.js';

export interface ModelInode {
  readonly fid: Fid;
  readonly mode: number;
  /** Grows with each change of the object itself, or of what is in it. */
  version: number;
  /** `PARENT/NAME` each. */
  readonly names: Map<string, { readonly parent: Fid; readonly name: string }>;
}

/** The tree at one moment: path to inode. */
export type Snapshot = ReadonlyMap<string, { readonly fid: Fid; readonly version: number }>;

const NAMES = ['a', 'b', 'c', 'd', 'e'];

type Body<R = ChangeRecord> = R extends ChangeRecord
  ? Omit<R, 'index' | 'transno' | 'time' | 'uid' | 'gid' | 'pid' | 'nid' | 'jobid'>
  : never;

export class ModelFilesystem {
  readonly inodes = new Map<Fid, ModelInode>();
  readonly records: ChangeRecord[] = [];
  readonly #entries = new Map<string, Fid>();
  #next = FIRST_FID as number;
  #versions = 0;

  constructor() {
    this.inodes.set(ROOT_FID, { fid: ROOT_FID, mode: S_IFDIR, version: 0, names: new Map() });
  }

  /** One operation, if what was picked allows any. */
  step(random: Random): void {
    const parent = must(random.pick(this.#directories()), 'a directory');
    const name = must(random.pick(NAMES), 'a name');
    const there = this.#entries.get(`${parent}/${name}`);
    const kind = random.below(12);
    if (kind < 5 && there === undefined) return this.#make(parent, name, random);
    if (kind < 9) return this.#rename(random, parent, name);
    if (there === undefined) return;
    if (kind < 11) this.#remove(parent, name, there);
    else this.#change(there, random);
  }

  /** What `.lustre/places` would say now. */
  places(fids: readonly Fid[]): ObjectPlaces[] {
    return fids.map((fid) => {
      if (fid === ROOT_FID) return { fid, mode: S_IFDIR, places: [{ parent: 0, name: '' }] };
      const inode = this.inodes.get(fid);
      return { fid, mode: inode?.mode ?? 0, places: [...(inode?.names.values() ?? [])] };
    });
  }

  snapshot(): Snapshot {
    const paths = new Map<string, { fid: Fid; version: number }>();
    const visit = (fid: Fid, path: string): void => {
      const { version } = this.#inode(fid);
      paths.set(path === '' ? '.' : path, { fid, version });
      for (const name of NAMES) {
        const below = this.#entries.get(`${fid}/${name}`);
        if (below !== undefined) visit(below, path === '' ? name : `${path}/${name}`);
      }
    };
    visit(ROOT_FID, '');
    return paths;
  }

  #make(parent: Fid, name: string, random: Random): void {
    const file = random.pick(this.#files());
    if (file !== undefined && random.chance(30)) {
      this.#record({ op: 'link', fid: file, parent, name, attrs: { nlink: 2 } });
      return this.#gain(file, parent, name);
    }
    const fid = this.#next++ as Fid;
    const mode = (random.chance(50) ? S_IFDIR : S_IFREG) | 0o755;
    this.inodes.set(fid, { fid, mode, version: ++this.#versions, names: new Map() });
    this.#record({
      op: isDirectory(mode) ? 'mkdir' : 'create',
      fid,
      parent,
      name,
      attrs: { mode },
    });
    this.#gain(fid, parent, name);
  }

  #remove(parent: Fid, name: string, fid: Fid): void {
    const { mode, names } = this.#inode(fid);
    if (this.#hasEntries(fid)) return;
    const last = names.size === 1;
    this.#record({
      op: isDirectory(mode) ? 'rmdir' : 'unlink',
      fid,
      parent,
      name,
      attrs: { mode },
      last,
    });
    this.#lose(fid, parent, name);
  }

  #change(fid: Fid, random: Random): void {
    this.#inode(fid).version = ++this.#versions;
    if (random.chance(50)) this.#record({ op: 'setattr', fid, attrs: { uid: 1 } });
    else this.#record({ op: 'removexattr', fid, xattr: { name: 'user.a' }, attrs: {} });
  }

  #rename(random: Random, newParent: Fid, newName: string): void {
    const from = random.pick([...this.#entries.keys()]);
    if (from === undefined) return;
    const slash = from.indexOf('/');
    const [parent, name] = [Number(from.slice(0, slash)) as Fid, from.slice(slash + 1)];
    const fid = must(this.#entries.get(from), 'an entry');
    const there = this.#entries.get(`${newParent}/${newName}`);
    if (there === fid || this.#isBelow(newParent, fid)) return;
    const head = { op: 'rename', fid, parent, name, newParent, newName, attrs: {} } as const;
    if (there === undefined) this.#record(head);
    else if (random.chance(50)) {
      if (this.#isBelow(parent, there)) return;
      this.#record({ ...head, exchanged: there });
      this.#lose(fid, parent, name);
      this.#lose(there, newParent, newName);
      this.#gain(there, parent, name);
      return this.#gain(fid, newParent, newName);
    } else {
      const [a, b] = [this.#inode(fid), this.#inode(there)];
      if (a.mode !== b.mode || this.#hasEntries(there)) return;
      const over = { fid: there, attrs: { mode: b.mode }, last: b.names.size === 1 };
      this.#record({ ...head, over });
      this.#lose(there, newParent, newName);
    }
    this.#lose(fid, parent, name);
    this.#gain(fid, newParent, newName);
  }

  #gain(fid: Fid, parent: Fid, name: string): void {
    this.#entries.set(`${parent}/${name}`, fid);
    this.#inode(fid).names.set(`${parent}/${name}`, { parent, name });
    this.#inode(parent).version = ++this.#versions;
  }

  #lose(fid: Fid, parent: Fid, name: string): void {
    this.#entries.delete(`${parent}/${name}`);
    this.#inode(fid).names.delete(`${parent}/${name}`);
    this.#inode(parent).version = ++this.#versions;
  }

  #record(body: Body): void {
    const index = this.records.length + 1;
    this.records.push({
      ...body,
      index: index as RecordIndex,
      transno: index as Transno,
      time: { sec: index, nsec: 0 },
      uid: 0,
      gid: 0,
      pid: 0,
      nid: '0@lo',
      jobid: '',
    });
  }

  #inode(fid: Fid): ModelInode {
    return must(this.inodes.get(fid), 'an inode');
  }

  #directories(): Fid[] {
    return [...this.inodes.values()]
      .filter(({ fid, mode, names }) => isDirectory(mode) && (fid === ROOT_FID || names.size > 0))
      .map(({ fid }) => fid);
  }

  #files(): Fid[] {
    return [...this.inodes.values()]
      .filter(({ mode, names }) => !isDirectory(mode) && names.size > 0)
      .map(({ fid }) => fid);
  }

  #hasEntries(fid: Fid): boolean {
    return NAMES.some((name) => this.#entries.has(`${fid}/${name}`));
  }

  /** Is `fid` that directory, or below it? */
  #isBelow(fid: Fid, directory: Fid): boolean {
    for (let at = fid; ; ) {
      if (at === directory) return true;
      if (at === ROOT_FID) return false;
      at = must([...this.#inode(at).names.values()][0], 'a name').parent;
    }
  }
}

function isDirectory(mode: number): boolean {
  return (mode & 0o170000) === S_IFDIR;
}
