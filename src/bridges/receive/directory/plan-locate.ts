/**
 * Where things are after a receiver was killed. Each object that it was about may be where
 * it was, where it was to go, or in the limbo, and is known by its inode number there; what
 * it made may be at its place already, of a number that nobody wrote down. Directories on the
 * way may have been moved, too: so the search goes from the root down, and looks at a place
 * once the directory that it is in has been found.
 */
import { must } from '../../../base/assert.js';
import { type Fid, ROOT_FID } from '../../../base/fid.js';
import { isDirectory } from '../../../base/mode.js';
import type { NamePlace } from '../../../rpc/places.js';
import { isIt, type Look } from './plan-check.js';
import {
  type CopyName,
  type CopyObject,
  type CopyTree,
  isSameName,
  limboPlace,
  namesWithout,
  placeKey,
  stepPlace,
} from './state-tree.js';
import type { FileType, Found } from './steps.js';

/** An object that a killed receiver was about. */
export interface Sought {
  readonly fid: Fid;
  readonly type: FileType;
  /** Undefined: it was to be made. */
  readonly known: CopyObject | undefined;
  readonly after: readonly NamePlace[];
}

export interface FoundPlace {
  readonly place: NamePlace;
  readonly found: Found;
}

interface Candidate {
  readonly sought: Sought;
  readonly place: NamePlace;
  /** Who had the place before. */
  readonly occupant: Fid | undefined;
}

/**
 * Puts into the tree where each known object is: without a name if it was not found. A
 * directory that was to be made is put, too, if there is one. Returns what was found.
 */
export function locate(
  sought: readonly Sought[],
  tree: CopyTree,
  look: Look,
): ReadonlyMap<Fid, readonly FoundPlace[]> {
  return new Locator(sought, tree, look).run();
}

class Locator {
  readonly #tree: CopyTree;
  readonly #look: Look;
  readonly #sought: ReadonlyMap<Fid, Sought>;
  /** Directories that may be elsewhere than the tree says. */
  readonly #movable = new Set<Fid>();
  /** New directories by their place. */
  readonly #newAt = new Map<string, Fid>();
  /** What is to be looked at once that directory is found. */
  readonly #waiting = new Map<Fid, Candidate[]>();
  /** Directories in whose place a new one is; what is left of theirs is in that. */
  readonly #heirs = new Map<Fid, Fid>();
  /** The other way round. */
  readonly #replaced = new Map<Fid, Fid>();
  readonly #found = new Map<Fid, FoundPlace[]>();

  constructor(sought: readonly Sought[], tree: CopyTree, look: Look) {
    this.#sought = new Map(sought.map((one) => [one.fid, one]));
    this.#tree = tree;
    this.#look = look;
  }

  run(): ReadonlyMap<Fid, readonly FoundPlace[]> {
    const all = [...this.#sought.values()].filter(({ known }) => known?.inode !== 0);
    for (const one of all) this.#noteDirectory(one);
    for (const one of all) this.#register(one);
    const queue: Fid[] = [ROOT_FID];
    for (let fid = queue.shift(); fid !== undefined; fid = queue.shift()) {
      for (const candidate of this.#waiting.get(fid) ?? []) queue.push(...this.#try(candidate));
    }
    this.#giveAway(all);
    for (const one of all) this.#settle(one);
    return this.#found;
  }

  #noteDirectory({ fid, type, known, after }: Sought): void {
    if (!isDirectory(type) || fid === ROOT_FID) return;
    const [place] = after;
    if (known === undefined) {
      if (place !== undefined) this.#newAt.set(placeKey(place), fid);
      this.#movable.add(fid);
      return;
    }
    const [before] = known.names;
    if (place === undefined || before === undefined || !isSameName(place, before)) {
      this.#movable.add(fid);
    }
  }

  #register(sought: Sought): void {
    const { fid, known, after } = sought;
    const before = known?.names ?? [];
    const limbo = known !== undefined && fid !== ROOT_FID ? [limboPlace(fid)] : [];
    const places = [...limbo, ...after, ...before].map(
      (place) => [placeKey(place), place] as const,
    );
    // Each once: it has a name as often as it is found.
    for (const place of new Map(places).values()) {
      const anchor = this.#anchorOf(place.parent);
      if (anchor === undefined) continue;
      const occupant = this.#tree.child(place.parent, place.name);
      const waiting = this.#waiting.get(anchor);
      const candidate = { sought, place, occupant };
      if (waiting === undefined) this.#waiting.set(anchor, [candidate]);
      else waiting.push(candidate);
    }
  }

  /** The nearest directory above that has to be found first. */
  #anchorOf(directory: Fid | 0): Fid | undefined {
    let at = directory;
    while (at !== 0 && at !== ROOT_FID) {
      if (this.#movable.has(at)) return at;
      const above: NamePlace | undefined = this.#tree.object(at)?.names[0];
      if (above === undefined) return undefined;
      at = above.parent;
    }
    return ROOT_FID;
  }

  /** Directories that were found by it. */
  #try({ sought, place: { parent, name }, occupant: first }: Candidate): Fid[] {
    const { fid, type, known } = sought;
    const place = { parent: this.#heirs.get(parent as Fid) ?? parent, name };
    const replaced = this.#replaced.get(parent as Fid);
    const occupant = first ?? (replaced && this.#tree.child(replaced, name));
    const isDir = isDirectory(type);
    if (isDir && this.#found.has(fid)) return [];
    if (this.#isReplaced(sought, place)) return [];
    const found = this.#look(stepPlace(this.#tree, place));
    if (known !== undefined ? !isIt(found, known) : !this.#isNew(found, sought, occupant))
      return [];
    const places = this.#found.get(fid) ?? [];
    // In an heir two places may have become one.
    if (places.some((one) => isSameName(one.place, place))) return [];
    places.push({ place, found: must(found, 'what was found') });
    this.#found.set(fid, places);
    if (!isDir || fid === ROOT_FID) return [];
    this.#put(sought, places);
    if (known !== undefined || occupant === undefined || !this.#isGone(occupant)) return [fid];
    this.#heirs.set(occupant, fid);
    this.#replaced.set(fid, occupant);
    return [fid, occupant];
  }

  /** A directory that goes, where a new one comes: whichever it is, it becomes the new one. */
  #isReplaced({ type, known, after }: Sought, place: NamePlace): boolean {
    return (
      isDirectory(type) &&
      known !== undefined &&
      after.length === 0 &&
      this.#newAt.has(placeKey(place))
    );
  }

  #isGone(fid: Fid): boolean {
    const one = this.#sought.get(fid);
    return one !== undefined && isDirectory(one.type) && one.after.length === 0;
  }

  /** Nothing that was there before. */
  #isNew(found: Found | undefined, { type }: Sought, occupant: Fid | undefined): boolean {
    if (found === undefined || found.type !== type) return false;
    const before = occupant === undefined ? undefined : this.#sought.get(occupant);
    const object = before?.known ?? (occupant ? this.#tree.object(occupant) : undefined);
    // A number that was freed is given away again, to an object of any type.
    if (object === undefined || !isIt(found, object)) return true;
    return isDirectory(type) && occupant !== undefined && this.#isGone(occupant);
  }

  /**
   * A new file where no other was, with the number of one that was there: that one went, and
   * its number was given away again. What is at its places are further names of the new one.
   */
  #giveAway(all: readonly Sought[]): void {
    const before = new Map<number, Sought>();
    for (const one of all) {
      if (one.known === undefined || isDirectory(one.type) || !this.#found.has(one.fid)) continue;
      before.set(one.known.inode, one);
    }
    for (const { fid, known, after } of all) {
      const places = known === undefined ? this.#found.get(fid) : undefined;
      for (const inode of new Set(places?.map(({ found }) => found.inode))) {
        const gone = before.get(inode)?.fid;
        const left = gone === undefined ? undefined : this.#found.get(gone);
        if (gone === undefined || left === undefined) continue;
        const isElsewhere = namesWithout(
          left.map(({ place }) => place),
          after,
        );
        if (isElsewhere.length > 0) continue;
        places?.push(...left);
        this.#found.delete(gone);
      }
    }
  }

  #settle(sought: Sought): void {
    const { fid, known, type } = sought;
    if (fid === ROOT_FID || (known === undefined && !isDirectory(type))) return;
    const places = this.#found.get(fid);
    if (known !== undefined || places !== undefined) this.#put(sought, places ?? []);
  }

  #put({ fid, type, known }: Sought, places: readonly FoundPlace[]): void {
    const seen = (place: NamePlace): number =>
      known?.names.find((name) => isSameName(name, place))?.seen ?? 0;
    const names: CopyName[] = places.map(({ place }) => ({ ...place, seen: seen(place) }));
    const inode = known?.inode ?? places[0]?.found.inode ?? 0;
    this.#tree.put(fid, { inode, type, names });
  }
}
