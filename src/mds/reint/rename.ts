import { Errno, FsError } from '../../base/errno.js';
import { type Fid, ROOT_FID } from '../../base/fid.js';
import { isDirectory, S_IFCHR } from '../../base/mode.js';
import type { Dirent } from '../dirent-table.js';
import type { Inode } from '../inode.js';
import { DIRECTORY_LINK_MAX } from '../limits.js';
import type { Place } from '../link-table.js';
import { checkName, direntType, recordAttrs } from '../namespace.js';
import type { Transaction } from '../transaction.js';
import { inheritPermissions } from './acls.js';
import { attach, giveXattrs, newInode } from './create.js';
import type { Xattr } from './record-xattr.js';
import { loseName } from './unlink.js';

/** renameat2(2). */
export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;
export const RENAME_WHITEOUT = 4;

/** All that can be asked for: an exchange leaves no name free, for another object or a whiteout. */
const ALLOWED_FLAGS = [
  0,
  RENAME_NOREPLACE,
  RENAME_EXCHANGE,
  RENAME_WHITEOUT,
  RENAME_NOREPLACE | RENAME_WHITEOUT,
];

interface Entry {
  readonly directory: Inode;
  readonly name: string;
}

/**
 * FsError(ENOENT, EEXIST, EINVAL, ENOTDIR, EISDIR, ENOTEMPTY, EMLINK). The object
 * that moved.
 */
export function rename(
  txn: Transaction,
  from: { readonly parent: Fid; readonly name: string },
  to: { readonly parent: Fid; readonly name: string },
  flags: number,
): Inode {
  const { namespace } = txn;
  if (!ALLOWED_FLAGS.includes(flags)) throw new FsError(Errno.EINVAL, 'unknown rename flags');
  checkName(to.name);
  const source: Entry = { directory: namespace.directory(from.parent), name: from.name };
  const target: Entry = { directory: namespace.liveDirectory(to.parent), name: to.name };
  const dirent = namespace.entry(from.parent, from.name);
  const moved = namespace.inode(dirent.fid as Fid);
  const existing = namespace.dirents.lookup(to.parent, to.name);
  // With a whiteout it is that of which a receipt tells.
  if ((flags & RENAME_WHITEOUT) === 0) txn.checkNamed(moved.fid);
  checkVerbatim(txn, moved, existing, flags);
  if (existing !== undefined && (flags & RENAME_NOREPLACE) !== 0) {
    throw new FsError(Errno.EEXIST, 'the name is taken');
  }
  if (flags === RENAME_EXCHANGE) {
    if (existing === undefined) throw new FsError(Errno.ENOENT, 'nothing to exchange with');
    return swap(txn, source, target, dirent, existing);
  }
  if (existing !== undefined && existing.fid === moved.fid) return moved;
  if (isDirectory(moved.mode)) checkNoLoop(txn, moved, target.directory);
  const victim = existing === undefined ? undefined : namespace.inode(existing.fid as Fid);
  if (victim !== undefined) checkReplaceable(moved, victim);
  const entersDirectory = isDirectory(moved.mode) && from.parent !== to.parent;
  if (entersDirectory && victim === undefined && target.directory.nlink >= DIRECTORY_LINK_MAX) {
    throw new FsError(Errno.EMLINK, 'too many subdirectories');
  }
  if ((flags & RENAME_WHITEOUT) === 0) {
    move(txn, source, target, dirent, existing, moved, victim);
    return moved;
  }
  const whiteout = newInode(txn, source.directory, S_IFCHR);
  const xattrs = inheritPermissions(namespace, source.directory, whiteout, 0);
  move(txn, source, target, dirent, existing, moved, victim);
  leaveWhiteout(txn, source, whiteout, xattrs);
  txn.made = whiteout.fid;
  return moved;
}

/** Of a copied change: it moves what it moved there, over what it replaced there. FsError(ESTALE, ENOENT, EEXIST, EINVAL). */
function checkVerbatim(
  txn: Transaction,
  moved: Inode,
  existing: Dirent | undefined,
  flags: number,
): void {
  if (txn.verbatim === undefined) return;
  const { other } = txn.verbatim;
  txn.checkNamed(moved.fid);
  if ((flags & ~RENAME_EXCHANGE) !== 0) throw new FsError(Errno.EINVAL, 'a record has no flags');
  if (other === undefined && existing !== undefined) {
    throw new FsError(Errno.EEXIST, `the new name is that of ${existing.fid}`);
  }
  if (other !== undefined && existing === undefined) {
    throw new FsError(Errno.ENOENT, `the new name is not that of ${other}`);
  }
  if (existing !== undefined && existing.fid !== other) {
    throw new FsError(Errno.ESTALE, `the new name is that of ${existing.fid}, not of ${other}`);
  }
}

function move(
  txn: Transaction,
  source: Entry,
  target: Entry,
  dirent: Dirent,
  existing: Dirent | undefined,
  moved: Inode,
  victim: Inode | undefined,
): void {
  const { dirents, links } = txn.namespace;
  const type = direntType(moved.mode);
  if (existing !== undefined) dirents.replace(target.directory.fid, existing, moved.fid, type);
  const slot = existing?.slot ?? dirents.add(target.directory.fid, target.name, moved.fid, type);
  const from: Place = { directory: source.directory.fid, slot: dirent.slot };
  const to: Place = { directory: target.directory.fid, slot };
  // Looked up anew: adding to the same bucket may have changed it.
  const left =
    source.directory.fid === target.directory.fid
      ? dirents.lookup(source.directory.fid, source.name)
      : dirent;
  dirents.remove(source.directory.fid, left ?? dirent);
  links.moved(moved, from, to);
  if (isDirectory(moved.mode)) {
    source.directory.nlink--;
    target.directory.nlink++;
  }
  if (victim !== undefined && isDirectory(victim.mode)) target.directory.nlink--;
  txn.entryChanged(source.directory, -1);
  txn.entryChanged(target.directory, existing === undefined ? 1 : 0);
  txn.changed(moved);
  if (victim !== undefined) loseName(txn, victim, to);
  txn.record(moved.fid, () => ({
    op: 'rename',
    parent: source.directory.fid,
    name: source.name,
    newParent: target.directory.fid,
    newName: target.name,
    attrs: { ctime: moved.ctime },
    ...(victim === undefined
      ? {}
      : {
          over: { fid: victim.fid, attrs: recordAttrs(victim), last: victim.nlink === 0 },
        }),
  }));
}

/**
 * A whiteout, which says to an overlay that the name is gone: a character device 0:0 of
 * mode 0, where the name was. It takes the place that the name has just left, so it
 * always finds one.
 */
function leaveWhiteout(
  txn: Transaction,
  { directory, name }: Entry,
  whiteout: Inode,
  xattrs: readonly Xattr[],
): void {
  attach(txn, directory, name, whiteout);
  txn.record(whiteout.fid, () => ({
    op: 'mknod',
    parent: directory.fid,
    name,
    attrs: recordAttrs(whiteout),
  }));
  giveXattrs(txn, whiteout, xattrs);
}

/** FsError(EMLINK) if `enters` would be a subdirectory too many where `leaves` goes away. */
function checkRoom(directory: Inode, enters: Inode, from: Inode, leaves: Inode): void {
  const more = isDirectory(enters.mode) && !isDirectory(leaves.mode);
  if (more && directory.fid !== from.fid && directory.nlink >= DIRECTORY_LINK_MAX) {
    throw new FsError(Errno.EMLINK, 'too many subdirectories');
  }
}

function swap(txn: Transaction, source: Entry, target: Entry, a: Dirent, b: Dirent): Inode {
  const { namespace } = txn;
  const moved = namespace.inode(a.fid as Fid);
  const other = namespace.inode(b.fid as Fid);
  if (moved.fid === other.fid) return moved;
  if (isDirectory(moved.mode)) checkNoLoop(txn, moved, target.directory);
  if (isDirectory(other.mode)) checkNoLoop(txn, other, source.directory);
  checkRoom(source.directory, other, target.directory, moved);
  checkRoom(target.directory, moved, source.directory, other);
  namespace.dirents.replace(source.directory.fid, a, other.fid, direntType(other.mode));
  namespace.dirents.replace(target.directory.fid, b, moved.fid, direntType(moved.mode));
  const from: Place = { directory: source.directory.fid, slot: a.slot };
  const to: Place = { directory: target.directory.fid, slot: b.slot };
  namespace.links.moved(moved, from, to);
  namespace.links.moved(other, to, from);
  recount(moved, source.directory, target.directory);
  recount(other, target.directory, source.directory);
  txn.entryChanged(source.directory, 0);
  txn.entryChanged(target.directory, 0);
  txn.changed(moved);
  txn.changed(other);
  txn.record(moved.fid, () => ({
    op: 'rename',
    parent: source.directory.fid,
    name: source.name,
    newParent: target.directory.fid,
    newName: target.name,
    attrs: { ctime: moved.ctime },
    exchanged: other.fid,
  }));
  return moved;
}

/** A directory that moves counts in another. */
function recount(inode: Inode, from: Inode, to: Inode): void {
  if (!isDirectory(inode.mode)) return;
  from.nlink--;
  to.nlink++;
}

/** A directory must not move below itself. By number: what a walk reads may push others out of memory. */
function checkNoLoop(txn: Transaction, moved: Inode, into: Inode): void {
  let directory: Inode = into;
  while (directory.fid !== ROOT_FID) {
    if (directory.fid === moved.fid)
      throw new FsError(Errno.EINVAL, 'a directory cannot contain itself');
    directory = txn.namespace.inode(directory.parent as Fid);
  }
}

function checkReplaceable(moved: Inode, victim: Inode): void {
  if (isDirectory(moved.mode)) {
    if (!isDirectory(victim.mode)) throw new FsError(Errno.ENOTDIR, 'target is no directory');
    if (victim.entries > 0) throw new FsError(Errno.ENOTEMPTY, 'target has entries');
  } else if (isDirectory(victim.mode)) {
    throw new FsError(Errno.EISDIR, 'target is a directory');
  }
}
