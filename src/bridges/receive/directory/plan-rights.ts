/**
 * Who may do what while a batch is brought about. First every object that is to have other
 * rights is narrowed to what it has both before and afterwards; last it gets what it is to
 * have. What the steps take on the way and no record names is read before, and journaled, so
 * that whoever ends the batch after a kill can give it back.
 */
import type { Fid } from '../../../base/fid.js';
import { isDirectory, isRegular, isSymlink, S_ISGID, S_ISUID } from '../../../base/mode.js';
import { ACCESS_ACL, CAPABILITY } from '../../../base/xattr-name.js';
import type { NamePlace } from '../../../rpc/places.js';
import { isGoing, isInBooksOnly, type NetEffect, type NetObject } from './net-object.js';
import { type CopyTree, expected, namesWithout, stepPlace } from './state-tree.js';
import type { Hands, Kept, Step, StepRights } from './steps.js';

export const SET_ID = S_ISUID | S_ISGID;

export type KeptRights = ReadonlyMap<Fid, Kept>;

/** Of the copy as it is before the batch. */
export function readKept(net: NetEffect, tree: CopyTree, kept: Hands['kept']): KeptRights {
  const moves = new Moves(net, tree);
  const all = new Map<Fid, Kept>();
  for (const object of net.values()) {
    const [place] = object.known?.names ?? [];
    if (place === undefined || isGoing(object) || isInBooksOnly(object)) continue;
    const isNarrowed = losesRights(object) || moves.isClosed(object);
    const isWritten = isRegular(object.type) && object.contents !== undefined;
    if (!isNarrowed && !isWritten) continue;
    const found = kept(stepPlace(tree, place));
    if (found === undefined) continue;
    const isPrivileged = (found.mode & SET_ID) !== 0 || found.capability !== undefined;
    if (isNarrowed || isPrivileged) all.set(object.fid, found);
  }
  return all;
}

/** The net effect with all that its steps have to give back. */
export function withKept(net: NetEffect, kept: KeptRights): NetEffect {
  const all = new Map(net);
  for (const [fid, { mode, capability }] of kept) {
    const object = all.get(fid);
    if (object === undefined) continue;
    const attributes = { ...object.attributes, mode: object.attributes.mode ?? mode };
    const xattrs = new Map(object.xattrs);
    if (capability !== undefined && !xattrs.has(CAPABILITY)) xattrs.set(CAPABILITY, capability);
    all.set(fid, { ...object, attributes, xattrs, modeBefore: mode });
  }
  return all;
}

/** To be done before anything else, in any order. */
export function narrowSteps(net: NetEffect, tree: CopyTree): Step[] {
  const moves = new Moves(net, tree);
  const steps: Step[] = [];
  for (const object of net.values()) {
    const { fid, type, known, attributes } = object;
    const place = tree.object(fid)?.names[0];
    if (known === undefined || place === undefined) continue;
    if (isInBooksOnly(object) || isSymlink(type)) continue;
    // Without a mode to give back nothing is closed.
    const closed = (isGoing(object) || attributes.mode !== undefined) && moves.isClosed(object);
    const rights = isGoing(object) ? { closed } : rightsOf(object, closed);
    const isNamed = Object.values(rights).some((value) => value !== undefined && value !== false);
    const at = stepPlace(tree, place);
    if (isNamed) steps.push({ do: 'narrow', fid, at, type, rights, expect: expected(tree, fid) });
  }
  return steps;
}

function rightsOf({ attributes, xattrs }: NetObject, closed: boolean): StepRights {
  const { mode, uid, gid } = attributes;
  return {
    mode,
    uid,
    gid,
    acl: end(xattrs, ACCESS_ACL),
    capability: end(xattrs, CAPABILITY),
    closed,
  };
}

function end(
  xattrs: NetObject['xattrs'],
  name: string,
): Uint8Array<ArrayBuffer> | 'none' | undefined {
  if (!xattrs.has(name)) return undefined;
  const value = xattrs.get(name);
  // A copy: it may travel to another thread, and a part of a buffer takes all of it along.
  return value === undefined ? 'none' : new Uint8Array(value);
}

/** Whether narrowing takes from its mode what the records need not name. */
function losesRights({ attributes, xattrs }: NetObject): boolean {
  return attributes.uid !== undefined || attributes.gid !== undefined || xattrs.has(ACCESS_ACL);
}

/** Which ways to objects lead through directories that move. The same after a kill as before it. */
class Moves {
  readonly #net: NetEffect;
  readonly #tree: CopyTree;
  readonly #moved = new Set<Fid>();
  readonly #known = new Map<Fid, boolean>();

  constructor(net: NetEffect, tree: CopyTree) {
    this.#net = net;
    this.#tree = tree;
    for (const { fid, type, known, after } of net.values()) {
      if (!isDirectory(type) || known === undefined || after.length === 0) continue;
      if (namesWithout(after, known.names).length > 0) this.#moved.add(fid);
    }
  }

  /**
   * Names come before contents and removals: whoever may see what is in an object only by
   * one of its ways, old or new, must not see it by the other.
   */
  isClosed({ known, after, contents }: NetObject): boolean {
    const before = known?.names ?? [];
    const isMoved = this.#leadsThroughMoved(before) || this.#leadsThroughMoved(after);
    const loses = namesWithout(before, after).length > 0;
    if (contents === undefined) return loses && isMoved;
    return loses || isMoved || namesWithout(after, before).length > 0;
  }

  #leadsThroughMoved(places: readonly NamePlace[]): boolean {
    if (this.#moved.size === 0) return false;
    return places.some(({ parent }) => parent !== 0 && this.#isBelowMoved(parent));
  }

  #isBelowMoved(directory: Fid): boolean {
    const way: Fid[] = [];
    let at: Fid | 0 | undefined = directory;
    let is = false;
    while (at !== undefined && at !== 0) {
      const known = this.#known.get(at);
      is = known ?? this.#moved.has(at);
      way.push(at);
      if (known !== undefined || is) break;
      at = this.#parent(at);
    }
    for (const fid of way) this.#known.set(fid, is);
    return is;
  }

  /** Of a directory that stays, comes or goes. */
  #parent(fid: Fid): Fid | 0 | undefined {
    const object = this.#net.get(fid);
    const names = object?.after[0] ?? object?.known?.names[0] ?? this.#tree.object(fid)?.names[0];
    return names?.parent;
  }
}
