/** What could not be done at the target as the source has it: counted, the first of them listed. */
import { Errno } from '../../../base/errno.js';
import { nameToText } from '../../../base/name.js';
import type { Shortfall } from '../target.js';
import { displayPath } from './hands-error.js';
import { SHORTFALLS_KNOWN_MAX, SHORTFALLS_LISTED_MAX } from './hands-limits.js';

export interface ShortfallList {
  readonly count: number;
  readonly first: readonly Shortfall[];
}

/** Failures that say that one thing cannot be had here, or not by us; not that the target is ill. */
export const NOT_HERE: readonly number[] = [
  Errno.EPERM,
  Errno.EACCES,
  Errno.EINVAL,
  Errno.EOPNOTSUPP,
  Errno.ENOSYS,
];

export class Shortfalls implements ShortfallList {
  #count = 0;
  #ownersFailed = false;
  readonly #first: Shortfall[] = [];
  /** Of a step that is tried again, or of two steps with the same object, it is one. */
  readonly #known = new Set<string>();

  get count(): number {
    return this.#count;
  }

  get first(): readonly Shortfall[] {
    return this.#first;
  }

  /** Some object has another owner than it was to have: from now on owners say nothing. */
  get ownersFailed(): boolean {
    return this.#ownersFailed;
  }

  setOwnersFailed(): void {
    this.#ownersFailed = true;
  }

  /** `path` is a binary string, '' the root; `errno` positive. */
  add(what: Shortfall['what'], path: string, detail: string, errno: number): void {
    this.#put({ what, path: textOf(path) || ROOT, detail: textOf(detail), errno });
  }

  /** Those of another thread. */
  addAll({ count, first }: ShortfallList): void {
    for (const each of first) this.#put(each);
    this.#count += count - first.length;
  }

  /** What there is so far; it begins anew. */
  take(): ShortfallList {
    const taken = { count: this.#count, first: this.#first.splice(0) };
    this.#count = 0;
    this.#known.clear();
    return taken;
  }

  #put(shortfall: Shortfall): void {
    const { what, path, detail } = shortfall;
    if (what === 'owner') this.#ownersFailed = true;
    const key = `${what}\0${path}\0${detail}`;
    if (this.#known.has(key)) return;
    if (this.#known.size < SHORTFALLS_KNOWN_MAX) this.#known.add(key);
    this.#count++;
    if (this.#first.length < SHORTFALLS_LISTED_MAX) this.#first.push(shortfall);
  }
}

const ROOT = '.';

/** Whoever prints it keeps terminals from harm. */
function textOf(bytes: string): string {
  return nameToText(bytes) ?? displayPath(bytes);
}
