/** What lstat(2) says of two objects. */
import type { BigIntStats } from 'node:fs';
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} from '../../base/mode.js';
import type { Property, Value } from './finding.js';

const TYPES: ReadonlyMap<number, string> = new Map([
  [S_IFREG, 'file'],
  [S_IFDIR, 'directory'],
  [S_IFLNK, 'symlink'],
  [S_IFIFO, 'fifo'],
  [S_IFSOCK, 'socket'],
  [S_IFCHR, 'character device'],
  [S_IFBLK, 'block device'],
]);

export function typeName({ mode }: BigIntStats): string {
  const type = Number(mode) & S_IFMT;
  return TYPES.get(type) ?? `type 0${type.toString(8)}`;
}

export interface AttributeDifference {
  readonly property: Property;
  readonly a: Value;
  readonly b: Value;
}

const PERMISSIONS = 0o7777n;

/** The differences of two objects; of another type, that alone. */
export function attributeDifferences(a: BigIntStats, b: BigIntStats): AttributeDifference[] {
  const differences: AttributeDifference[] = [];
  const compare = (property: Property, ofA: Value, ofB: Value): void => {
    if (ofA !== ofB) differences.push({ property, a: ofA, b: ofB });
  };
  compare('type', typeName(a), typeName(b));
  if (differences.length > 0) return differences;
  // The mode of a symlink means nothing, and nobody can set it.
  if (!a.isSymbolicLink()) compare('mode', a.mode & PERMISSIONS, b.mode & PERMISSIONS);
  compare('uid', a.uid, b.uid);
  compare('gid', a.gid, b.gid);
  // That of a directory is the filesystem's own affair, that of a symlink the length of its target.
  if (a.isFile()) compare('size', a.size, b.size);
  compare('mtime', a.mtimeNs, b.mtimeNs);
  if (a.isBlockDevice() || a.isCharacterDevice()) compare('rdev', a.rdev, b.rdev);
  return differences;
}
