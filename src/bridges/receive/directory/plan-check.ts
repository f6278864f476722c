/** Whether the target is what it was left as: found out before anything is done to it. */
import { type Fid, formatFid } from '../../../base/fid.js';
import type { NamePlace } from '../../../rpc/places.js';
import { StreamRefused } from '../refusal.js';
import { displayPath } from './hands-error.js';
import { isGoing, isInBooksOnly, type NetEffect, type NetObject } from './net-object.js';
import {
  type CopyObject,
  type CopyTree,
  namesWithout,
  shownPath,
  stepPlace,
} from './state-tree.js';
import type { Found, Hands } from './steps.js';

export type Look = Hands['look'];

/** StreamRefused, with the path and the way out: somebody else changed what the batch is about. */
export function checkUntouched(net: NetEffect, tree: CopyTree, look: Look): void {
  for (const object of net.values()) {
    if (isInBooksOnly(object)) continue;
    const { known, after } = object;
    if (known !== undefined && (isGoing(object) || hasWork(object, known))) {
      const leaving = namesWithout(known.names, after);
      const places = leaving.length < known.names.length ? known.names.slice(0, 1) : [];
      for (const place of new Set([...places, ...leaving])) {
        checkIsThere(object.fid, known, place, tree, look);
      }
    }
    for (const place of namesWithout(after, known?.names ?? [])) checkFree(place, tree, look);
  }
}

/** A new ctime alone is nothing that a directory's files could have. */
function hasWork({ after, attributes, xattrs, contents }: NetObject, known: CopyObject): boolean {
  const { ctime: _, ...settable } = attributes;
  return (
    xattrs.size > 0 ||
    contents !== undefined ||
    Object.values(settable).some((value) => value !== undefined) ||
    namesWithout(after, known.names).length > 0 ||
    after.length !== known.names.length
  );
}

function checkIsThere(
  fid: Fid,
  known: CopyObject,
  place: NamePlace,
  tree: CopyTree,
  look: Look,
): void {
  const found = look(stepPlace(tree, place));
  if (isIt(found, known)) return;
  throw changed(shownPath(tree, place), found, fid);
}

export function isIt(found: Found | undefined, known: CopyObject): found is Found {
  return found !== undefined && found.inode === known.inode && found.type === known.type;
}

function checkFree(place: NamePlace, tree: CopyTree, look: Look): void {
  const { parent, name } = place;
  // In what is made there can be nothing.
  if (parent !== 0 && tree.object(parent) === undefined) return;
  const there = tree.child(parent, name);
  if (there !== undefined && tree.object(there)?.inode !== 0) return;
  if (look(stepPlace(tree, place)) !== undefined) throw inTheWay(shownPath(tree, place));
}

/** `path`: a binary string. */
export function changed(path: string, found: Found | undefined, fid: Fid): StreamRefused {
  const shown = displayPath(path) || 'the target';
  const what = found === undefined ? 'it is not there any more' : 'something else is there';
  return new StreamRefused(
    `${shown}: ${what} (${formatFid(fid)}): the copy was changed behind our back`,
    {
      wayOut:
        found === undefined
          ? 'send a new baseline, which makes it anew'
          : 'move it away and send a new baseline',
    },
  );
}

/** `path`: a binary string. */
export function inTheWay(path: string): StreamRefused {
  return new StreamRefused(
    `${displayPath(path)}: it is in the way, and no receiver put it there: the copy was changed behind our back`,
    { wayOut: 'move it away and receive again' },
  );
}
