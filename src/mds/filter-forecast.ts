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

/** What a forecast asks of the namespace, as it is before the change. */
export interface Tree extends Surroundings {
  /** The object of that name, if there is one that can be read. */
  lookup(directory: Fid, name: string): Fid | undefined;
}

const RENAME_WHITEOUT = 4;

export function mayPass(
  filter: Filter,
  change: Reint,
  who: Pick<Credentials, 'uid' | 'gid'>,
  surroundings: Tree,
): boolean {
  if (!passesAuthor(filter, who)) return false;
  if (!possibleOps(change).some((op) => asksFor(filter, op))) return false;
  if (!asksForPlaces(filter)) return true;
  const own = placesIn(change);
  const objects = objectsOf(change, own, surroundings);
  const { subtree } = filter;
  const isTop = subtree !== undefined && objects.includes(subtree);
  return passesPlaces(filter, placesOf(own, objects, surroundings), isTop, surroundings);
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

function placesIn(change: Reint): readonly Place[] {
  if (!('parent' in change) || change.op === 'tmpfile') return [];
  const place = { parent: change.parent, name: change.name };
  return change.op === 'rename'
    ? [place, { parent: change.newParent, name: change.newName }]
    : [place];
}

/** What is there already of what the change is about: by its FID, or by one of its names. */
function objectsOf(change: Reint, own: readonly Place[], tree: Tree): readonly Fid[] {
  const named = own.flatMap(({ parent, name }) => tree.lookup(parent, name) ?? []);
  return 'fid' in change ? [change.fid, ...named] : named;
}

/** The places of the change, and all that its objects have: at least those that its records are judged by. */
function* placesOf(
  own: readonly Place[],
  objects: readonly Fid[],
  tree: Surroundings,
): Generator<Place> {
  yield* own;
  for (const object of objects) yield* tree.names(object);
}
