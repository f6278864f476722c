/** Whether a copy in memory is its source. */
import { S_IFCHR, S_IFMT } from '../../../../src/base/mode.js';
import type { ModelInode } from './model-disk.js';
import type { SourceModel, SourceObject } from './source-model.js';

export interface Disk {
  readonly root: ModelInode;
  readonly limbo: Pick<ModelInode, 'entries'>;
}

/** One line per difference. `isRoot`: there are device nodes. */
export function differences(source: SourceModel, disk: Disk, isRoot = true): string[] {
  const found: string[] = [];
  const copies = new Map<SourceObject, ModelInode>();
  const visit = (path: string, object: SourceObject, inode: ModelInode): void => {
    const copy = copies.get(object);
    if (copy !== undefined && copy !== inode) found.push(`${path}: not the same file`);
    if (copy !== undefined) return;
    copies.set(object, inode);
    const [a, b] = [ofSource(object), ofCopy(inode)];
    for (const key of Object.keys(a)) {
      if (a[key] !== b[key]) found.push(`${path}: ${key} ${a[key]}, in the copy ${b[key]}`);
    }
    const entries = [...object.entries].filter(
      ([, child]) => isRoot || (child.mode & S_IFMT) !== S_IFCHR,
    );
    for (const [name, child] of entries) {
      const below = inode.entries.get(name);
      if (below === undefined) found.push(`${path}/${name}: missing`);
      else visit(`${path}/${name}`, child, below);
    }
    const names = new Set(entries.map(([name]) => name));
    for (const name of inode.entries.keys()) {
      if (!names.has(name)) found.push(`${path}/${name}: too much`);
    }
  };
  visit('', source.root, disk.root);
  for (const name of disk.limbo.entries.keys()) found.push(`limbo/${name}: too much`);
  return found;
}

function ofSource(object: SourceObject): Record<string, unknown> {
  const { mode, uid, gid, rdev, atime, mtime, target, contents, xattrs } = object;
  const values = [...xattrs].map(([name, value]) => [name, Buffer.from(value).toString('hex')]);
  const names = (mode & S_IFMT) === 0o040000 ? undefined : object.names.length;
  return {
    mode: (mode & S_IFMT) | (mode & 0o7777),
    uid,
    gid,
    rdev,
    atime: JSON.stringify(atime),
    mtime: JSON.stringify(mtime),
    target,
    contents: contents.toString('hex'),
    xattrs: JSON.stringify(values.sort()),
    names,
  };
}

function ofCopy(inode: ModelInode): Record<string, unknown> {
  const { type, mode, uid, gid, rdev, atime, mtime, target, contents, xattrs, links } = inode;
  return {
    mode: type | mode,
    uid,
    gid,
    rdev,
    atime: JSON.stringify(atime),
    mtime: JSON.stringify(mtime),
    target,
    contents: contents.toString('hex'),
    xattrs: JSON.stringify([...xattrs].sort()),
    names: type === 0o040000 ? undefined : links,
  };
}
