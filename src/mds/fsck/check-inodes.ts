/** Table `inode`: every inode by itself. Makes the index that the other checks use. */
import { type Fid, isControlFid, ROOT_FID } from '../../base/fid.js';
import { isDirectory, isRegular, isSymlink, S_IFMT } from '../../base/mode.js';
import { FILE_BYTES_MAX } from '../../rpc/limits.js';
import type { Inspection } from '../../store/inspection.js';
import { fidKey, fidOfKey } from '../../store/keys.js';
import { formatOfInode, inodeOfFormat1 } from '../../store/upgrade.js';
import { decodeInode, type Inode } from '../inode.js';
import { DIRECTORY_LINK_MAX, LINK_MAX } from '../limits.js';
import type { Meta } from './check-meta.js';
import { isExactKey } from './exact-key.js';
import { type Findings, showFid } from './findings.js';
import { InodeFlag, InodeIndex } from './inode-index.js';
import type { Mend } from './mend.js';

/** S_IFMT types: FIFO, character, directory, block, regular, symlink, socket. */
const TYPES = new Set([1, 2, 4, 6, 8, 10, 12]);
const NSEC_MAX = 999_999_999;

export function checkInodes(store: Inspection, meta: Meta, findings: Findings): InodeIndex {
  const index = new InodeIndex(meta.inodeCount ?? 0);
  index.format = meta.format;
  for (const { key, value } of store.entries('inode')) {
    findings.saw('inodes');
    if (!isExactKey(key, 8, 0)) {
      findings.add('damaged-key', `inode ${key.toString('hex')}`, 'not a FID', {
        do: 'remove',
        table: 'inode',
        key,
      });
      continue;
    }
    const fid = fidOfKey(key);
    const inode = decode(fid, value, index);
    index.add(fid, inode);
    if (inode === undefined) {
      const mend: Mend = { do: 'remove', table: 'inode', key };
      findings.add('damaged-value', whereOf(fid), 'its checksum or layout is wrong', mend);
      continue;
    }
    for (const problem of problemsOf(inode)) findings.add('bad-inode', whereOf(fid), problem);
    checkTarget(inode, findings);
    if (isControlFid(inode.fid) || fid === 0)
      findings.add('bad-fid', whereOf(fid), 'is not that of a file');
    else if (fid !== ROOT_FID && meta.fidLimit !== undefined && fid >= meta.fidLimit) {
      findings.add(
        'bad-fid',
        whereOf(fid),
        `is not below ${showFid(meta.fidLimit)}, the next to be used`,
        { do: 'counter', name: 'fid.reserved' },
      );
    }
  }
  checkRoot(index, meta, findings);
  return index;
}

function whereOf(fid: number): string {
  return `inode ${showFid(fid)}`;
}

function decode(fid: number, value: Buffer | undefined, index: InodeIndex): Inode | undefined {
  if (value === undefined) return undefined;
  index.format ??= formatOfInode(value);
  try {
    return decodeInode(fid as Fid, index.format === 1 ? inodeOfFormat1(value) : value);
  } catch {
    return undefined;
  }
}

function checkRoot(index: InodeIndex, meta: Meta, findings: Findings): void {
  const { count } = index;
  const root = index.find(ROOT_FID);
  // A store that was made and never mounted has nothing.
  if (count === 0 && meta.inodeCount === undefined) return;
  if (root === undefined) {
    findings.add('missing-root', showFid(ROOT_FID), 'there is no root', { do: 'root' });
  } else if (!index.has(root, InodeFlag.DAMAGED) && !isDirectory(index.columns.mode[root] ?? 0)) {
    // Without it there is none, and one is made.
    const key = Buffer.from(fidKey(ROOT_FID));
    const mend: Mend = { do: 'remove', table: 'inode', key };
    findings.add('missing-root', showFid(ROOT_FID), 'the root is not a directory', mend);
  }
  if (meta.inodeCount !== undefined && meta.inodeCount !== count) {
    const message = `says ${meta.inodeCount} inodes, there are ${count}`;
    findings.add('inode-count', 'meta stats', message, { do: 'counter', name: 'stats' });
  }
}

function checkTarget({ fid, mode, size, target }: Inode, findings: Findings): void {
  if (!isSymlink(mode) || target.length === size) return;
  const message = `size ${size}, but a target of ${target.length} bytes`;
  const mend: Mend = { do: 'inode', fid, set: { size: target.length } };
  findings.add('bad-inode', whereOf(fid), message, mend);
}

function problemsOf(inode: Inode): string[] {
  const problems: string[] = [];
  const type = (inode.mode & S_IFMT) >>> 12;
  if (!TYPES.has(type) || inode.mode > 0o177777) problems.push(`mode 0${inode.mode.toString(8)}`);
  const linkMax = isDirectory(inode.mode) ? DIRECTORY_LINK_MAX : LINK_MAX;
  if (inode.nlink > linkMax) problems.push(`${inode.nlink} names`);
  if (inode.size > FILE_BYTES_MAX) problems.push(`size ${inode.size}`);
  const times = [inode.atime, inode.mtime, inode.ctime, inode.btime];
  if (times.some(({ nsec }) => nsec > NSEC_MAX)) problems.push('a time beyond its second');
  if (!isRegular(inode.mode) && inode.layout !== 'empty') problems.push('contents of its own');
  if (inode.layout === 'object' && inode.generation === 0)
    problems.push('an object of no generation');
  return problems;
}
