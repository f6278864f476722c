/**
 * Table `link`: the names of an object beyond its primary one, each by its place. An
 * object with one name, as nearly all are, has no row here. A key that is no place, which
 * only a damaged store has, is passed over: a change must not stop in the middle because of it.
 */
import type { Fid } from '../base/fid.js';
import { LINK_KEY_BYTES, linkKey, placeOfLinkKey } from '../store/keys.js';
import type { Table } from '../store/table.js';

/** Where a name is: a directory, and the slot of the entry in it. */
export interface Place {
  readonly directory: Fid;
  readonly slot: number;
}

interface Present extends Place {
  readonly stored: boolean;
}

const NO_BYTES = new Uint8Array(0);

/** What is not committed of one object's rows. */
class Changes {
  /** Rows that are there and have come or come back since the last commit. */
  readonly present = new Map<string, Present>();
  /** Stored rows that have gone. */
  readonly removed = new Set<string>();
  /** Every stored row from this key on is one of the two. */
  searched: Buffer | undefined;
  /** From a stored row that is one of the two to the first one behind it that was found not to be. */
  readonly jumps = new Map<string, Buffer>();
}

export class LinkTable {
  readonly #table: Table;
  readonly #changes = new Map<Fid, Changes>();

  constructor(table: Table) {
    this.#table = table;
  }

  add(fid: Fid, { directory, slot }: Place): void {
    const { present, removed } = this.#changesOf(fid);
    const id = idOf({ directory, slot });
    present.set(id, { directory, slot, stored: removed.delete(id) });
  }

  remove(fid: Fid, place: Place): void {
    const { present, removed } = this.#changesOf(fid);
    const id = idOf(place);
    const known = present.get(id);
    present.delete(id);
    if (known?.stored !== false) removed.add(id);
  }

  /**
   * Removes one row, whichever is found first, and gives it. However many rows were taken
   * since the last commit, none is looked at twice.
   */
  take(fid: Fid): Place | undefined {
    const changes = this.#changesOf(fid);
    const place = this.#anyOf(fid, changes);
    if (place !== undefined) this.remove(fid, place);
    return place;
  }

  #anyOf(fid: Fid, changes: Changes): Place | undefined {
    for (const place of changes.present.values()) return place;
    const start = changes.searched ?? after(fid);
    // Downwards: `rm -r` goes upwards, so what it has removed is not in the way.
    for (const key of this.#table.keys({ start, end: upTo(fid), reverse: true })) {
      changes.searched = Buffer.from(key);
      const place = placeOf(key);
      if (place !== undefined && !changes.removed.has(idOf(place))) return place;
    }
    return undefined;
  }

  /** All rows of an object, in no order. Change nothing meanwhile. */
  *places(fid: Fid): Generator<Place> {
    yield* this.#walk(fid, ({ directory, slot }) => linkKey(fid, directory, slot + 1));
  }

  /** The directories of all rows, each once for its stored rows: a step of its own for each. */
  *directories(fid: Fid): Generator<Fid> {
    const places = this.#walk(fid, ({ directory }) => linkKey(fid, directory + 1, 0));
    for (const { directory } of places) yield directory;
  }

  /** Rows that came, then the stored ones; `behind` tells where to go on behind one of these. */
  *#walk(fid: Fid, behind: (found: Place) => Buffer): Generator<Place> {
    const changes = this.#changes.get(fid);
    if (changes !== undefined) yield* changes.present.values();
    const end = after(fid);
    let start = upTo(fid);
    for (;;) {
      const found = this.#unchangedFrom(start, end, changes);
      if (found === undefined) return;
      start = Buffer.from(behind(found));
      yield found;
    }
  }

  /**
   * The first stored row that has not changed. However many have since the last commit, they
   * are not looked at again by whoever starts from the same row.
   */
  #unchangedFrom(start: Buffer, end: Buffer, changes: Changes | undefined): Place | undefined {
    let first: string | undefined;
    let at: Buffer | undefined = start;
    while (at !== undefined) {
      const from: Buffer = at;
      at = undefined;
      for (const key of this.#table.keys({ start: from, end })) {
        const place = placeOf(key);
        if (place === undefined) continue;
        const id = idOf(place);
        if (!isChanged(changes, id)) {
          if (first !== undefined) changes?.jumps.set(first, Buffer.from(key));
          return place;
        }
        first ??= id;
        at = changes?.jumps.get(id);
        if (at !== undefined) break;
      }
    }
    if (first !== undefined) changes?.jumps.set(first, end);
    return undefined;
  }

  collect(): void {
    for (const [fid, { present, removed }] of this.#changes) {
      for (const id of removed) this.#table.remove(keyOf(fid, id));
      for (const { directory, slot, stored } of present.values()) {
        if (!stored) this.#table.put(linkKey(fid, directory, slot), NO_BYTES);
      }
    }
  }

  committed(): void {
    this.#changes.clear();
  }

  #changesOf(fid: Fid): Changes {
    let changes = this.#changes.get(fid);
    if (changes === undefined) {
      changes = new Changes();
      this.#changes.set(fid, changes);
    }
    return changes;
  }
}

function isChanged(changes: Changes | undefined, id: string): boolean {
  return changes !== undefined && (changes.removed.has(id) || changes.present.has(id));
}

function idOf({ directory, slot }: Place): string {
  return `${directory} ${slot}`;
}

function keyOf(fid: Fid, id: string): Buffer {
  const [directory, slot] = id.split(' ').map(Number);
  return linkKey(fid, directory ?? 0, slot ?? 0);
}

/** Undefined for a key that is none: of another length, or with a number that is never given out. */
function placeOf(key: Uint8Array): Place | undefined {
  if (key.length !== LINK_KEY_BYTES) return undefined;
  const { directory, slot } = placeOfLinkKey(key);
  const isPlace = Number.isSafeInteger(directory) && Number.isSafeInteger(slot);
  return isPlace ? { directory: directory as Fid, slot } : undefined;
}

/** Keys that no row has, before and behind all of an object's. */
function upTo(fid: Fid): Buffer {
  return Buffer.from(linkKey(fid, 0, 0));
}

function after(fid: Fid): Buffer {
  return Buffer.from(linkKey(fid + 1, 0, 0));
}
