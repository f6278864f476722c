/**
 * Whether a record passes a filter; judged right after the change, while the namespace is
 * as the change left it.
 *
 * A record is about *places*, pairs of directory and name: those in the record (a rename
 * has two), and all others that the objects have whose attributes it changes. So a link or
 * an unlink elsewhere passes if the object has a name inside, for its nlink and ctime are
 * others then; and of a rename so do what is moved, what is exchanged for it and what it
 * replaces. A record passes if one place is inside the subtree and has a wanted name. Inside
 * is what lies in the directory or below it, and the directory itself wherever it lies. So a
 * rename that leads into the subtree or out of it passes whole.
 *
 * An object without a place (the root; an open file that was deleted) is inside only if
 * the subtree is that object, and has no wanted name if there are patterns for `name`.
 */
import type { Fid } from '../base/fid.js';
import { asksFor, type Filter } from './filter-value.js';
import { type Glob, matchesGlob } from './glob.js';
import { FILTER_NAMES_MAX } from './limits.js';
import type { ChangeHead } from './log.js';
import type { RecordBody } from './record.js';

export interface Place {
  readonly parent: Fid;
  readonly name: string;
}

/** What a filter asks of the namespace. */
export interface Surroundings {
  /** All places of an object. */
  names(fid: Fid): Iterable<Place>;
  /** Whether a directory is `top` or below it. */
  isBelow(directory: Fid, top: Fid): boolean;
}

export function passes(
  filter: Filter,
  change: Pick<ChangeHead, 'fid' | 'uid' | 'gid'>,
  body: RecordBody,
  surroundings: Surroundings,
): boolean {
  if (body.op === 'lost') return true;
  if (!asksFor(filter, body.op) || !passesAuthor(filter, change)) return false;
  if (!asksForPlaces(filter)) return true;
  const { subtree } = filter;
  const isTop = subtree !== undefined && isAbout(body, change.fid, subtree);
  return passesPlaces(filter, placesOf(change.fid, body, surroundings), isTop, surroundings);
}

/** Whether the filter wants changes of somebody. */
export function passesAuthor(
  { uid, gid, not }: Filter,
  who: { readonly uid: number; readonly gid: number },
): boolean {
  if (uid?.has(who.uid) === false || gid?.has(who.gid) === false) return false;
  return not?.uid?.has(who.uid) !== true && not?.gid?.has(who.gid) !== true;
}

export function asksForPlaces({ subtree, name, not }: Filter): boolean {
  return subtree !== undefined || name !== undefined || not?.name !== undefined;
}

/** `isTop`: the object itself is the subtree's directory. */
export function passesPlaces(
  filter: Filter,
  places: Iterable<Place>,
  isTop: boolean,
  surroundings: Surroundings,
): boolean {
  const { subtree, name } = filter;
  let seen = 0;
  for (const place of places) {
    seen++;
    // Bounded, and rather shown than lost.
    if (seen > FILTER_NAMES_MAX) return true;
    if (!isWanted(filter, place.name)) continue;
    if (isTop || subtree === undefined || surroundings.isBelow(place.parent, subtree)) return true;
  }
  return seen === 0 && name === undefined && (subtree === undefined || isTop);
}

function isWanted({ name, not }: Filter, text: string): boolean {
  if (name !== undefined && !matchesAny(name, text)) return false;
  return not?.name === undefined || !matchesAny(not.name, text);
}

function matchesAny(globs: readonly Glob[], name: string): boolean {
  return globs.some((glob) => matchesGlob(glob, name));
}

/** Those that the record names itself, and then what else its objects are called. */
function* placesOf(fid: Fid, body: RecordBody, surroundings: Surroundings): Generator<Place> {
  const own = placesIn(body);
  yield* own;
  for (const object of objectsOf(fid, body)) {
    for (const place of surroundings.names(object)) {
      const isOwn = own.some(({ parent, name }) => parent === place.parent && name === place.name);
      if (!isOwn) yield place;
    }
  }
}

function placesIn(body: RecordBody): readonly Place[] {
  if (!('parent' in body)) return [];
  const place: Place = body;
  return body.op === 'rename' ? [place, { parent: body.newParent, name: body.newName }] : [place];
}

/** Of which it matters what they are called outside the record. */
function objectsOf(fid: Fid, body: RecordBody): readonly Fid[] {
  if (!('parent' in body)) return [fid];
  switch (body.op) {
    case 'link':
      return [fid];
    case 'unlink':
      return body.last ? [] : [fid];
    case 'rename': {
      const { exchanged, over } = body;
      const other = exchanged ?? (over?.last === false ? over.fid : undefined);
      return other === undefined ? [fid] : [fid, other];
    }
    default:
      // What was just made, and a directory, has no other name.
      return [];
  }
}

/** Whether the record is about that object: a rename may replace or exchange another. */
function isAbout(body: RecordBody, fid: Fid, top: Fid): boolean {
  if (fid === top) return true;
  return body.op === 'rename' && (body.exchanged === top || body.over?.fid === top);
}
