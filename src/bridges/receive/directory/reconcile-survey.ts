/**
 * Before a part of a baseline is acted on: what the state says about the objects in it is made
 * true, so that all that follows can go by the state alone. Whoever is not where he should be
 * is forgotten; what nobody knows and is in the way stops the receiver before anything is done.
 */
import type { Fid } from '../../../base/fid.js';
import type { NamePlace } from '../../../rpc/places.js';
import { inTheWay, isIt } from './plan-check.js';
import type { State } from './state.js';
import {
  type CopyName,
  type CopyObject,
  hasName,
  isLimbo,
  isSameName,
  limboPlace,
  pathBelow,
  stepPlace,
} from './state-tree.js';
import type { Found, Hands } from './steps.js';

export class Survey {
  readonly #state: State;
  readonly #hands: Hands;

  constructor(state: State, hands: Hands) {
    this.#state = state;
    this.#hands = hands;
  }

  /** Of an object that belongs to a place. StreamRefused. */
  check(fid: Fid, place: NamePlace): void {
    this.#confirm(fid);
    const { parent, name } = place;
    const there = this.#state.child(parent, name);
    if (there === fid) return;
    if (there !== undefined) this.#confirm(there);
    if (this.#state.child(parent, name) !== undefined) {
      if (this.#state.object(there as Fid)?.inode !== 0) return;
    }
    const directory = parent === 0 ? undefined : this.#state.findPath(parent);
    // Its directory is yet to be made, so nothing is in it.
    if (directory === undefined || this.look(place) === undefined) return;
    throw inTheWay(pathBelow(directory, name));
  }

  /** Undefined also where the way to it is unknown. */
  look(place: NamePlace): Found | undefined {
    const { parent } = place;
    if (parent !== 0 && this.#state.findPath(parent) === undefined) return undefined;
    return this.#hands.look(stepPlace(this.#state, place));
  }

  /** Keeps of its names those that it has. */
  #confirm(fid: Fid): void {
    const object = this.#state.object(fid);
    if (object === undefined || object.inode === 0) return;
    const there = (place: NamePlace): boolean => isIt(this.look(place), object);
    const names: CopyName[] = object.names.filter(there);
    if (names.length === object.names.length) return;
    const limbo = limboPlace(fid);
    if (!hasName(names, limbo) && there(limbo)) names.push({ ...limbo, seen: 0 });
    if (names.length === 0) this.#state.forget(fid);
    else this.#state.put(fid, { ...object, names });
  }
}

/** Where an object is that a baseline named; elsewhere it may have names that it did not. */
export function placeOf({ names }: CopyObject): NamePlace | undefined {
  return names.find((name) => !isLimbo(name)) ?? names[0];
}

/** The names with one more, or with that one marked. */
export function withSeen(names: readonly CopyName[], place: NamePlace, seen: number): CopyName[] {
  const marked = { parent: place.parent, name: place.name, seen };
  return [...names.filter((name) => !isSameName(name, place)), marked];
}
