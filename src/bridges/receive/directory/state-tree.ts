/**
 * What a copy consists of and where it is: FIDs of the source, and names. It says what the
 * copy is *now*, so whoever plans changes it step by step and sees paths as they are then.
 */
import { type Fid, formatFid, ROOT_FID } from '../../../base/fid.js';
import type { NamePlace } from '../../../rpc/places.js';
import type { Expected, FileType, StepPlace } from './steps.js';

/** A name of an object in the copy, or in the limbo (parent 0, the FID as text). */
export interface CopyName extends NamePlace {
  /** Number of the last baseline that named it; 0: none did. */
  readonly seen: number;
}

export interface CopyObject {
  /** At the target; 0: it could not be made there, and is in the books only. */
  readonly inode: number;
  readonly type: FileType;
  readonly names: readonly CopyName[];
}

export interface CopyTree {
  object(fid: Fid): CopyObject | undefined;
  child(parent: Fid | 0, name: string): Fid | undefined;
  /** As they were when it was called, whatever is changed meanwhile. */
  children(parent: Fid): Iterable<{ readonly name: string; readonly fid: Fid }>;
  /** All that is known of an object; its names are taken from whoever had them. */
  put(fid: Fid, object: CopyObject): void;
  /** It loses a name, gets one, or both; of a known object. */
  rename(fid: Fid, from: NamePlace | undefined, to: NamePlace | undefined): void;
  forget(fid: Fid): void;
  /** Of what is in that directory: the `directory` of a StepPlace. */
  path(directory: Fid): string;
  /** Undefined: nobody knows where it is. */
  findPath(directory: Fid): string | undefined;
}

export const ROOT_PLACE: NamePlace = { parent: 0, name: '' };

export function limboPlace(fid: Fid): NamePlace {
  return { parent: 0, name: formatFid(fid) };
}

export function isLimbo({ parent, name }: NamePlace): boolean {
  return parent === 0 && name !== '';
}

export function isSameName(a: NamePlace, b: NamePlace): boolean {
  return a.parent === b.parent && a.name === b.name;
}

export function hasName(names: readonly NamePlace[], wanted: NamePlace): boolean {
  return names.some((name) => isSameName(name, wanted));
}

/** One text per place. */
export function placeKey({ parent, name }: NamePlace): string {
  return `${parent}/${name}`;
}

/** Up to so many names are compared one by one. */
const FEW_NAMES = 8;

/** The names of `a` that `b` lacks. */
export function namesWithout<N extends NamePlace>(
  a: readonly N[],
  b: readonly NamePlace[],
): readonly N[] {
  if (a.length <= FEW_NAMES || b.length <= FEW_NAMES) return a.filter((name) => !hasName(b, name));
  const keys = new Set(b.map(placeKey));
  return a.filter((name) => !keys.has(placeKey(name)));
}

/** A place as a step names it, where its parent is now. */
export function stepPlace(tree: CopyTree, { parent, name }: NamePlace): StepPlace {
  if (parent === 0) return { parent, name, directory: name === '' ? '' : undefined };
  return { parent, name, directory: tree.path(parent) };
}

/** What a step may take for granted of an object as it is now; undefined: nobody knows yet. */
export function expected(tree: CopyTree, fid: Fid): Expected | undefined {
  const object = tree.object(fid);
  if (object === undefined || object.inode === 0) return undefined;
  return { inode: object.inode, names: object.names.length };
}

/** The path below a directory whose own is `directory`. */
export function pathBelow(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

/** For messages: a binary string. */
export function shownPath(tree: CopyTree, place: NamePlace): string {
  if (isLimbo(place)) return `limbo/${place.name}`;
  if (place.parent === 0 || place.parent === ROOT_FID) return place.name;
  return pathBelow(tree.path(place.parent), place.name);
}
