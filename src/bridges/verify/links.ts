/**
 * Whether the same names belong to the same objects in both trees. Memory is bounded by
 * the objects with several names of which one was not met yet.
 */
import type { BigIntStats } from 'node:fs';

/** An object of one tree, by the first name of it that was met. */
interface Met {
  /** That name's path. */
  readonly path: string;
  /** The object that has this name in the other tree. */
  readonly other: string;
  /** Names not met yet. */
  left: bigint;
}

export interface LinkDifference {
  /** The name met first that belongs to the same object; undefined if it is the object's first. */
  readonly a: string | undefined;
  readonly b: string | undefined;
}

export class Links {
  readonly #a = new Map<string, Met>();
  readonly #b = new Map<string, Met>();

  /**
   * A name of two objects that are no directories. `'new'`: it is the first of both.
   * `'same'`: both are objects that were met under one name, and so compared. Otherwise
   * the trees differ.
   */
  meet(path: string, a: BigIntStats, b: BigIntStats): 'new' | 'same' | LinkDifference {
    if (a.nlink <= 1n && b.nlink <= 1n) return 'new';
    const [keyA, keyB] = [identity(a), identity(b)];
    const metA = met(this.#a, keyA, { path, other: keyB, left: a.nlink });
    const metB = met(this.#b, keyB, { path, other: keyA, left: b.nlink });
    if (metA === undefined && metB === undefined) return 'new';
    if (metA?.other === keyB && metB?.other === keyA) return 'same';
    return { a: metA?.path, b: metB?.path };
  }
}

function identity({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/** What was met of that object before. */
function met(objects: Map<string, Met>, key: string, now: Met): Met | undefined {
  const before = objects.get(key);
  const current = before ?? now;
  current.left -= 1n;
  if (current.left <= 0n) objects.delete(key);
  else if (before === undefined) objects.set(key, current);
  return before;
}
