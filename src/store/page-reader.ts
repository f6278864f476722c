/**
 * Reads the tables of a snapshot page by page, without LMDB: what is damaged is
 * reported and the rest is read, where LMDB would end the process. For fsck.
 *
 * Holds one page per level of a tree, and one bit per page of the file.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { must } from '../base/assert.js';
import {
  type EnvironmentFile,
  META_PAGES,
  PAGE_HEAD_BYTES,
  type Snapshot,
} from './environment-file.js';
import { freeRuns } from './free-pages.js';
import {
  checkNodes,
  checkPageHead,
  NODE_TABLE,
  type Node,
  nodeAt,
  nodeCount,
  PageError,
  PageFlag,
} from './page.js';
import { strayLeaves } from './stray-leaves.js';
import {
  countProblem,
  FREE_PAGES,
  headProblem,
  TREE_BYTES,
  type TreeCounts,
  type TreeHead,
  treeHead,
} from './tree-head.js';

const NO_BYTES = Buffer.alloc(0);

/** Longest value that LMDB could give back, in bytes; more is damage. */
const VALUE_BYTES_MAX = 64 * 2 ** 20;

export interface PageProblem {
  readonly table: string;
  readonly page: number;
  readonly message: string;
}

export interface RawEntry {
  readonly key: Buffer;
  readonly value: Buffer;
}

export interface PageReaderOptions {
  /**
   * Rows are given that a search would not find: keys out of order, keys given before, and
   * those of pages that another table uses too, or that are said to be free.
   */
  readonly tolerant?: boolean;
}

/** What a walk carries: the key that the next one must reach. */
interface Walk {
  readonly tree: TreeHead;
  last: Buffer | undefined;
  /** The next key may be equal to `last`: it is the separator of a branch. */
  mayEqual: boolean;
  readonly found: TreeCounts;
  broken: boolean;
}

export class PageReader {
  readonly #fd: number;
  readonly #pageBytes: number;
  readonly #pages: number;
  readonly #lastPage: number;
  readonly #transaction: number;
  readonly #report: (problem: PageProblem) => void;
  readonly #tolerant: boolean;
  readonly #seen: Uint8Array;
  readonly #tables = new Map<string, TreeHead>();

  constructor(
    path: string,
    file: EnvironmentFile,
    snapshot: Snapshot,
    report: (problem: PageProblem) => void,
    { tolerant = false }: PageReaderOptions = {},
  ) {
    this.#tolerant = tolerant;
    this.#fd = openSync(path, 'r');
    this.#pageBytes = file.pageBytes;
    this.#pages = Math.min(snapshot.lastPage + 1, Math.ceil(file.size / file.pageBytes));
    this.#lastPage = snapshot.lastPage;
    this.#transaction = snapshot.transaction;
    this.#report = report;
    this.#seen = new Uint8Array(Math.ceil(this.#pages / 8));
    if (!tolerant) this.#readFree(treeHead(FREE_PAGES, snapshot.free));
    const main = treeHead('(tables)', snapshot.tables);
    for (const { node } of this.#walkAll(main)) {
      if ((node.flags & NODE_TABLE) === 0 || node.value.length !== TREE_BYTES) continue;
      const table = node.key.toString('latin1').replace(/\0$/, '');
      this.#tables.set(table, treeHead(table, Buffer.from(node.value)));
    }
  }

  /** Notes the free pages, so that one which is in use too is found. */
  #readFree(tree: TreeHead): void {
    const { table } = tree;
    for (const { value } of this.#walkAll(tree)) {
      try {
        for (const run of freeRuns(value ?? NO_BYTES))
          this.#take(run.page, run.count, this.#lastPage + 1);
      } catch (error) {
        this.#report({ table, page: tree.root, message: messageOf(error) });
      }
    }
  }

  get tables(): readonly string[] {
    return [...this.#tables.keys()];
  }

  /** All entries in key order, each valid until the next. Read a table once only. */
  *entries(table: string): Generator<RawEntry> {
    const tree = this.#tables.get(table);
    if (tree === undefined) return;
    if (this.#tolerant) this.#seen.fill(0);
    for (const { node, value } of this.#walkAll(tree)) {
      if (value !== undefined) yield { key: node.key, value };
    }
  }

  /** Entries of leaves that nothing leads to, as those of `table`: once all tables were read. */
  *strayEntries(table: string): Generator<RawEntry> {
    const tree = { ...must(this.#tables.get(table), 'table'), depth: 1 };
    const isKnown = (page: number): boolean =>
      ((this.#seen[page >>> 3] ?? 0) & (1 << (page & 7))) !== 0;
    const file = { fd: this.#fd, pages: this.#pages, pageBytes: this.#pageBytes };
    for (const page of strayLeaves({ ...file, transaction: this.#transaction, isKnown })) {
      const found: TreeCounts = { branch: 0, leaf: 0, overflow: 0, entries: 0 };
      const walk: Walk = { tree, last: undefined, mayEqual: false, found, broken: false };
      for (const { node, value } of this.#walk(walk, page, 1)) {
        if (value !== undefined) yield { key: node.key, value };
      }
    }
  }

  /** Looks at the root page of each table, and reports what is wrong with it. Before any other reading. */
  checkRoots(): void {
    for (const tree of this.#tables.values()) {
      const { table, root, depth } = tree;
      const kind = depth > 1 ? PageFlag.BRANCH : PageFlag.LEAF;
      try {
        const wrong = headProblem(tree);
        if (wrong !== undefined) throw new PageError(wrong);
        if (depth === 0) continue;
        const page = this.#read(root, 1);
        if (checkPageHead(page, root, this.#transaction) !== kind) {
          throw new PageError('not a page of the expected kind');
        }
        checkNodes(page, depth > 1);
      } catch (error) {
        this.#report({ table, page: root, message: messageOf(error) });
      }
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  *#walkAll(tree: TreeHead): Generator<{ node: Node; value: Buffer | undefined }> {
    const found: TreeCounts = { branch: 0, leaf: 0, overflow: 0, entries: 0 };
    const walk: Walk = { tree, last: undefined, mayEqual: false, found, broken: false };
    const problem = headProblem(tree);
    if (problem !== undefined) this.#problem(walk, tree.root, problem);
    if (tree.depth > 0) yield* this.#walk(walk, tree.root, 1);
    const wrong = walk.broken ? undefined : countProblem(tree, found);
    if (wrong !== undefined) this.#problem(walk, tree.root, wrong);
  }

  *#walk(
    walk: Walk,
    number: number,
    level: number,
  ): Generator<{ node: Node; value: Buffer | undefined }> {
    const branch = level < walk.tree.depth;
    let page: Buffer;
    let count: number;
    try {
      page = this.#read(number, 1);
      if (
        checkPageHead(page, number, this.#transaction) !==
        (branch ? PageFlag.BRANCH : PageFlag.LEAF)
      ) {
        throw new PageError('not a page of the expected kind');
      }
      count = nodeCount(page);
      walk.found[branch ? 'branch' : 'leaf']++;
    } catch (error) {
      this.#problem(walk, number, messageOf(error));
      return;
    }
    this.#checkNodes(walk, number, page, branch);
    for (let i = 0; i < count; i++) {
      let node: Node;
      let value: Buffer | undefined;
      try {
        node = nodeAt(page, i, branch);
        // The first key of a branch page is not used.
        if (!this.#tolerant && (!branch || i > 0)) this.#checkOrder(walk, node.key, branch);
        value = branch ? undefined : this.#valueOf(node, walk.found);
      } catch (error) {
        this.#problem(walk, number, messageOf(error));
        continue;
      }
      if (branch) yield* this.#walk(walk, node.child, level + 1);
      else {
        walk.found.entries++;
        yield { node, value };
      }
    }
  }

  /** Nodes that cannot be where they are make a page that is not to be changed; what can be read of it is. */
  #checkNodes(walk: Walk, number: number, page: Buffer, branch: boolean): void {
    try {
      checkNodes(page, branch);
    } catch (error) {
      this.#problem(walk, number, messageOf(error));
    }
  }

  #checkOrder(walk: Walk, key: Buffer, separator: boolean): void {
    const { last, mayEqual } = walk;
    const order = last === undefined ? 1 : compare(key, last, walk.tree.table === FREE_PAGES);
    walk.last = Buffer.from(key);
    walk.mayEqual = separator;
    if (order < 0 || (order === 0 && !mayEqual)) throw new PageError('its keys are out of order');
  }

  #valueOf({ value, overflow }: Node, found: TreeCounts): Buffer {
    if (overflow === undefined) return value;
    const { page, length } = overflow;
    if (length > VALUE_BYTES_MAX) throw new PageError('a value cannot be so long');
    const pages = Math.ceil((PAGE_HEAD_BYTES + length) / this.#pageBytes);
    const bytes = this.#read(page, pages);
    found.overflow += pages;
    if (
      checkPageHead(bytes, page, this.#transaction) !== PageFlag.OVERFLOW ||
      bytes.readUInt32LE(20) !== pages
    ) {
      throw new PageError(`page ${page} does not belong to the value`);
    }
    return bytes.subarray(PAGE_HEAD_BYTES, PAGE_HEAD_BYTES + length);
  }

  /** Throws PageError if the pages are not there, or are in use elsewhere. */
  #read(page: number, count: number): Buffer {
    this.#take(page, count, this.#pages);
    const bytes = Buffer.allocUnsafe(count * this.#pageBytes);
    const length = readSync(this.#fd, bytes, 0, bytes.length, page * this.#pageBytes);
    if (length < bytes.length) throw new PageError(`page ${page} is cut off`);
    return bytes;
  }

  /** Throws PageError if the pages are not all below `end`, or were taken before. */
  #take(page: number, count: number, end: number): void {
    if (page < META_PAGES || page + count > end) {
      throw new PageError(`page ${page} is beyond the end of the file`);
    }
    // Free pages behind the end of the file were never written, and nothing can be there.
    for (let i = page; i < Math.min(page + count, this.#pages); i++) {
      const bit = 1 << (i & 7);
      if (((this.#seen[i >>> 3] ?? 0) & bit) !== 0) throw new PageError(`page ${i} is used twice`);
      this.#seen[i >>> 3] = (this.#seen[i >>> 3] ?? 0) | bit;
    }
  }

  #problem(walk: Walk, page: number, message: string): void {
    walk.broken = true;
    this.#report({ table: walk.tree.table, page, message });
  }
}

function compare(a: Buffer, b: Buffer, numbers: boolean): number {
  if (!numbers) return Buffer.compare(a, b);
  if (a.length !== 8) throw new PageError('a key is no transaction');
  return a.readBigUInt64LE(0) < b.readBigUInt64LE(0) ? -1 : 1;
}

function messageOf(error: unknown): string {
  if (error instanceof PageError) return error.message;
  throw error;
}
