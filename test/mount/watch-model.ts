/**
 * A tree of a mount as a test knows it, and what of each change a user must be shown: found
 * out from what that user may list, by a table of its own.
 */
import { type Fid, formatFid } from '../../src/base/fid.js';

export interface Directory {
  readonly kind: 'directory';
  readonly ino: number;
  readonly children: Map<string, Entry>;
  parent: Directory | undefined;
  name: string;
  hasAcl: boolean;
  removed: boolean;
}
export interface File {
  readonly kind: 'file';
  readonly ino: number;
  readonly places: Place[];
}
export type Entry = Directory | File;

export interface Place {
  readonly directory: Directory;
  readonly name: string;
}

export function makeDirectory(ino: number, parent: Directory | undefined, name: string): Directory {
  const children = new Map<string, Entry>();
  return { kind: 'directory', ino, children, parent, name, hasAcl: false, removed: false };
}

/** Undefined for one that was removed. */
export function pathOf(mnt: string, directory: Directory): string | undefined {
  if (directory.removed) return undefined;
  const { parent, name } = directory;
  const above = parent === undefined ? mnt : pathOf(mnt, parent);
  return above === undefined || name === '' ? above : `${above}/${name}`;
}

export function isBelow(directory: Directory, top: Directory): boolean {
  for (let at: Directory | undefined = directory; at !== undefined; at = at.parent) {
    if (at === top) return true;
  }
  return false;
}

/** A change, with every object and place that it is about. */
export type Change =
  | { readonly op: 'create' | 'mkdir' | 'link' | 'unlink' | 'rmdir'; object: Entry; at: Place }
  | { readonly op: 'setattr' | 'setxattr' | 'write'; object: Entry; in: readonly Directory[] }
  | {
      readonly op: 'rename';
      readonly object: Entry;
      readonly from: Place;
      readonly to: Place;
      readonly over?: Entry | undefined;
      readonly exchanged?: Entry | undefined;
    };

/** Directories by which the change is judged. */
export function directoriesOf(change: Change): readonly Directory[] {
  if (change.op === 'rename') return [change.from.directory, change.to.directory];
  return 'at' in change ? [change.at.directory] : change.in;
}

export type Sees = (directory: Directory) => boolean;

/** The lines that a user is shown who sees those directories, as {@link summary} gives them. */
export function linesFor(change: Change, sees: Sees, readable: boolean): string[] {
  if (!directoriesOf(change).some(sees)) return [];
  if (change.op !== 'rename') {
    const at = 'at' in change ? placeText(change.at) : '';
    const extents = change.op === 'write' && readable ? ' with extents' : '';
    return [`${change.op} ${fid(change.object)}${at}${extents}`];
  }
  const { object, from, to, over, exchanged } = change;
  if (sees(from.directory) && sees(to.directory)) {
    const more = [over && ` over ${fid(over)}`, exchanged && ` for ${fid(exchanged)}`];
    return [`rename ${fid(object)}${placeText(from)} to${placeText(to)}${more.join('')}`];
  }
  const lines: string[] = [];
  const [here, gone, came] = sees(from.directory)
    ? [from, object, exchanged]
    : [to, over ?? exchanged, object];
  if (gone !== undefined) {
    lines.push(`${gone.kind === 'file' ? 'unlink' : 'rmdir'} ${fid(gone)}${placeText(here)}`);
  }
  if (came !== undefined) lines.push(`link ${fid(came)}${placeText(here)}`);
  return lines;
}

function fid({ ino }: { readonly ino: number }): string {
  return formatFid(ino as Fid);
}

function placeText({ directory, name }: Place): string {
  return ` ${fid(directory)}/${name}`;
}

/** A line of a watch in the words of {@link linesFor}. */
export function summary(line: Readonly<Record<string, unknown>>): string {
  const { op, fid: object, parent, name, newParent, newName, extents, exchanged } = line;
  const over = line.over as { readonly fid: string } | undefined;
  return [
    `${op} ${object}`,
    parent === undefined ? '' : ` ${parent}/${name}`,
    newParent === undefined ? '' : ` to ${newParent}/${newName}`,
    over === undefined ? '' : ` over ${over.fid}`,
    exchanged === undefined ? '' : ` for ${exchanged}`,
    extents === undefined ? '' : ' with extents',
  ].join('');
}
