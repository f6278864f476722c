/** The steps for one part of a baseline. The state follows each of them, and is all they go by. */
import { must } from '../../../base/assert.js';
import { type Fid, formatFid, ROOT_FID } from '../../../base/fid.js';
import { isDirectory, isRegular, S_IFMT } from '../../../base/mode.js';
import { ACCESS_ACL, CAPABILITY } from '../../../base/xattr-name.js';
import type { NamePlace } from '../../../rpc/places.js';
import type { Contents } from '../../stream/frame.js';
import { StreamRefused } from '../refusal.js';
import type { WholeObject } from '../target.js';
import { unprivileged } from './plan-contents.js';
import { removal } from './plan-names.js';
import { PhaseList } from './plan-phases.js';
import { attributesOf, type Late, PERMISSIONS, xattrsOf } from './reconcile-late.js';
import { placeOf, withSeen } from './reconcile-survey.js';
import type { State } from './state.js';
import {
  type CopyObject,
  expected,
  hasName,
  isLimbo,
  limboPlace,
  stepPlace,
} from './state-tree.js';
import type { Step } from './steps.js';

export class BatchSteps {
  /** Everything that is about names, new directories included: in this order, before the rest. */
  readonly names = new PhaseList();
  /** Before all others. */
  readonly narrowings: Step[] = [];
  readonly makes: Step[] = [];
  readonly contents: Step[] = [];
  readonly attributes: Step[] = [];
  readonly #state: State;
  readonly #seen: number;

  /** `seen`: the number of the baseline. */
  constructor(state: State, seen: number) {
    this.#state = state;
    this.#seen = seen;
  }

  /** Of an object that is there: as long as all are where they are. */
  narrow({ object, xattrs }: WholeObject): void {
    const { fid, parent, name, attributes } = object;
    const known = this.#state.object(fid);
    const at = known && placeOf(known);
    if (known === undefined || known.inode === 0 || at === undefined) return;
    const { mode, uid, gid, nlink } = attributes;
    const value = (wanted: string): Uint8Array | 'none' => {
      const given = xattrs.find((xattr) => xattr.name === wanted)?.value;
      // A copy: a part of a buffer takes all of it along to another thread.
      return given === undefined ? 'none' : new Uint8Array(given);
    };
    this.narrowings.push({
      do: 'narrow',
      fid,
      at: stepPlace(this.#state, at),
      type: known.type,
      rights: {
        mode: mode & PERMISSIONS,
        uid,
        gid,
        acl: value(ACCESS_ACL),
        capability: value(CAPABILITY),
        closed: fid !== ROOT_FID && this.#isMoved(known, { parent, name }, nlink),
      },
      expect: expected(this.#state, fid),
    });
  }

  /**
   * Whether it may be seen by a way, old or new, by which it was not seen before or is not to be
   * seen. What is in a directory that moves may have been hidden by where it was, so that gets
   * its rights at the end, as do files that have, or had, several names.
   */
  #isMoved({ type, names }: CopyObject, place: NamePlace, nlink: number): boolean {
    if (!hasName(names, place)) return true;
    return !isDirectory(type) && names.length !== nlink;
  }

  /** Brings an object to its place: by making it, or from where it is. */
  place(whole: WholeObject): 'made' | 'kept' {
    const { fid, parent, name, attributes } = whole.object;
    const place = { parent, name };
    if (parent === 0)
      throw new StreamRefused(`the stream is damaged: ${formatFid(fid)} has no place`);
    const known = this.#state.object(fid);
    this.#clear(fid, place);
    if (known === undefined || known.inode === 0) {
      this.#make(whole, place);
      return 'made';
    }
    if (!hasName(known.names, place)) this.#move(fid, known, place, attributes.nlink);
    this.#mark(fid, place);
    return 'kept';
  }

  /** A further name of an object that has its place. */
  addName(fid: Fid, place: NamePlace): void {
    const known = must(this.#state.object(fid), 'an object of the baseline');
    this.#clear(fid, place);
    if (known.inode !== 0 && !hasName(known.names, place)) {
      this.#link(fid, known, place);
    }
    this.#mark(fid, place);
  }

  /** Contents of a file that was there, and attributes unless they come later. */
  update(whole: WholeObject, { awaits, stays }: Pick<Late, 'awaits' | 'stays'>): void {
    const { fid, parent, name, attributes, contents } = whole.object;
    const at = stepPlace(this.#state, { parent, name });
    const type = attributes.mode & S_IFMT;
    if (isRegular(type) && !awaits) {
      const { size } = attributes;
      const bytes = contents instanceof Uint8Array ? contents : new Uint8Array(0);
      const parts = wholeContents(fid, bytes, size);
      // It may have names still that it is to lose.
      const how = {
        cut: undefined,
        compare: true,
        closes: stays,
        expect: expected(this.#state, fid),
      };
      this.contents.push({ do: 'contents', fid, at, parts, size, ...how });
    }
    if (awaits || stays) return;
    this.attributes.push({
      do: 'attributes',
      fid,
      at,
      type,
      attributes: attributesOf(whole),
      xattrs: xattrsOf(whole),
      exactXattrs: true,
      expect: expected(this.#state, fid),
    });
  }

  /** Names that it has in the books only are forgotten: they come again. */
  #make(whole: WholeObject, place: NamePlace): void {
    const { fid, attributes, target, contents } = whole.object;
    const { mode, rdev, size } = attributes;
    const type = mode & S_IFMT;
    const step = {
      do: 'make',
      fid,
      at: stepPlace(this.#state, place),
      type,
      attributes: attributesOf(whole),
      xattrs: xattrsOf(whole),
      rdev,
      target,
      size,
      contents: contents instanceof Uint8Array ? contents : undefined,
      replace: false,
    } as const;
    this.#state.put(fid, { inode: 0, type, names: withSeen([], place, this.#seen) });
    if (isDirectory(type)) this.names.addMake(step);
    else this.makes.push(contents === 'elsewhere' ? unprivileged(step) : step);
  }

  /** A name that may still be named stays, unless there is only one. */
  #move(fid: Fid, known: CopyObject, to: NamePlace, nlink: number): void {
    const from = known.names.find(isLimbo) ?? must(known.names[0], 'a name of an object');
    const moves = isLimbo(from) || isDirectory(known.type) || nlink <= 1;
    if (!moves) return this.#link(fid, known, to);
    const { type } = known;
    const source = stepPlace(this.#state, from);
    this.#state.rename(fid, from, to);
    const rest = { to: stepPlace(this.#state, to), over: undefined };
    this.names.add({
      do: 'rename',
      fid,
      type,
      from: source,
      ...rest,
      expect: expected(this.#state, fid),
    });
  }

  #link(fid: Fid, known: CopyObject, to: NamePlace): void {
    const from = stepPlace(this.#state, must(known.names[0], 'a name of an object'));
    this.names.add({ do: 'link', fid, from, to: stepPlace(this.#state, to) });
    this.#state.rename(fid, undefined, to);
  }

  #mark(fid: Fid, place: NamePlace): void {
    const object = must(this.#state.object(fid), 'an object of the baseline');
    this.#state.put(fid, { ...object, names: withSeen(object.names, place, this.#seen) });
  }

  /** Whoever has the place waits in the limbo, or keeps the names that it has beside. */
  #clear(fid: Fid, place: NamePlace): void {
    const there = this.#state.child(place.parent, place.name);
    if (there === undefined || there === fid) return;
    const object = must(this.#state.object(there), 'an object with a name');
    const name = object.names.find(
      ({ parent, name }) => parent === place.parent && name === place.name,
    );
    if (name?.seen === this.#seen) {
      throw new StreamRefused(
        `the stream is damaged: ${formatFid(there)} and ${formatFid(fid)} have the same place`,
      );
    }
    if (object.inode === 0) {
      this.#state.rename(there, place, undefined);
      return;
    }
    if (object.names.length > 1) {
      this.names.add(removal(this.#state, there, place));
      this.#state.rename(there, place, undefined);
      return;
    }
    const [from, limbo] = [stepPlace(this.#state, place), limboPlace(there)];
    this.#state.rename(there, place, limbo);
    const to = stepPlace(this.#state, limbo);
    const rest = { over: undefined, expect: expected(this.#state, there) };
    this.names.add({ do: 'rename', fid: there, type: object.type, from, to, ...rest });
  }
}

/** All contents of a file: what `bytes` lacks up to the size is a hole. */
function wholeContents(fid: Fid, bytes: Uint8Array, size: number): readonly Contents[] {
  const parts: Contents[] = [];
  const { length } = bytes;
  if (length > 0) parts.push({ kind: 'data', fid, offset: 0, bytes });
  if (size > length) parts.push({ kind: 'hole', fid, offset: length, length: size - length });
  return parts;
}
