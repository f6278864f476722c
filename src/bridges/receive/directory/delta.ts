/**
 * The net effect of a batch of records: for each object that they touch, where it was and
 * where it is in the end, and what it is then. What comes and goes within the batch leaves
 * nothing but the times of the directories it was in. Pure: the copy is only looked up.
 */
import { unreachable } from '../../../base/assert.js';
import { type Fid, formatFid, ROOT_FID } from '../../../base/fid.js';
import { isDirectory, S_IFLNK, S_IFMT } from '../../../base/mode.js';
import type { Timespec } from '../../../base/time.js';
import {
  type ChangeRecord,
  type FeedRecord,
  isChange,
  type RenameRecord,
} from '../../../feed/record.js';
import type { NamePlace } from '../../../rpc/places.js';
import { StreamRefused } from '../refusal.js';
import { TouchedObject } from './delta-object.js';
import type { NetEffect, NetObject } from './net-object.js';
import type { CopyTree } from './state-tree.js';

const NOBODY = 0;
const ANEW = 'send a new baseline';

type Creation = Extract<ChangeRecord, { op: 'create' | 'mkdir' | 'mknod' | 'symlink' }>;

/** StreamRefused: the records are not of the filesystem, or the state of it, that the copy is of. */
export function netEffect(
  records: Iterable<FeedRecord>,
  copy: Pick<CopyTree, 'object' | 'child' | 'children'>,
): NetEffect {
  const delta = new Delta(copy);
  for (const record of records) {
    if (record.op === 'lost') {
      const { firstIndex, lastIndex } = record.lost;
      throw new StreamRefused(`records ${firstIndex} to ${lastIndex} are lost`, { wayOut: ANEW });
    }
    if (!isChange(record)) continue;
    try {
      delta.apply(record);
    } catch (error) {
      if (!(error instanceof DoesNotFit)) throw error;
      const what = `record ${record.index} (${record.op} ${formatFid(record.fid)})`;
      throw new StreamRefused(
        `${what} does not fit the copy: ${error.message}; the copy and the stream do not belong together`,
        { wayOut: ANEW, cause: error },
      );
    }
  }
  return delta.effect();
}

class DoesNotFit extends Error {}

class Delta {
  readonly #copy: Pick<CopyTree, 'object' | 'child' | 'children'>;
  readonly #touched = new Map<Fid, TouchedObject>();
  /** By directory and name, where they differ from the copy. */
  readonly #entries = new Map<Fid, Map<string, Fid | typeof NOBODY>>();

  constructor(copy: Pick<CopyTree, 'object' | 'child' | 'children'>) {
    this.#copy = copy;
  }

  effect(): NetEffect {
    const net = new Map<Fid, NetObject>();
    for (const [fid, object] of this.#touched) {
      if (object.known !== undefined || object.after.length > 0) net.set(fid, object);
    }
    return net;
  }

  apply(record: ChangeRecord): void {
    switch (record.op) {
      case 'create':
      case 'mkdir':
      case 'mknod':
      case 'symlink':
        return this.#create(record);
      case 'link': {
        const object = this.#object(record.fid);
        if (isDirectory(object.type)) throw new DoesNotFit('a directory has one name');
        this.#enter(object, record, record.time);
        return object.set(record.attrs);
      }
      case 'unlink':
      case 'rmdir': {
        const object = this.#object(record.fid);
        this.#leave(object, record, record.time);
        return this.#lost(object, record.last, record.attrs.ctime);
      }
      case 'rename':
        return this.#rename(record);
      case 'setattr': {
        const object = this.#object(record.fid);
        object.set(record.attrs);
        return object.resize(record.attrs.size);
      }
      case 'setxattr':
      case 'removexattr': {
        const object = this.#object(record.fid);
        object.set(record.attrs);
        const { name } = record.xattr;
        object.xattrs.set(name, record.op === 'setxattr' ? record.xattr.value : undefined);
        return;
      }
      case 'write': {
        const object = this.#object(record.fid);
        object.set(record.attrs);
        return object.write(record.attrs.size, record.extents.length > 0);
      }
      default:
        return unreachable(record);
    }
  }

  #create(record: Creation): void {
    const { fid, attrs } = record;
    if (this.#touched.has(fid) || this.#copy.object(fid) !== undefined) {
      throw new DoesNotFit('it is there already');
    }
    if (attrs.mode === undefined) throw new DoesNotFit('it has no mode');
    const target = record.op === 'symlink' ? record.target : '';
    const type = record.op === 'symlink' ? S_IFLNK : attrs.mode & S_IFMT;
    const made = new TouchedObject(fid, type, undefined, { target, rdev: attrs.rdev ?? 0 });
    made.set(attrs);
    made.resize(attrs.size ?? 0);
    this.#enter(made, record, record.time);
    this.#touched.set(fid, made);
  }

  #rename(record: RenameRecord): void {
    const { fid, newParent, newName, over, exchanged, time } = record;
    const to = { parent: newParent, name: newName };
    const moved = this.#object(fid);
    this.#leave(moved, record, time, true);
    if (over !== undefined) {
      const victim = this.#object(over.fid);
      this.#leave(victim, to, time);
      this.#lost(victim, over.last, over.attrs.ctime);
    }
    const other = exchanged === undefined ? undefined : this.#object(exchanged);
    if (other !== undefined) this.#leave(other, to, time, true);
    this.#enter(moved, to, time);
    moved.set(record.attrs);
    if (other === undefined) return this.#checkNoLoop(moved);
    this.#enter(other, record, time);
    other.set({ ctime: time });
    this.#checkNoLoop(moved);
    this.#checkNoLoop(other);
  }

  #object(fid: Fid): TouchedObject {
    const touched = this.#touched.get(fid);
    if (touched !== undefined) {
      if (touched.after.length === 0) throw new DoesNotFit(`${formatFid(fid)} is gone`);
      return touched;
    }
    const known = this.#copy.object(fid);
    if (known === undefined) throw new DoesNotFit(`${formatFid(fid)} is not known`);
    const object = new TouchedObject(fid, known.type, known);
    this.#touched.set(fid, object);
    return object;
  }

  /** Who has a name now. */
  #at(parent: Fid, name: string): Fid | undefined {
    const entry = this.#entries.get(parent)?.get(name);
    if (entry !== undefined) return entry === NOBODY ? undefined : entry;
    return this.#copy.child(parent, name);
  }

  #enter(object: TouchedObject, { parent, name }: NamePlace, time: Timespec): void {
    const directory = this.#changeDirectory(parent, time);
    const there = this.#at(directory, name);
    if (there !== undefined) throw new DoesNotFit(`${formatFid(there)} has the name`);
    this.#entriesOf(directory).set(name, object.fid);
    object.gain({ parent: directory, name });
  }

  /** `moves`: what is in it goes along. */
  #leave(object: TouchedObject, { parent, name }: NamePlace, time: Timespec, moves = false): void {
    const directory = this.#changeDirectory(parent, time);
    const there = this.#at(directory, name);
    if (there !== object.fid) {
      const who = there === undefined ? 'nobody' : formatFid(there);
      throw new DoesNotFit(`${who} has the name, not ${formatFid(object.fid)}`);
    }
    if (!moves && isDirectory(object.type)) this.#checkEmpty(object.fid);
    this.#entriesOf(directory).set(name, NOBODY);
    object.lose({ parent: directory, name });
  }

  #lost(object: TouchedObject, last: boolean, ctime: Timespec | undefined): void {
    if (last !== (object.after.length === 0)) {
      throw new DoesNotFit(`it has ${object.after.length} names left`);
    }
    if (ctime !== undefined) object.set({ ctime });
  }

  /** Times of a directory that gets or loses an entry. */
  #changeDirectory(parent: Fid | 0, time: Timespec): Fid {
    if (parent === 0) throw new DoesNotFit('no directory is named');
    const directory = this.#object(parent);
    if (!isDirectory(directory.type)) throw new DoesNotFit(`${formatFid(parent)} is no directory`);
    directory.set({ mtime: time, ctime: time });
    return parent;
  }

  #checkEmpty(directory: Fid): void {
    const entries = this.#entries.get(directory);
    for (const fid of entries?.values() ?? []) {
      if (fid !== NOBODY) throw new DoesNotFit(`${formatFid(fid)} is in it`);
    }
    for (const { name, fid } of this.#copy.children(directory)) {
      if (entries?.has(name) !== true) throw new DoesNotFit(`${formatFid(fid)} is in it`);
    }
  }

  #checkNoLoop(moved: TouchedObject): void {
    if (!isDirectory(moved.type)) return;
    let at: Fid | 0 | undefined = moved.after[0]?.parent;
    while (at !== undefined && at !== 0 && at !== ROOT_FID) {
      if (at === moved.fid) throw new DoesNotFit('a directory would be inside itself');
      const parent: Fid = at;
      at = (this.#touched.get(parent)?.after ?? this.#copy.object(parent)?.names)?.[0]?.parent;
    }
  }

  #entriesOf(directory: Fid): Map<string, Fid | typeof NOBODY> {
    const known = this.#entries.get(directory);
    if (known !== undefined) return known;
    const made = new Map<string, Fid | typeof NOBODY>();
    this.#entries.set(directory, made);
    return made;
  }
}
