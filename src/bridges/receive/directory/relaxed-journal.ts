/**
 * What was made writable for the moment, and where it was moved meanwhile, as a file in the
 * state directory: FORMAT.md. A line is written before what it tells of is done. It outlives
 * the process, not the machine.
 */
import * as fs from 'node:fs';
import { Errno, errnoOf } from '../../../base/errno.js';
import { joinPath } from './hands-error.js';
import type { StepPlace } from './steps.js';

const FILE = 'made-writable';

/** An object that was made writable. */
export interface MadeWritable {
  /** {@link pathOf} its place. */
  readonly path: string;
  readonly inode: number;
  /** Permission bits that it had, */
  readonly mode: number;
  /** and that it was given. */
  readonly relaxed: number;
}

type Line =
  | MadeWritable
  | { readonly from: string; readonly to: string }
  | { readonly gone: string };

/** What a receiver left that was killed. */
export interface LeftWritable {
  readonly inode: number;
  readonly mode: number;
  /** All that it was given, one after the other. */
  readonly relaxed: readonly number[];
  /** Where it may be, the likeliest first. */
  readonly paths: readonly string[];
  /** It may have been removed. */
  readonly mayBeGone: boolean;
}

/** A place as one text: '' is the root, `/` the limbo, `/x` what lies in it. A binary string. */
export function pathOf({ directory, name }: StepPlace): string {
  return directory === undefined || directory === '/' ? `/${name}` : joinPath(directory, name);
}

export class RelaxedJournal {
  readonly #file: string;
  /** Of earlier times. */
  readonly #left: MadeWritable[] = [];
  /** Lines were added since then. */
  #written = false;

  constructor(stateDirectory: string) {
    this.#file = `${stateDirectory}/${FILE}`;
  }

  /** Throws what Node's own calls throw. */
  append(line: Line): void {
    this.#written = true;
    fs.appendFileSync(this.#file, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  }

  /** What was begun is put right but for these, which are left to the next run. */
  keep(left: readonly MadeWritable[]): void {
    if (!this.#written) return;
    this.#left.push(...left);
    if (this.#left.length > 0) {
      const text = this.#left.map((line) => `${JSON.stringify(line)}\n`).join('');
      fs.writeFileSync(this.#file, text, { mode: 0o600 });
    } else fs.rmSync(this.#file, { force: true });
    this.#written = false;
  }

  /** In the order in which they have to be put right. */
  read(): LeftWritable[] {
    let text: string;
    try {
      text = fs.readFileSync(this.#file, 'utf8');
    } catch (error) {
      if (errnoOf(error) === Errno.ENOENT) return [];
      throw error;
    }
    this.#written = true;
    const found = new Map<number, Found>();
    for (const line of text.split('\n').map(parseLine)) {
      if (line === undefined) continue;
      if ('inode' in line) take(found, line);
      else if ('gone' in line) for (const each of found.values()) each.lose(line.gone);
      else for (const each of found.values()) each.follow(line.from, line.to);
    }
    // The last first: what is deeper lies in what was made passable before it.
    return [...found.values()].reverse();
  }
}

function take(found: Map<number, Found>, line: MadeWritable): void {
  const known = found.get(line.inode);
  if (known === undefined) found.set(line.inode, new Found(line));
  else known.again(line);
}

class Found implements LeftWritable {
  readonly inode: number;
  readonly mode: number;
  readonly relaxed: number[];
  readonly paths: string[];
  mayBeGone = false;

  constructor({ path, inode, mode, relaxed }: MadeWritable) {
    this.inode = inode;
    this.mode = mode;
    this.relaxed = [relaxed];
    this.paths = [path];
  }

  again({ path, relaxed }: MadeWritable): void {
    this.relaxed.push(relaxed);
    this.#add(path);
  }

  /** It, or something that it is in, was about to be moved. */
  follow(from: string, to: string): void {
    for (const path of [...this.paths]) {
      if (path === from) this.#add(to);
      else if (path.startsWith(`${from}/`)) this.#add(`${to}${path.slice(from.length)}`);
    }
  }

  lose(path: string): void {
    if (this.paths.includes(path)) this.mayBeGone = true;
  }

  #add(path: string): void {
    const at = this.paths.indexOf(path);
    if (at >= 0) this.paths.splice(at, 1);
    this.paths.unshift(path);
  }
}

/** Undefined: a line that was cut off when the receiver was killed; what it tells of was not done. */
function parseLine(text: string): Line | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return isLine(line) ? line : undefined;
  } catch {
    return undefined;
  }
}

function isLine(value: unknown): value is Line {
  if (typeof value !== 'object' || value === null) return false;
  const { path, inode, mode, relaxed, from, to, gone } = value as Record<string, unknown>;
  const numbers = [inode, mode, relaxed];
  if (typeof path === 'string') return numbers.every((each) => Number.isSafeInteger(each));
  if (numbers.some((each) => each !== undefined)) return false;
  return typeof gone === 'string' || (typeof from === 'string' && typeof to === 'string');
}
