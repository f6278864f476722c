/**
 * Walks two trees together, directory by directory, names in the order of their bytes, and
 * yields what differs. Memory is bounded by the listings of the directories on the way from
 * the root, and by the objects with several names (links.ts). Symlinks are compared, never
 * followed; access times are neither compared nor, where that is allowed, changed.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { must } from '../../base/assert.js';
import { typeName } from './attributes.js';
import { Directory } from './directory.js';
import type { Finding, Side } from './finding.js';
import { Findings } from './findings.js';
import type { Ignored } from './ignored.js';
import { OBJECTS_PER_TURN } from './limits.js';
import { ObjectComparer } from './objects.js';

/** How far a comparison is. */
export interface Progress {
  /** An object that both trees have counts once. */
  objects: number;
  /** Of contents, on each side. */
  bytes: number;
}

export interface VerifyOptions {
  readonly ignored: Ignored;
  /** Is kept up to date. */
  readonly progress: Progress;
  /** Skip what a filesystem behind FUSE calls a hole, too. Default false: see holes.ts. */
  readonly trustHoles?: boolean;
}

interface ListedName {
  readonly name: string;
  /** The only side that has it. */
  readonly only: Side | undefined;
}

/** A directory that both trees have, while what is in it is compared. */
interface Level {
  /** Below the roots, with a slash at its end; '' for the roots. */
  readonly prefix: string;
  readonly a: Directory;
  readonly b: Directory;
  readonly names: readonly ListedName[];
  /** The next of them. */
  at: number;
}

/**
 * Compares what is below two directories, and the directories themselves. What cannot be
 * read, or changes meanwhile, is yielded as trouble. Of what one tree lacks, nothing below
 * is told. Throws what opening a root throws.
 */
export async function* compareTrees(
  rootA: string,
  rootB: string,
  options: VerifyOptions,
): AsyncGenerator<Finding, void, void> {
  const walk = new Walk(options);
  try {
    walk.begin(rootA, rootB);
    yield* walk.findings.take();
    for (let steps = 1; await walk.step(); steps++) {
      yield* walk.findings.take();
      if (steps % OBJECTS_PER_TURN === 0) await turn();
    }
  } finally {
    walk.end();
  }
}

class Walk {
  readonly findings = new Findings();
  readonly #progress: Progress;
  readonly #comparer: ObjectComparer;
  readonly #levels: Level[] = [];

  constructor(options: VerifyOptions) {
    this.#progress = options.progress;
    this.#comparer = new ObjectComparer(options, this.findings);
  }

  begin(rootA: string, rootB: string): void {
    const a = Directory.root(rootA);
    let b: Directory;
    try {
      b = Directory.root(rootB);
    } catch (error) {
      a.close();
      throw error;
    }
    this.#enter('', a, b);
    this.#progress.objects++;
    this.#comparer.attributes({ path: '.', a, b, name: undefined }, a.stat, b.stat);
  }

  /** Compares one thing; false when nothing is left. */
  async step(): Promise<boolean> {
    const level = this.#levels.at(-1);
    if (level === undefined) return false;
    const next = level.names[level.at++];
    if (next === undefined) this.#leave(level);
    else await this.#compare(level, next);
    return true;
  }

  /** Closes what is open. */
  end(): void {
    for (const { a, b } of this.#levels.splice(0)) closeBoth(a, b);
  }

  async #compare({ prefix, a, b }: Level, { name, only }: ListedName): Promise<void> {
    const path = `${prefix}${name}`;
    this.#progress.objects++;
    if (only !== undefined) return this.#alone(path, only, only === 'a' ? a : b, name);
    if (!(await this.#comparer.compare({ path, a, b, name }))) return;
    const belowA = this.findings.attempt(path, 'a', () => a.directory(name));
    if (belowA === undefined) return;
    const belowB = this.findings.attempt(path, 'b', () => b.directory(name));
    if (belowB === undefined) belowA.close();
    else this.#enter(`${path}/`, belowA, belowB);
  }

  /** A name that one tree lacks. */
  #alone(path: string, side: Side, directory: Directory, name: string): void {
    const stat = this.findings.attempt(path, side, () => directory.lstat(name));
    if (stat === undefined) return;
    const type = typeName(stat);
    const [a, b] = side === 'a' ? [type, undefined] : [undefined, type];
    this.findings.add({ kind: 'difference', path, property: 'name', a, b });
  }

  /** What is in two directories comes next; they are closed at the end of it. */
  #enter(prefix: string, a: Directory, b: Directory): void {
    const path = pathOf(prefix);
    const above = this.#levels.at(-1);
    // Before anything can fail: whoever ends the walk closes what is here.
    const level: Level = { prefix, a, b, names: [], at: 0 };
    this.#levels.push(level);
    for (const side of ['a', 'b'] as const) {
      if (above !== undefined && above[side].stat.dev !== level[side].stat.dev) {
        this.findings.add({ kind: 'mount', path, side });
      }
    }
    const namesA = this.findings.attempt(path, 'a', () => a.names());
    const namesB = this.findings.attempt(path, 'b', () => b.names());
    if (namesA === undefined || namesB === undefined) return;
    this.#levels[this.#levels.length - 1] = { ...level, names: merged(namesA, namesB) };
  }

  #leave({ prefix, a, b }: Level): void {
    this.#levels.pop();
    for (const [side, directory] of [
      ['a', a],
      ['b', b],
    ] as const) {
      const hasChanged = this.findings.attempt(pathOf(prefix), side, () => directory.hasChanged());
      if (hasChanged) this.findings.trouble(pathOf(prefix), side, CHANGED);
    }
    closeBoth(a, b);
  }
}

const CHANGED = 'changed while what is in it was compared';

function pathOf(prefix: string): string {
  return prefix === '' ? '.' : prefix.slice(0, -1);
}

function closeBoth(a: Directory, b: Directory): void {
  a.close();
  b.close();
}

/** Two ordered lists as one. */
function merged(a: readonly string[], b: readonly string[]): ListedName[] {
  const names: ListedName[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    const [ofA, ofB] = [a[i], b[j]];
    if (ofA === ofB) {
      names.push({ name: must(ofA, 'name'), only: undefined });
      i++;
      j++;
    } else if (ofB === undefined || (ofA !== undefined && ofA < ofB)) {
      names.push({ name: must(ofA, 'name'), only: 'a' });
      i++;
    } else {
      names.push({ name: ofB, only: 'b' });
      j++;
    }
  }
  return names;
}
