/**
 * Which lines of an unfiltered feed a filtered one must have: judged from the lines alone,
 * by a model of the tree that they describe, and with nothing of the code in src.
 */
import { type Bytes, bytesOf, type Line } from './feed-line.js';

/** A filter, as the test wrote it; patterns are `*END`, `START*` or a whole name. */
export interface LineFilter {
  readonly ops?: readonly string[];
  readonly subtree?: string;
  readonly uid?: readonly number[];
  readonly gid?: readonly number[];
  readonly name?: readonly string[];
  readonly not?: Omit<LineFilter, 'not' | 'subtree'>;
}

interface Place {
  readonly parent: string;
  readonly name: string;
}

const MAKING = new Set(['create', 'mkdir', 'mknod', 'symlink', 'link']);

function text(bytes: Bytes): string {
  return bytesOf(bytes).toString('utf8');
}

/** Their line is about the names of the object, and about those of what gave way to it. */
const NAMING = new Set(['link', 'unlink', 'rename']);

/** Every name that the lines so far have made. */
export class TreeModel {
  readonly #places = new Map<string, Place[]>();

  /** Follows one line; to be called before it is judged. */
  apply(line: Line): void {
    const { op, fid } = line;
    const place = (): Place => ({ parent: line.parent, name: text(line.name) });
    if (MAKING.has(op)) this.#add(fid, place());
    else if (op === 'unlink' || op === 'rmdir') this.#remove(fid, place());
    else if (op === 'rename') {
      const to = { parent: line.newParent, name: text(line.newName) };
      this.#remove(fid, place());
      if (line.over !== undefined) this.#remove(line.over.fid, to);
      if (line.exchanged !== undefined) {
        this.#remove(line.exchanged, to);
        this.#add(line.exchanged, place());
      }
      this.#add(fid, to);
    }
  }

  /** Where the record happens, and wherever else it shows. */
  placesOf(line: Line): Place[] {
    const places: Place[] = [];
    if (line.parent !== undefined) places.push({ parent: line.parent, name: text(line.name) });
    if (line.op === 'rename') places.push({ parent: line.newParent, name: text(line.newName) });
    if (line.parent !== undefined && !NAMING.has(line.op)) return places;
    for (const fid of [line.fid, line.over?.fid, line.exchanged]) {
      if (fid !== undefined) places.push(...(this.#places.get(fid) ?? []));
    }
    return places;
  }

  isInside(directory: string, top: string): boolean {
    if (directory === top) return true;
    const [place] = this.#places.get(directory) ?? [];
    return place !== undefined && this.isInside(place.parent, top);
  }

  #add(fid: string, place: Place): void {
    this.#places.set(fid, [...(this.#places.get(fid) ?? []), place]);
  }

  #remove(fid: string, { parent, name }: Place): void {
    const left = (this.#places.get(fid) ?? []).filter(
      (other) => other.parent !== parent || other.name !== name,
    );
    this.#places.set(fid, left);
  }
}

/** To be asked when the model has followed the line. */
export function lineMustPass(
  filter: LineFilter,
  line: Line & { readonly uid: number; readonly gid: number },
  tree: TreeModel,
): boolean {
  const { ops, subtree, uid, gid, name, not } = filter;
  if (ops !== undefined && !ops.includes(line.op)) return false;
  if (not?.ops?.includes(line.op) === true) return false;
  if (uid !== undefined && !uid.includes(line.uid)) return false;
  if (gid !== undefined && !gid.includes(line.gid)) return false;
  if (not?.uid?.includes(line.uid) === true || not?.gid?.includes(line.gid) === true) return false;
  const isTop = [line.fid, line.over?.fid, line.exchanged].includes(subtree ?? 'none');
  const places = tree.placesOf(line);
  if (places.length === 0) return name === undefined && (subtree === undefined || isTop);
  return places.some((place) => {
    if (name !== undefined && !name.some((pattern) => isLike(place.name, pattern))) return false;
    if (not?.name?.some((pattern) => isLike(place.name, pattern)) === true) return false;
    return subtree === undefined || isTop || tree.isInside(place.parent, subtree);
  });
}

function isLike(name: string, pattern: string): boolean {
  if (pattern.startsWith('*')) return name.endsWith(pattern.slice(1));
  if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1));
  return name === pattern;
}
