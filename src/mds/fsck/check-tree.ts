/** What the tables say together: link counts, numbers of entries, and ways to the root. */
import { type Fid, ROOT_FID } from '../../base/fid.js';
import { isDirectory } from '../../base/mode.js';
import { type Findings, showFid } from './findings.js';
import { InodeFlag, type InodeIndex } from './inode-index.js';
import type { Mend } from './mend.js';

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
      // One that has a name after all only counts wrongly.
      ...((columns.names[at] ?? 0) === 0 ? [adoption(index, at)] : []),
    );
  }
  if ((columns.entriesFound[at] ?? 0) > 0) {
    const message = 'was removed, but has entries';
    findings.add('bad-orphan', whereOf(index, at), message, adoption(index, at));
  }
}

function adoption(index: InodeIndex, at: number): Mend {
  return { do: 'adopt', fid: fidOf(index, at) };
}

function fidOf(index: InodeIndex, at: number): Fid {
  return (index.columns.fid[at] ?? 0) as Fid;
}

function checkNames(index: InodeIndex, at: number, wanted: number, findings: Findings): void {
  const found = index.columns.names[at] ?? 0;
  if (found === wanted) return;
  const where = whereOf(index, at);
  if (found === 0) {
    const message = `no entry leads to it; it says ${wanted}`;
    findings.add('unreachable-inode', where, message, adoption(index, at));
    return;
  }
  const fid = fidOf(index, at);
  const directory = (index.columns.parent[at] ?? 0) as Fid;
  const mend: Mend = isDirectory(index.columns.mode[at] ?? 0)
    ? { do: 'parent', fid, directory }
    : { do: 'inode', fid, set: { nlink: found } };
  findings.add('link-count', where, `says ${wanted} names, ${found} lead to it`, mend);
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
        { do: 'inode', fid: fidOf(index, at), set: { nlink: links } },
      );
    }
    if (columns.entries[at] !== columns.entriesFound[at]) {
      const found = columns.entriesFound[at];
      findings.add(
        'entry-count',
        whereOf(index, at),
        `says ${columns.entries[at]} entries, has ${found}`,
        { do: 'inode', fid: fidOf(index, at), set: { entries: found ?? 0 } },
      );
    }
  }
  const { reaches, ring } = reachesRoot(index, at);
  if (reaches) return;
  const message = 'its parents do not lead to the root';
  // One of a ring is enough: the others, and what hangs on them, come with it.
  const mends = ring === undefined ? [] : [adoption(index, ring)];
  findings.add('unreachable-inode', whereOf(index, at), message, ...mends);
}

/**
 * Follows the parents to an inode whose answer is known, and notes it for all on the way.
 * `ring`: one of those that lead to each other, told once per ring.
 */
function reachesRoot(
  index: InodeIndex,
  start: number,
): { readonly reaches: boolean; readonly ring?: number | undefined } {
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
  if (!reaches) {
    const closed = at !== undefined && way.includes(at);
    return { reaches, ring: closed ? at : undefined };
  }
  for (const passed of way) {
    columns.flags[passed] = (columns.flags[passed] ?? 0) & ~InodeFlag.LOST;
    index.mark(passed, InodeFlag.REACHES_ROOT);
  }
  return { reaches };
}
