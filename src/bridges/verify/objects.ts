/** Compares the two objects that have one name. */
import * as fs from 'node:fs';
import { attributeDifferences } from './attributes.js';
import { ContentsComparer } from './contents.js';
import type { Directory } from './directory.js';
import type { Difference, Side } from './finding.js';
import type { Findings } from './findings.js';
import type { Ignored } from './ignored.js';
import { Links } from './links.js';
import type { Progress, VerifyOptions } from './trees.js';

type Stat = fs.BigIntStats;

/** What both trees have under a path: as names in two directories, or as directories themselves. */
export interface Common {
  readonly path: string;
  readonly a: Directory;
  readonly b: Directory;
  /** In both directories; undefined: the directories themselves are meant. */
  readonly name: string | undefined;
}

export class ObjectComparer {
  readonly #ignored: Ignored;
  readonly #progress: Progress;
  readonly #findings: Findings;
  readonly #links = new Links();
  readonly #contents: ContentsComparer;

  constructor({ ignored, progress, trustHoles = false }: VerifyOptions, findings: Findings) {
    this.#ignored = ignored;
    this.#progress = progress;
    this.#findings = findings;
    this.#contents = new ContentsComparer(trustHoles);
  }

  /** All but what is in directories. True: both are directories, and their contents remain to be compared. */
  async compare(common: Common & { readonly name: string }): Promise<boolean> {
    const { path, a, b, name } = common;
    const statA = this.#findings.attempt(path, 'a', () => a.lstat(name));
    const statB = this.#findings.attempt(path, 'b', () => b.lstat(name));
    if (statA === undefined || statB === undefined) return false;
    if (statA.isDirectory() || statB.isDirectory()) {
      return this.attributes(common, statA, statB) && statA.isDirectory();
    }
    const isKnown = !this.#ignored.has('link') && this.#isKnown(path, statA, statB);
    if (isKnown || !this.attributes(common, statA, statB)) return false;
    if (statA.isSymbolicLink()) this.#target(common);
    const isSameSize = statA.isFile() && statA.size === statB.size;
    if (isSameSize && statA.size > 0n && !this.#ignored.has('contents')) {
      await this.#compareContents(common, statA, statB);
    }
    return false;
  }

  /** What lstat(2) tells, and the extended attributes. False: they are not of the same type. */
  attributes(common: Common, a: Stat, b: Stat): boolean {
    const { path } = common;
    for (const difference of attributeDifferences(a, b)) {
      this.#differ({ path, ...difference });
      if (difference.property === 'type') return false;
    }
    if (!this.#ignored.has('xattr')) this.#xattrs(common);
    return true;
  }

  /** Were they compared under another name? */
  #isKnown(path: string, a: Stat, b: Stat): boolean {
    const met = this.#links.meet(path, a, b);
    if (typeof met === 'object') this.#differ({ path, property: 'link', ...met });
    return met === 'same';
  }

  #xattrs({ path, a, b, name }: Common): void {
    const names = (side: Side, directory: Directory) =>
      this.#findings.attempt(path, side, () => directory.xattrNames(name));
    const [listA, listB] = [names('a', a), names('b', b)];
    if (listA === undefined || listB === undefined) return;
    if (listA.length === 0 && listB.length === 0) return;
    for (const xattr of [...new Set([...listA, ...listB])].sort()) {
      if (this.#ignored.hasXattr(xattr)) continue;
      const value = (side: Side, directory: Directory, list: readonly string[]) =>
        list.includes(xattr)
          ? this.#findings.attempt(path, side, () => ({ bytes: directory.xattr(name, xattr) }))
          : { bytes: undefined };
      const [ofA, ofB] = [value('a', a, listA), value('b', b, listB)];
      if (ofA === undefined || ofB === undefined || isEqual(ofA.bytes, ofB.bytes)) continue;
      this.#differ({ path, property: 'xattr', xattr, a: ofA.bytes, b: ofB.bytes });
    }
  }

  #target({ path, a, b, name }: Common & { readonly name: string }): void {
    const ofA = this.#findings.attempt(path, 'a', () => a.readlink(name));
    const ofB = this.#findings.attempt(path, 'b', () => b.readlink(name));
    if (ofA === undefined || ofB === undefined || ofA === ofB) return;
    this.#differ({ path, property: 'target', a: ofA, b: ofB });
  }

  async #compareContents(
    common: Common & { readonly name: string },
    statA: Stat,
    statB: Stat,
  ): Promise<void> {
    const { path, a, b } = common;
    const fdA = this.#open(common, 'a', a, statA);
    if (fdA === undefined) return;
    const fdB = this.#open(common, 'b', b, statB);
    try {
      if (fdB === undefined) return;
      await this.#read(path, { fd: fdA, stat: statA }, { fd: fdB, stat: statB });
    } finally {
      fs.closeSync(fdA);
      if (fdB !== undefined) fs.closeSync(fdB);
    }
  }

  /** The file that was looked at; another one that took its place since is told as trouble. */
  #open(
    { path, name }: Common & { readonly name: string },
    side: Side,
    directory: Directory,
    stat: Stat,
  ): number | undefined {
    const fd = this.#findings.attempt(path, side, () => directory.file(name));
    if (fd === undefined) return undefined;
    const { dev, ino } = fs.fstatSync(fd, { bigint: true });
    if (dev === stat.dev && ino === stat.ino) return fd;
    fs.closeSync(fd);
    this.#findings.trouble(path, side, 'changed while it was compared (another file)');
    return undefined;
  }

  async #read(path: string, a: Opened, b: Opened): Promise<void> {
    const told = (bytes: number): void => {
      this.#progress.bytes += bytes;
    };
    let result: Awaited<ReturnType<ContentsComparer['compare']>>;
    try {
      const size = Number(a.stat.size);
      result = await this.#contents.compare(a.fd, b.fd, size, told);
    } catch (error) {
      return this.#findings.failed(path, undefined, error);
    }
    // Also what was found equal may not be any more: then its attributes were not the ones compared.
    for (const [side, { fd, stat }] of [
      ['a', a],
      ['b', b],
    ] as const) {
      const { ctimeNs, mtimeNs, size } = fs.fstatSync(fd, { bigint: true });
      const isSame = size === stat.size && mtimeNs === stat.mtimeNs && ctimeNs === stat.ctimeNs;
      if (!isSame) return this.#findings.trouble(path, side, CHANGED);
    }
    if (result === 'equal') return;
    if (typeof result !== 'number') return this.#findings.trouble(path, result.ended, SHORT);
    this.#differ({ path, property: 'contents', offset: result, a: undefined, b: undefined });
  }

  #differ(difference: Omit<Difference, 'kind'>): void {
    if (this.#ignored.has(difference.property)) return;
    this.#findings.add({ kind: 'difference', ...difference });
  }
}

interface Opened {
  readonly fd: number;
  /** As of before it was opened. */
  readonly stat: Stat;
}

const CHANGED = 'changed while it was compared';
const SHORT = 'ends before its size';

function isEqual(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(a, b) === 0;
}
