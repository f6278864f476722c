/** The lines of diff. */
import { formatFid } from '../base/fid.js';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK } from '../base/mode.js';
import type { Change } from '../bridges/diff/change.js';
import { formatName } from './format.js';
import { jsonName, nameOf } from './verify-lines.js';

const SIGNS: Readonly<Record<Change['change'], string>> = {
  added: '+',
  removed: '-',
  modified: 'M',
  renamed: 'R',
};

interface TypeText {
  /** As `zfs diff -F` and `ls -F` have them. */
  readonly letter: string;
  readonly word: string;
}

const TYPES: ReadonlyMap<number, TypeText> = new Map([
  [S_IFREG, { letter: 'F', word: 'file' }],
  [S_IFDIR, { letter: '/', word: 'directory' }],
  [S_IFLNK, { letter: '@', word: 'symlink' }],
  [S_IFIFO, { letter: '|', word: 'fifo' }],
  [S_IFSOCK, { letter: '=', word: 'socket' }],
  [S_IFCHR, { letter: 'C', word: 'character device' }],
  [S_IFBLK, { letter: 'B', word: 'block device' }],
]);

const UNKNOWN: TypeText = { letter: '?', word: 'unknown' };

function typeOf({ type }: Change): TypeText {
  return TYPES.get(type) ?? UNKNOWN;
}

/** `R F old -> new`: the letter of the type if asked for; harmless to a terminal. */
export function formatChange(change: Change, types: boolean): string {
  const to = change.change === 'renamed' ? ` -> ${formatPath(change.to)}` : '';
  return `${start(change, types)}${formatPath(change.path)}${to}\n`;
}

function formatPath(path: string): string {
  return formatName(nameOf(path));
}

/** As {@link formatChange}, but paths as they are, each with a NUL behind it: `R old`, `new`. */
export function changeBytes(change: Change, types: boolean): Uint8Array {
  const to = change.change === 'renamed' ? `${change.to}\0` : '';
  return Buffer.from(`${start(change, types)}${change.path}\0${to}`, 'latin1');
}

function start(change: Change, types: boolean): string {
  return `${SIGNS[change.change]} ${types ? `${typeOf(change).letter} ` : ''}`;
}

export function changeToJson(change: Change): Record<string, unknown> {
  return {
    change: change.change,
    path: jsonName(change.path),
    ...(change.change === 'renamed' ? { to: jsonName(change.to) } : {}),
    type: typeOf(change).word,
    fid: formatFid(change.fid),
    ...('parts' in change ? { parts: change.parts } : {}),
    ...('linked' in change ? { linked: change.linked } : {}),
  };
}
