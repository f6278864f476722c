/**
 * From the net effect of a batch to the steps that bring it about. The tree is the copy as it
 * is; it follows every step, and in the end is the copy as it should be. Phases are made as
 * they are asked for, each when the one before it was done.
 *
 * 1. Rights are narrowed (plan-rights.ts). 2. What waits for itself in a circle goes to the
 * limbo. 3. Directories are made, and objects moved, from the root down; a file may go over one
 * that is to go. 4. New files, and contents. 5. What is to go goes, directories from below.
 * 6. Attributes, those of directories last, since all of the above changes their times.
 */
import { must } from '../../../base/assert.js';
import type { Fid } from '../../../base/fid.js';
import { isDirectory } from '../../../base/mode.js';
import type { NamePlace } from '../../../rpc/places.js';
import type { KeptContents } from '../target.js';
import { isGoing, isInBooksOnly, isNew, type NetEffect, type NetObject } from './net-object.js';
import { orderArrivals } from './plan-arrivals.js';
import { fillFiles } from './plan-contents.js';
import { isAt, NameSteps, removal, xattrsOf } from './plan-names.js';
import { type Phase, phasesOf } from './plan-phases.js';
import { narrowSteps } from './plan-rights.js';
import { type CopyTree, expected, namesWithout, stepPlace } from './state-tree.js';
import type { Step, StepAttributes } from './steps.js';

/** A name that a killed receiver gave to a file that is now made anew. */
export interface Leftover {
  readonly fid: Fid;
  readonly place: NamePlace;
  /** Of what has it now. */
  readonly inode: number;
}

export interface PlanOptions {
  /** A receiver was killed over the same batch: what it made is in the way, and replaced. */
  readonly replace: boolean;
  /** Those that are not replaced because they are further names. */
  readonly leftovers: readonly Leftover[];
}

/** The caller puts the inode numbers of what was made into the tree, before it asks for the next phase. */
export function* plan(
  net: NetEffect,
  tree: CopyTree,
  contents: KeptContents,
  { replace, leftovers }: PlanOptions,
): Generator<Phase> {
  const inBooks = [...net.values()].filter(isInBooksOnly);
  for (const { fid, type } of inBooks) tree.put(fid, { inode: 0, type, names: [] });
  yield* phasesOf(narrowSteps(net, tree));
  const names = new NameSteps(tree, replace);
  names.arrange(orderArrivals(net, tree));
  for (const object of net.values()) {
    if (isNew(object) || isInBooksOnly(object)) continue;
    const has = tree.object(object.fid)?.names ?? [];
    for (const place of namesWithout(object.after, has)) names.link(object, place);
  }
  clearForFiles(net, tree, names, leftovers);
  yield* names.list.take();
  const filled = yield* fillFiles(net, tree, contents, names);
  for (const object of net.values()) {
    if (!isNew(object) || tree.object(object.fid)?.inode === 0) continue;
    for (const place of object.after.slice(1)) names.link(object, place);
  }
  yield* names.list.take();
  yield* removals(net, tree);
  for (const object of net.values()) settle(object, tree);
  yield* phasesOf(attributesOfFiles(net, tree, filled));
  yield* phasesOf(attributesOfDirectories(net, tree, replace));
}

function clearForFiles(
  net: NetEffect,
  tree: CopyTree,
  names: NameSteps,
  leftovers: readonly Leftover[],
): void {
  for (const { fid, place, inode } of leftovers) {
    const type = must(net.get(fid), 'an object left over').type;
    const at = stepPlace(tree, place);
    names.list.add({ do: 'remove', fid, type, at, expect: { inode, names: 1 } });
  }
  for (const object of net.values()) {
    if (!isNew(object) || isDirectory(object.type)) continue;
    for (const place of object.after) names.clear(place);
  }
}

/** Files in any order, then directories, the deepest first. */
function* removals(net: NetEffect, tree: CopyTree): Generator<Phase> {
  const files: Step[] = [];
  const directories = new Map<number, { fid: Fid; place: NamePlace }[]>();
  for (const object of net.values()) {
    const { fid, type, after } = object;
    if (isInBooksOnly(object)) continue;
    for (const place of namesWithout(tree.object(fid)?.names ?? [], after)) {
      if (!isDirectory(type)) {
        files.push(removal(tree, fid, place));
        tree.rename(fid, place, undefined);
        continue;
      }
      const depth = stepPlace(tree, place).directory?.split('/').filter(Boolean).length ?? 0;
      const level = directories.get(depth);
      if (level === undefined) directories.set(depth, [{ fid, place }]);
      else level.push({ fid, place });
    }
  }
  yield* phasesOf(files);
  for (const [, level] of [...directories].sort(([a], [b]) => b - a)) {
    yield* phasesOf(level.map(({ fid, place }) => removal(tree, fid, place)));
    for (const { fid, place } of level) tree.rename(fid, place, undefined);
  }
}

/** The books as they are in the end. */
function settle(object: NetObject, tree: CopyTree): void {
  const { fid, type, after } = object;
  if (isGoing(object)) {
    tree.forget(fid);
    return;
  }
  if (after.every((place) => isAt(tree, fid, place))) return;
  // Nothing of it is at the target.
  tree.put(fid, { inode: 0, type, names: after.map((place) => ({ ...place, seen: 0 })) });
}

/** Of new files only those that were not made whole. */
function attributesOfFiles(net: NetEffect, tree: CopyTree, filled: ReadonlySet<Fid>): Step[] {
  const steps: Step[] = [];
  for (const object of net.values()) {
    if (isDirectory(object.type) || isGoing(object)) continue;
    if (isNew(object) ? filled.has(object.fid) : isSettable(object, object.attributes)) {
      addAttributes(object, object.attributes, false, tree, steps);
    }
  }
  return steps;
}

function attributesOfDirectories(net: NetEffect, tree: CopyTree, replace: boolean): Step[] {
  const steps: Step[] = [];
  for (const object of net.values()) {
    if (!isDirectory(object.type) || isGoing(object)) continue;
    const { atime, mtime, ctime } = object.attributes;
    // One that was made has all but the times, which what was made in it has changed.
    const isMade = isNew(object) && !replace;
    const wanted = isMade ? { atime, mtime, ctime } : object.attributes;
    if (isSettable(object, wanted)) addAttributes(object, wanted, isNew(object), tree, steps);
  }
  return steps;
}

function addAttributes(
  object: NetObject,
  attributes: StepAttributes,
  isMadeDirectory: boolean,
  tree: CopyTree,
  steps: Step[],
): void {
  const { fid, type, modeBefore } = object;
  const known = must(tree.object(fid), 'an object that stays');
  if (known.inode === 0) return;
  const at = stepPlace(tree, must(known.names[0], 'the place of an object'));
  const all = xattrsOf(object);
  const exactXattrs = isMadeDirectory && attributes.mode !== undefined;
  const given = isMadeDirectory && !exactXattrs ? [] : all;
  const wanted = { attributes, xattrs: given, exactXattrs, modeBefore };
  steps.push({ do: 'attributes', fid, at, type, ...wanted, expect: expected(tree, fid) });
}

/** A new ctime alone is nothing that a directory's files could have. */
function isSettable({ xattrs }: NetObject, attributes: StepAttributes): boolean {
  const { mode, uid, gid, atime, mtime } = attributes;
  return xattrs.size > 0 || [mode, uid, gid, atime, mtime].some((value) => value !== undefined);
}
