/**
 * One page of LMDB's B+ trees (data version 2), read with suspicion: every number
 * in it is checked before it is used.
 *
 * | at | bytes | field                                                     |
 * |----|-------|-----------------------------------------------------------|
 * | 0  | 8     | its own page number                                       |
 * | 8  | 8     | transaction                                               |
 * | 18 | 2     | flags: 1 branch, 2 leaf, 4 overflow                       |
 * | 20 | 2     | twice the number of nodes (overflow: u32, number of pages) |
 * | 22 | 2     | where the nodes start, counted from byte 24               |
 * | 24 | 2·n   | where each node starts, counted from byte 24              |
 *
 * A node: in a branch the child's page number u48, in a leaf the value's length u32
 * and flags u16; key length u16; key; and in a leaf the value, or for a long one the
 * page number u64, transaction u64 and number u64 of its overflow pages.
 */
import { PAGE_HEAD_BYTES } from './environment-file.js';

export const PageFlag = { BRANCH: 1, LEAF: 2, OVERFLOW: 4 } as const;
/** A value on overflow pages; the head of a table in the table of tables. */
const NODE_LONG = 1;
export const NODE_TABLE = 2;
const NODE_HEAD_BYTES = 8;
/** Where the overflow pages of a long value are. */
const PLACE_BYTES = 24;
const TWO_32 = 2 ** 32;

/** Why the bytes are not what they should be. */
export class PageError extends Error {
  override readonly name = 'PageError';
}

export interface Node {
  readonly key: Buffer;
  /** Branch only. */
  readonly child: number;
  /** Leaf only: flags, and the value or where it is. */
  readonly flags: number;
  readonly value: Buffer;
  readonly overflow: { readonly page: number; readonly length: number } | undefined;
}

const NO_BYTES = Buffer.alloc(0);

/** The flags of the page, once its head is found to be that of page `number`, written by `transaction` or before. */
export function checkPageHead(page: Buffer, number: number, transaction: number): number {
  if (Number(page.readBigUInt64LE(0)) !== number) throw new PageError('the number of another page');
  // LMDB takes one from the future for its own, and writes to it where it stands.
  if (page.readBigUInt64LE(8) > transaction) throw new PageError('of a transaction to come');
  return page.readUInt16LE(18);
}

export function nodeCount(page: Buffer): number {
  const lower = page.readUInt16LE(20);
  const upper = page.readUInt16LE(22);
  if (lower % 2 !== 0 || lower > upper || upper > page.length - PAGE_HEAD_BYTES) {
    throw new PageError('its bounds are wrong');
  }
  return lower / 2;
}

/**
 * Throws PageError unless the nodes stand one behind the other, from where they start to the
 * end of the page. LMDB moves them by their lengths, so a wrong one would spoil the others.
 */
export function checkNodes(page: Buffer, branch: boolean): void {
  const extents: { readonly at: number; readonly end: number }[] = [];
  for (let i = 0; i < nodeCount(page); i++) {
    const at = page.readUInt16LE(PAGE_HEAD_BYTES + 2 * i) + PAGE_HEAD_BYTES;
    const { key, value, overflow } = nodeAt(page, i, branch);
    const valueBytes = overflow === undefined ? value.length : PLACE_BYTES;
    const bytes = NODE_HEAD_BYTES + key.length + valueBytes;
    extents.push({ at, end: at + bytes + (bytes % 2) });
  }
  extents.sort((a, b) => a.at - b.at);
  let end = page.readUInt16LE(22) + PAGE_HEAD_BYTES;
  for (const extent of extents) {
    if (extent.at !== end) throw new PageError('its nodes overlap, or leave a gap');
    ({ end } = extent);
  }
  if (end !== page.length) throw new PageError('its nodes do not end where it does');
}

/** Throws PageError if the node does not lie inside the page. */
export function nodeAt(page: Buffer, i: number, branch: boolean): Node {
  const at = page.readUInt16LE(PAGE_HEAD_BYTES + 2 * i) + PAGE_HEAD_BYTES;
  const free = page.readUInt16LE(22) + PAGE_HEAD_BYTES;
  if (at < free || at + NODE_HEAD_BYTES > page.length)
    throw new PageError(`node ${i} is misplaced`);
  const size = page.readUInt32LE(at);
  const flags = page.readUInt16LE(at + 4);
  const keyEnd = at + NODE_HEAD_BYTES + page.readUInt16LE(at + 6);
  if (keyEnd > page.length) throw new PageError(`the key of node ${i} is too long`);
  const key = page.subarray(at + NODE_HEAD_BYTES, keyEnd);
  const node = { key, child: 0, flags, value: NO_BYTES, overflow: undefined };
  if (branch) return { ...node, child: size + flags * TWO_32 };
  if (key.length === 0) throw new PageError(`node ${i} has no key`);
  if ((flags & ~(NODE_LONG | NODE_TABLE)) !== 0) throw new PageError(`node ${i} has wrong flags`);
  const inPage = (flags & NODE_LONG) !== 0 ? PLACE_BYTES : size;
  if (keyEnd + inPage > page.length) throw new PageError(`the value of node ${i} is too long`);
  const value = page.subarray(keyEnd, keyEnd + inPage);
  if ((flags & NODE_LONG) === 0) return { ...node, value };
  return { ...node, overflow: { page: Number(value.readBigUInt64LE(0)), length: size } };
}
