/**
 * What a range of records did to each object, collapsed as they are read: the names that
 * it gained and lost in all, and what else was changed. A name that came and went again is
 * in neither set, and an object that was made and removed is nowhere.
 */
import type { Fid } from '../../base/fid.js';
import { S_IFMT } from '../../base/mode.js';
import {
  type ChangeRecord,
  type FeedRecord,
  isChange,
  type RecordAttrs,
} from '../../feed/record.js';
import { DiffError } from './diff-error.js';
import { TOUCHED_MAX } from './limits.js';
import { nameEvents } from './name-events.js';
import type { NameKey } from './name-key.js';

/** What of an object was changed, as bits. */
export const Aspect = { CONTENTS: 1, ATTRIBUTES: 2, XATTRS: 4, ENTRIES: 8 } as const;

export interface TouchedObject {
  /** Made in the range. */
  readonly born: boolean;
  /** It lost its last name in the range. */
  readonly gone: boolean;
  /** Type bits; 0 if no record says. */
  readonly type: number;
  /** Bits of {@link Aspect}. */
  readonly aspects: number;
  /** Names that it has at the end and had not at the start, and the reverse. */
  readonly gained: ReadonlySet<NameKey>;
  readonly lost: ReadonlySet<NameKey>;
}

interface Collapsing extends TouchedObject {
  born: boolean;
  gone: boolean;
  type: number;
  aspects: number;
  gained: Set<NameKey>;
  lost: Set<NameKey>;
}

/** Most objects gain and lose nothing. Never added to. */
const NONE: Set<NameKey> = new Set();

export class Touched {
  readonly #objects = new Map<Fid, Collapsing>();
  readonly #max: number;
  /** Names that are kept. */
  #names = 0;

  constructor(max = TOUCHED_MAX) {
    this.#max = max;
  }

  get objects(): ReadonlyMap<Fid, TouchedObject> {
    return this.#objects;
  }

  /** The next record of the range. Throws DiffError: `lost`; `limit`. */
  take(record: FeedRecord): void {
    if (record.op === 'lost') throw lostError(record);
    if (!isChange(record)) return;
    nameEvents(record, (fid, key, gained) => {
      const object = this.#object(fid);
      if (gained) this.#gain(object, key);
      else this.#lose(object, key);
    });
    this.#takeRest(record);
    if (this.#objects.size + this.#names > this.#max) throw limitError(this.#max);
  }

  #takeRest(record: ChangeRecord): void {
    const object = this.#object(record.fid);
    if (record.attrs.mode !== undefined) object.type = record.attrs.mode & S_IFMT;
    switch (record.op) {
      case 'create':
      case 'mkdir':
      case 'mknod':
      case 'symlink':
        object.born = true;
        this.#object(record.parent).aspects |= Aspect.ENTRIES;
        return;
      case 'link':
        this.#object(record.parent).aspects |= Aspect.ENTRIES;
        return;
      case 'unlink':
      case 'rmdir':
        this.#object(record.parent).aspects |= Aspect.ENTRIES;
        if (record.last) this.#end(record.fid, object);
        return;
      case 'rename': {
        this.#object(record.parent).aspects |= Aspect.ENTRIES;
        this.#object(record.newParent).aspects |= Aspect.ENTRIES;
        const { over } = record;
        if (over === undefined) return;
        const replaced = this.#object(over.fid);
        if (over.attrs.mode !== undefined) replaced.type = over.attrs.mode & S_IFMT;
        if (over.last) this.#end(over.fid, replaced);
        return;
      }
      case 'setattr':
        object.aspects |= setAspects(record.attrs);
        return;
      case 'setxattr':
      case 'removexattr':
        object.aspects |= Aspect.XATTRS;
        return;
      case 'write':
        object.aspects |= Aspect.CONTENTS;
        return;
    }
  }

  #object(fid: Fid): Collapsing {
    let object = this.#objects.get(fid);
    if (object === undefined) {
      object = { born: false, gone: false, type: 0, aspects: 0, gained: NONE, lost: NONE };
      this.#objects.set(fid, object);
    }
    return object;
  }

  #gain(object: Collapsing, key: NameKey): void {
    if (object.lost.delete(key)) {
      this.#names--;
      return;
    }
    if (object.gained === NONE) object.gained = new Set();
    object.gained.add(key);
    this.#names++;
  }

  #lose(object: Collapsing, key: NameKey): void {
    if (object.gained.delete(key)) {
      this.#names--;
      return;
    }
    if (object.lost === NONE) object.lost = new Set();
    object.lost.add(key);
    this.#names++;
  }

  /** The last name is gone: of what was made in the range nothing is left to tell. */
  #end(fid: Fid, object: Collapsing): void {
    object.gone = true;
    if (object.born) this.#objects.delete(fid);
  }
}

/** A new size brings an mtime with it. */
function setAspects({ size, mode, uid, gid, atime, mtime }: RecordAttrs): number {
  const given = [mode, uid, gid, atime, size === undefined ? mtime : undefined];
  const isMore = given.some((value) => value !== undefined);
  return (size === undefined ? 0 : Aspect.CONTENTS) | (isMore ? Aspect.ATTRIBUTES : 0);
}

function limitError(max: number): DiffError {
  return new DiffError(
    'limit',
    `more than ${max} objects and names were touched, which is more than this keeps in memory: ` +
      'the copy has to be compared as a whole (feedfs verify)',
  );
}

function lostError({ lost }: Extract<FeedRecord, { op: 'lost' }>): DiffError {
  const reason = Buffer.from(lost.reason, 'latin1').toString('utf8');
  return new DiffError(
    'lost',
    `the feed lost ${lost.records} records, of indices ${lost.firstIndex} to ${lost.lastIndex} ` +
      `(${reason}): what they changed is not known any more`,
  );
}
