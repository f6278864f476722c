/** What diff must say of two snapshots of a tree, by comparing them by inode. */
import type { Change } from '../../../src/bridges/diff/change.js';

/** Of one object. `version` changes with it. */
export interface Seen {
  readonly fid: number;
  readonly version: number | string;
}

/** Lines in the order of their text. Paths are binary strings. */
export function linesOf(changes: readonly Change[]): string[] {
  return changes
    .map((change) =>
      change.change === 'renamed'
        ? `R ${change.path} -> ${change.to}`
        : `${SIGNS[change.change]} ${change.path}`,
    )
    .sort();
}

const SIGNS = { added: '+', removed: '-', modified: 'M' } as const;

export function expectedLines(
  before: ReadonlyMap<string, Seen>,
  after: ReadonlyMap<string, Seen>,
): string[] {
  const lines: string[] = [];
  const [namesBefore, namesAfter] = [byObject(before), byObject(after)];
  for (const fid of new Set([...namesBefore.keys(), ...namesAfter.keys()])) {
    const [was, is] = [namesBefore.get(fid) ?? [], namesAfter.get(fid) ?? []];
    // A place is a name in a directory, whatever the directory's own path.
    const placesBefore = new Map(was.map((path) => [placeOf(before, path), path]));
    const placesAfter = new Map(is.map((path) => [placeOf(after, path), path]));
    const lost = [...placesBefore]
      .filter(([place]) => !placesAfter.has(place))
      .map(second)
      .sort();
    const gained = [...placesAfter]
      .filter(([place]) => !placesBefore.has(place))
      .map(second)
      .sort();
    const kept = [...placesAfter].filter(([place]) => placesBefore.has(place)).map(second);
    const moved = Math.min(lost.length, gained.length);
    lost.forEach((path, i) => {
      lines.push(i < moved ? `R ${path} -> ${gained[i]}` : `- ${path}`);
    });
    for (const path of gained.slice(moved)) lines.push(`+ ${path}`);
    const isThere = was.length > 0 && is.length > 0;
    const isChanged = before.get(was[0] ?? '')?.version !== after.get(is[0] ?? '')?.version;
    if (!isThere || !isChanged) continue;
    for (const path of [...kept, ...gained.slice(0, moved)]) lines.push(`M ${path}`);
  }
  return lines.sort();
}

function second([, path]: readonly [string, string]): string {
  return path;
}

function byObject(tree: ReadonlyMap<string, Seen>): Map<number, string[]> {
  const names = new Map<number, string[]>();
  for (const [path, { fid }] of tree) names.set(fid, [...(names.get(fid) ?? []), path]);
  return names;
}

function placeOf(tree: ReadonlyMap<string, Seen>, path: string): string {
  if (path === '.') return '.';
  const slash = path.lastIndexOf('/');
  const parent = slash < 0 ? '.' : path.slice(0, slash);
  return `${tree.get(parent)?.fid}/${path.slice(slash + 1)}`;
}
