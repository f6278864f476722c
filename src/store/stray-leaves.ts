/**
 * Leaves that nothing leads to: those below a damaged branch. In a whole environment every
 * page is in one tree, or is free.
 */
import { readSync } from 'node:fs';
import { META_PAGES, PAGE_HEAD_BYTES } from './environment-file.js';
import { checkPageHead, PageFlag } from './page.js';

export interface PagesOfFile {
  readonly fd: number;
  readonly pages: number;
  readonly pageBytes: number;
  readonly transaction: number;
  /** In a tree, or free. */
  readonly isKnown: (page: number) => boolean;
}

/** Their page numbers. What stands in the pages of a long value is not looked at: it may look like a leaf. */
export function strayLeaves(file: PagesOfFile): number[] {
  const leaves: number[] = [];
  const head = Buffer.alloc(PAGE_HEAD_BYTES);
  for (let page = META_PAGES; page < file.pages; page++) {
    if (file.isKnown(page)) continue;
    readSync(file.fd, head, 0, head.length, page * file.pageBytes);
    const flags = flagsOf(head, page, file.transaction);
    if (flags === PageFlag.LEAF) leaves.push(page);
    if (flags === PageFlag.OVERFLOW) page += Math.max(0, head.readUInt32LE(20) - 1);
  }
  return leaves;
}

/** 0 for what is no page of a tree. */
function flagsOf(head: Buffer, page: number, transaction: number): number {
  try {
    return checkPageHead(head, page, transaction);
  } catch {
    return 0;
  }
}
