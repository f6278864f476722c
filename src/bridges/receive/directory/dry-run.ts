/** Hands that say what they would do and change nothing. */
import * as fs from 'node:fs';
import { must } from '../../../base/assert.js';
import { ROOT_FID } from '../../../base/fid.js';
import { isDirectory, isSymlink, S_IFDIR } from '../../../base/mode.js';
import { O_DIRECTORY_PATH } from '../../libc/tree.js';
import type { HandsAndShortfalls } from './hands.js';
import { displayPath, joinPath } from './hands-error.js';
import { Limbo } from './limbo.js';
import { lookAt } from './places.js';
import { Shortfalls } from './shortfalls.js';
import type { Found, Made, Step, StepAttributes, StepPlace } from './steps.js';
import { isRoot, shownPlace, TargetTree } from './target-tree.js';

/** Numbers that no filesystem gives: of what is only said to have been made. */
const FIRST_INODE = 2 ** 52;

/** An object of the tree as it would be. */
interface Node {
  readonly inode: number;
  readonly type: number;
  /** Where it really is: a path below the target or, with a slash in front, below the limbo. */
  readonly real: string | undefined;
  /** Names that were given or taken away; others are as they really are. */
  readonly names: Map<string, Node | undefined>;
}

/**
 * `target`: what is there already is found there; without it the target is taken for empty.
 * `stateDirectory`: where a receiver that was killed may have left a limbo.
 */
export function dryRunHands(
  print: (line: string) => void,
  target?: string,
  stateDirectory?: string,
): HandsAndShortfalls {
  return new DryRun(print, target === undefined ? undefined : new Real(target, stateDirectory));
}

/** What is really there. */
class Real {
  readonly #fd: number;
  readonly #tree: TargetTree;
  readonly #limbo: Limbo | undefined;

  constructor(target: string, stateDirectory: string | undefined) {
    this.#fd = fs.openSync(`${target}/.`, O_DIRECTORY_PATH);
    if (stateDirectory !== undefined) this.#limbo = Limbo.existing(this.#fd, stateDirectory);
    const limbo = (): number => must(this.#limbo?.find(), 'the limbo that was found');
    this.#tree = new TargetTree({ root: this.#fd, limbo });
  }

  get hasLimbo(): boolean {
    return this.#limbo?.find() !== undefined;
  }

  look(at: StepPlace): Found | undefined {
    // Nothing is done to it, and others may do something at any time.
    this.#tree.forget();
    return lookAt(this.#tree, at);
  }

  close(): void {
    this.#tree.forget();
    this.#limbo?.close();
    fs.closeSync(this.#fd);
  }
}

class DryRun implements HandsAndShortfalls {
  readonly shortfalls = new Shortfalls();
  readonly #print: (line: string) => void;
  readonly #real: Real | undefined;
  readonly #root: Node;
  readonly #limbo: Node;
  #inodes = FIRST_INODE;

  constructor(print: (line: string) => void, real: Real | undefined) {
    this.#print = print;
    this.#real = real;
    const found = real?.look(ROOT);
    this.#root = { ...this.#new(S_IFDIR), ...found, real: found === undefined ? undefined : '' };
    this.#limbo = { ...this.#new(S_IFDIR), real: real?.hasLimbo === true ? LIMBO : undefined };
  }

  async inOrder(steps: readonly Step[]): Promise<readonly Made[]> {
    const made: Made[] = [];
    for (const step of steps) {
      for (const line of describeStep(step)) this.#print(line);
      const inode = this.#pretend(step);
      if (inode !== undefined) made.push({ fid: step.fid, inode });
    }
    return made;
  }

  together(steps: readonly Step[]): Promise<readonly Made[]> {
    return this.inOrder(steps);
  }

  look(at: StepPlace): Found | undefined {
    const node = this.#find(at);
    return node === undefined ? undefined : { inode: node.inode, type: node.type };
  }

  /** What is only said to be done takes nothing. */
  kept(): undefined {}

  async flush(): Promise<void> {}

  async close(): Promise<void> {
    this.#real?.close();
  }

  #new(type: number): Node {
    return { inode: ++this.#inodes, type, real: undefined, names: new Map() };
  }

  /** The inode number of what is made. */
  #pretend(step: Step): number | undefined {
    switch (step.do) {
      case 'make': {
        const there = step.replace ? this.#find(step.at) : undefined;
        const taken = there !== undefined && isDirectory(step.type) && isDirectory(there.type);
        const node = taken ? there : this.#new(step.type);
        if (!isRoot(step.at)) this.#put(step.at, node);
        return node.inode;
      }
      case 'rename': {
        const node = this.#find(step.from);
        this.#put(step.from, undefined);
        this.#put(step.to, node);
        return undefined;
      }
      case 'link':
        this.#put(step.to, this.#find(step.from));
        return undefined;
      case 'remove':
        this.#put(step.at, undefined);
        return undefined;
      default:
        return undefined;
    }
  }

  #put({ directory, name }: StepPlace, node: Node | undefined): void {
    this.#directory(directory)?.names.set(name, node);
  }

  #find(at: StepPlace): Node | undefined {
    if (isRoot(at)) return this.#root;
    const directory = this.#directory(at.directory);
    return directory === undefined ? undefined : this.#child(directory, at.name);
  }

  #directory(path: string | undefined): Node | undefined {
    let at: Node | undefined =
      path === undefined || path.startsWith('/') ? this.#limbo : this.#root;
    for (const name of (path ?? '').split('/')) {
      if (name === '') continue;
      if (at === undefined) return undefined;
      at = this.#child(at, name);
    }
    return at;
  }

  #child(directory: Node, name: string): Node | undefined {
    if (directory.names.has(name)) return directory.names.get(name);
    if (directory.real === undefined) return undefined;
    const below = directory.real === LIMBO ? undefined : directory.real;
    const found = this.#real?.look({ parent: ANY_PARENT, name, directory: below });
    if (found === undefined) return undefined;
    const real = directory.real === LIMBO ? `${LIMBO}${name}` : joinPath(directory.real, name);
    const node = { ...found, real, names: new Map() };
    directory.names.set(name, node);
    return node;
  }
}

const LIMBO = '/';
const ANY_PARENT = ROOT_FID;
const ROOT: StepPlace = { parent: 0, name: '', directory: '' };

/** Nothing for a step that comes to nothing. */
function describeStep(step: Step): readonly string[] {
  switch (step.do) {
    case 'make':
      return [`+ ${shown(step.at, step.type)}${isSymlink(step.type) ? arrow(step.target) : ''}`];
    case 'rename':
      return [`R ${shown(step.from, step.type)}${arrow(shown(step.to, step.type))}`];
    case 'link':
      return [`+ ${shown(step.to)} (link to ${shown(step.from)})`];
    case 'remove':
      return [`- ${shown(step.at, step.type)}`];
    case 'contents':
      return changed(shown(step.at), contentsOf(step));
    case 'narrow':
      // Of what it takes all that stays so is told with the attributes.
      return [];
    case 'attributes': {
      const xattrs = step.xattrs.map(({ name }) => displayPath(name));
      return changed(shown(step.at, step.type), [...attributesOf(step.attributes), ...xattrs]);
    }
  }
}

function changed(path: string, what: readonly string[]): readonly string[] {
  return what.length === 0 ? [] : [`M ${path} (${what.join(', ')})`];
}

function contentsOf(step: Extract<Step, { do: 'contents' }>): string[] {
  let [ranges, bytes] = [0, 0];
  for (const part of step.parts) {
    if (part.kind === 'gone') continue;
    ranges++;
    if (part.kind === 'data') bytes += part.bytes.length;
  }
  const what: string[] = [];
  if (step.cut !== undefined) what.push(`cut to ${step.cut} bytes`);
  if (ranges > 0) {
    what.push(`contents of ${ranges} ${ranges === 1 ? 'range' : 'ranges'}, ${bytes} bytes`);
  }
  if (step.size !== undefined) what.push(`size ${step.size}`);
  return what;
}

function attributesOf(attributes: StepAttributes): string[] {
  const { mode, uid, gid, atime, mtime } = attributes;
  const what: string[] = [];
  if (mode !== undefined) what.push('mode');
  if (uid !== undefined || gid !== undefined) what.push('owner');
  if (atime !== undefined) what.push('atime');
  if (mtime !== undefined) what.push('mtime');
  return what;
}

/** Directories end with a slash; the root is `./`. */
function shown(at: StepPlace, type = 0): string {
  const path = isRoot(at) ? '.' : displayPath(shownPlace(at));
  return isDirectory(type) ? `${path}/` : path;
}

function arrow(to: string): string {
  return ` -> ${displayPath(to)}`;
}
