/** What the tables say together: link counts, numbers of entries, and ways to the root. */
import { ROOT_FID } from '../../base/fid.js';
import { isDirectory } from '../../base/mode.js';
import { type Findings, showFid } from './findings.js';
import { InodeFlag, type InodeIndex } from './inode-index.js';

export function checkTree(index: InodeIndex, findings: Findings): void {
  const { columns } = index;
  for (let at = 0; at < index.count; at++) {
    if (index.has(at, InodeFlag.DAMAGED)) continue;
    if (columns.nlink[at] === 0) checkNameless(index, at, findings);
    else if (isDirectory(columns.mode[at] ?? 0)) checkDirectory(index, at, findings);
    else checkNames(index, at, columns.nlink[at] ?? 0, findings);
  }
}

function whereOf(index: InodeIndex, at: number): string {
  return `inode ${showFid(index.columns.fid[at] ?? 0)}`;
}

function checkNameless(index: InodeIndex, at: number, findings: Findings): void {
  const { columns } = index;
  checkNames(index, at, 0, findings);
  if (!index.has(at, InodeFlag.ORPHAN)) {
    findings.add(
      'lost-inode',
      whereOf(index, at),
      'has no name and is not an orphan: nothing will free it',
    );
  }
  if ((columns.entriesFound[at] ?? 0) > 0) {
    findings.add('bad-orphan', whereOf(index, at), 'was removed, but has entries');
  }
}

function checkNames(index: InodeIndex, at: number, wanted: number, findings: Findings): void {
  const found = index.columns.names[at] ?? 0;
  if (found === wanted) return;
  const where = whereOf(index, at);
  if (found === 0)
    findings.add('unreachable-inode', where, `no entry leads to it; it says ${wanted}`);
  else findings.add('link-count', where, `says ${wanted} names, ${found} lead to it`);
}

function checkDirectory(index: InodeIndex, at: number, findings: Findings): void {
  const { columns } = index;
  checkNames(index, at, columns.fid[at] === ROOT_FID ? 0 : 1, findings);
  if (!index.has(at, InodeFlag.ENTRY_DAMAGED)) {
    const links = 2 + (columns.subdirectories[at] ?? 0);
    if (columns.nlink[at] !== links) {
      findings.add(
        'link-count',
        whereOf(index, at),
        `says ${columns.nlink[at]} links, has ${links}`,
      );
    }
    if (columns.entries[at] !== columns.entriesFound[at]) {
      const found = columns.entriesFound[at];
      findings.add(
        'entry-count',
        whereOf(index, at),
        `says ${columns.entries[at]} entries, has ${found}`,
      );
    }
  }
  if (!reachesRoot(index, at)) {
    findings.add('unreachable-inode', whereOf(index, at), 'its parents do not lead to the root');
  }
}

/** Follows the parents to an inode whose answer is known, and notes it for all on the way. */
function reachesRoot(index: InodeIndex, start: number): boolean {
  const { columns } = index;
  const way: number[] = [];
  let at: number | undefined = start;
  let reaches = false;
  while (at !== undefined) {
    if (columns.fid[at] === ROOT_FID || index.has(at, InodeFlag.REACHES_ROOT)) reaches = true;
    // A damaged one has had its finding.
    if (index.has(at, InodeFlag.DAMAGED)) reaches = true;
    if (reaches || index.has(at, InodeFlag.LOST)) break;
    // Lost until the contrary is found: so a cycle ends here.
    index.mark(at, InodeFlag.LOST);
    way.push(at);
    at = index.find(columns.parent[at] ?? 0);
  }
  if (reaches) {
    for (const passed of way) {
      columns.flags[passed] = (columns.flags[passed] ?? 0) & ~InodeFlag.LOST;
      index.mark(passed, InodeFlag.REACHES_ROOT);
    }
  }
  return reaches;
}
