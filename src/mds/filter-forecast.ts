/**
 * Whether a change, before it is made, may lead to a record that a filter lets pass. May
 * say so too often, and never says no wrongly: a feed that must not miss a change relies on it.
 */
import type { Fid } from '../base/fid.js';
import { isDirectory, isRegular } from '../base/mode.js';
import type { Filter } from '../feed/filter.js';
import {
  asksForPlaces,
  type Place,
  passesAuthor,
  passesPlaces,
  type Surroundings,
} from '../feed/filter-match.js';
import { asksFor, type FilterOp } from '../feed/filter-value.js';
import type { Credentials, Reint } from '../rpc/messages.js';

const RENAME_WHITEOUT = 4;

export function mayPass(
  filter: Filter,
  change: Reint,
  who: Pick<Credentials, 'uid' | 'gid'>,
  surroundings: Surroundings,
): boolean {
  if (!passesAuthor(filter, who)) return false;
  if (!possibleOps(change).some((op) => asksFor(filter, op))) return false;
  if (!asksForPlaces(filter)) return true;
  const places = placesOf(change, surroundings);
  const { subtree } = filter;
  const isTop = subtree !== undefined && isAbout(change, places, subtree, surroundings);
  return passesPlaces(filter, places, isTop, surroundings);
}

/** Every operation that a record of the change may have. */
function possibleOps(change: Reint): readonly FilterOp[] {
  switch (change.op) {
    case 'create':
      // What is made may inherit ACLs. That it is opened, too, is told of as part of the change.
      return [createOp(change.mode), 'setxattr', ...(change.open ? (['open'] as const) : [])];
    case 'tmpfile':
      return [];
    case 'link':
      // The first name of a file that had none tells of all that it has.
      return ['link', 'create', 'write', 'setxattr'];
    case 'rename':
      return (change.flags & RENAME_WHITEOUT) === 0 ? ['rename'] : ['rename', 'mknod', 'setxattr'];
    case 'setattr':
      return ['setattr', 'setxattr', 'removexattr'];
    case 'setxattr':
    case 'removexattr':
      // An ACL is one matter with the mode.
      return ['setxattr', 'removexattr', 'setattr'];
    case 'symlink':
    case 'unlink':
    case 'rmdir':
    case 'write':
      return [change.op];
  }
}

function createOp(mode: number): FilterOp {
  if (isDirectory(mode)) return 'mkdir';
  return isRegular(mode) ? 'create' : 'mknod';
}

function placesOf(change: Reint, surroundings: Surroundings): Iterable<Place> {
  if (!('parent' in change)) return surroundings.names(change.fid);
  if (change.op === 'tmpfile') return [];
  const place = { parent: change.parent, name: change.name };
  return change.op === 'rename'
    ? [place, { parent: change.newParent, name: change.newName }]
    : [place];
}

/** Whether the change is about that directory: by its FID, or by one of its names. */
function isAbout(
  change: Reint,
  places: Iterable<Place>,
  top: Fid,
  surroundings: Surroundings,
): boolean {
  if ('fid' in change && change.fid === top) return true;
  if (!('parent' in change)) return false;
  const names = [...surroundings.names(top)];
  return [...places].some(({ parent, name }) =>
    names.some((own) => own.parent === parent && own.name === name),
  );
}
