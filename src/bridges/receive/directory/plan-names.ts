/** Steps by which objects get and lose names. The tree follows each of them. */
import { must } from '../../../base/assert.js';
import type { Fid } from '../../../base/fid.js';
import { isDirectory } from '../../../base/mode.js';
import type { NamePlace } from '../../../rpc/places.js';
import type { NetObject } from './net-object.js';
import type { Arrival, ArrivalOrder } from './plan-arrivals.js';
import { PhaseList } from './plan-phases.js';
import {
  type CopyTree,
  expected,
  isLimbo,
  isSameName,
  limboPlace,
  stepPlace,
} from './state-tree.js';
import type { Step, StepXattr } from './steps.js';

export type MakeStep = Extract<Step, { do: 'make' }>;

export class NameSteps {
  readonly #tree: CopyTree;
  /** A receiver was killed over the same batch: what it made is in the way, and replaced. */
  readonly #replace: boolean;
  readonly list = new PhaseList();

  constructor(tree: CopyTree, replace: boolean) {
    this.#tree = tree;
    this.#replace = replace;
  }

  arrange({ order, limbo }: ArrivalOrder): void {
    for (const { object, from } of limbo) {
      if (from !== undefined && !isLimbo(from)) this.#rename(object, from, limboPlace(object.fid));
    }
    const waiting = new Set(limbo);
    for (const arrival of order) this.#arrive(arrival, waiting.has(arrival));
  }

  /** A further name, from any that it has. */
  link(object: NetObject, to: NamePlace): void {
    this.clear(to, object.fid);
    const { fid } = object;
    const has = must(this.#tree.object(fid)?.names[0], 'a name to link from');
    const from = stepPlace(this.#tree, has);
    this.list.add({ do: 'link', fid, from, to: stepPlace(this.#tree, to) });
    this.#tree.rename(fid, undefined, to);
  }

  /** Takes away whoever loses that place for good; a directory with all that is in it. */
  clear(place: NamePlace, but?: Fid): void {
    const there = this.#tree.child(place.parent, place.name);
    if (there === undefined || there === but) return;
    const type = this.#tree.object(there)?.type ?? 0;
    if (isDirectory(type)) {
      for (const { name } of this.#tree.children(there)) this.clear({ parent: there, name });
    }
    this.list.add(removal(this.#tree, there, place));
    this.#tree.rename(there, place, undefined);
  }

  makeStep(object: NetObject, contents?: Uint8Array): MakeStep {
    const { fid, type, after, attributes, rdev, target } = object;
    const place = must(after[0], 'the place of a new object');
    const step: MakeStep = {
      do: 'make',
      fid,
      at: stepPlace(this.#tree, place),
      type,
      attributes,
      xattrs: xattrsOf(object),
      rdev,
      target,
      size: object.contents?.size ?? 0,
      contents,
      replace: this.#replace,
    };
    const known = this.#tree.object(fid);
    const inode = known?.inode ?? 0;
    this.#tree.put(fid, { inode, type, names: [{ ...place, seen: 0 }] });
    return step;
  }

  #arrive({ object, from, to }: Arrival, fromLimbo: boolean): void {
    if (from === undefined) {
      this.clear(to, object.fid);
      this.list.addMake(this.makeStep(object));
    } else {
      this.#rename(object, fromLimbo ? limboPlace(object.fid) : from, to);
    }
  }

  #rename({ fid, type }: NetObject, from: NamePlace, to: NamePlace): void {
    const there = this.#tree.child(to.parent, to.name);
    const over = there !== undefined && this.#canGoOver(there, type) ? there : undefined;
    const [expect, overInode] = [
      expected(this.#tree, fid),
      over && expected(this.#tree, over)?.inode,
    ];
    if (over === undefined) this.clear(to);
    else this.#tree.rename(over, to, undefined);
    const source = stepPlace(this.#tree, from);
    this.#tree.rename(fid, from, to);
    const step = {
      do: 'rename',
      fid,
      type,
      from: source,
      to: stepPlace(this.#tree, to),
      over,
      expect,
      overInode,
    } as const;
    this.list.add(step);
  }

  /** Renaming a file over another is one step, and there is a file all the time. */
  #canGoOver(there: Fid, type: number): boolean {
    const other = this.#tree.object(there);
    return other !== undefined && !isDirectory(type) && !isDirectory(other.type);
  }
}

/** Something new has none that could go. */
export function xattrsOf({ known, xattrs }: NetObject): StepXattr[] {
  const all = [...xattrs].map(([name, value]) => ({ name, value }));
  return known === undefined ? all.filter(({ value }) => value !== undefined) : all;
}

export function removal(tree: CopyTree, fid: Fid, place: NamePlace): Step {
  const type = tree.object(fid)?.type ?? 0;
  return { do: 'remove', fid, type, at: stepPlace(tree, place), expect: expected(tree, fid) };
}

/** Whether the place is one of its names as the tree has them. */
export function isAt(tree: CopyTree, fid: Fid, place: NamePlace): boolean {
  return tree.object(fid)?.names.some((name) => isSameName(name, place)) === true;
}
