/**
 * Where a tree of LMDB starts, and what LMDB counts of it: its MDB_db.
 *
 * | at | bytes | field                                                      |
 * |----|-------|------------------------------------------------------------|
 * | 0  | 4     | page size in the tree of free pages, else 0                |
 * | 4  | 2     | flags: 8 (keys are numbers) in the tree of free pages, else 0 |
 * | 6  | 2     | depth; 0 for an empty tree                                 |
 * | 8  | 8     | branch pages                                               |
 * | 16 | 8     | leaf pages                                                 |
 * | 24 | 8     | overflow pages                                             |
 * | 32 | 8     | entries                                                    |
 * | 40 | 8     | page of the root; 2^64 - 1 for an empty tree               |
 */

export const TREE_BYTES = 48;
/** The tree of free pages; the only one whose keys are numbers. */
export const FREE_PAGES = '(free pages)';
/** No tree of 2^48 pages is deeper; LMDB's own limit. */
const DEPTH_MAX = 32;
const NUMBERS_AS_KEYS = 8;
const NO_PAGE = 2 ** 64;

export interface TreeCounts {
  branch: number;
  leaf: number;
  overflow: number;
  entries: number;
}

export interface TreeHead {
  readonly table: string;
  readonly flags: number;
  readonly depth: number;
  readonly counts: Readonly<TreeCounts>;
  readonly root: number;
}

export function treeHead(table: string, head: Buffer): TreeHead {
  const number = (at: number): number => Number(head.readBigUInt64LE(at));
  return {
    table,
    flags: head.readUInt16LE(4),
    depth: head.readUInt16LE(6),
    counts: { branch: number(8), leaf: number(16), overflow: number(24), entries: number(32) },
    root: number(40),
  };
}

/** What is wrong with a head by itself, if anything is: LMDB would act on it. */
export function headProblem({ table, flags, depth, root }: TreeHead): string | undefined {
  if (flags !== (table === FREE_PAGES ? NUMBERS_AS_KEYS : 0)) return `its tree has flags ${flags}`;
  if (depth > DEPTH_MAX) return 'its tree cannot be so deep';
  if (depth === 0 && root !== NO_PAGE) return 'its tree is empty and has a root';
  return undefined;
}

/** Where the head counts otherwise than was found, if it does. */
export function countProblem({ counts }: TreeHead, found: TreeCounts): string | undefined {
  for (const what of ['entries', 'branch', 'leaf', 'overflow'] as const) {
    const kind = what === 'entries' ? what : `${what} pages`;
    if (counts[what] !== found[what]) return `has ${found[what]} ${kind}, not ${counts[what]}`;
  }
  return undefined;
}
