/**
 * Table `object` and the object files: each file of an inode is there, and each file
 * that is there belongs to an inode or to announced work. Their lengths say nothing: the
 * file of an object may be shorter than its inode's size, for what truncate(2) added is a
 * hole behind it, and longer, for what nobody recorded is cut off when it grows.
 */
import { type Fid, formatFid } from '../../base/fid.js';
import type { Inspection } from '../../store/inspection.js';
import { partsOfObjectKey } from '../../store/keys.js';
import { ObjectWorkKind } from '../object-work.js';
import { isExactKey } from './exact-key.js';
import { type Findings, showFid } from './findings.js';
import { InodeFlag, type InodeIndex } from './inode-index.js';
import type { Mend } from './mend.js';

/** `FID number in hex.generation`, in a folder of two hex digits (objects/object-store.ts). */
const FILE_NAME = /^([0-9a-f]{1,14})\.(\d{1,10})$/;
const FOLDERS = 256;

export function checkObjects(store: Inspection, index: InodeIndex, findings: Findings): void {
  const announced = checkWork(store, findings);
  for (const { fid, generation } of store.madeObjects()) {
    findings.saw('pending object work');
    announced.add(`${fid}.${generation}`);
  }
  for (const { folder, name } of store.objectFiles()) {
    findings.saw('object files');
    const where = `objects/${folder}/${name}`;
    const mend: Mend = { do: 'file', folder, name };
    const match = FILE_NAME.exec(name);
    const fid = Number.parseInt(match?.[1] ?? '', 16);
    const place = (fid % FOLDERS).toString(16).padStart(2, '0');
    if (match === null || folder !== place) {
      findings.add('garbage-object', where, 'not the name and folder of an object file', mend);
    } else if (!belongs(index, fid, Number(match[2])) && !announced.has(`${fid}.${match[2]}`)) {
      findings.add('garbage-object', where, `no file uses it; ${showFid(fid)} was its file`, mend);
    }
  }
  checkPresent(index, findings);
}

/** True if the object is its inode's; notes that it is there. */
function belongs(index: InodeIndex, fid: number, generation: number): boolean {
  const at = index.find(fid);
  if (at === undefined) return false;
  // A damaged inode may own anything of its FID.
  if (index.has(at, InodeFlag.DAMAGED)) return true;
  if (!index.has(at, InodeFlag.OBJECT) || index.columns.generation[at] !== generation) return false;
  index.mark(at, InodeFlag.CONTENTS);
  return true;
}

/** Objects with work pending: their files may be there or not. */
function checkWork(store: Inspection, findings: Findings): Set<string> {
  const announced = new Set<string>();
  const kinds = Object.values(ObjectWorkKind) as number[];
  for (const { key, value } of store.entries('object')) {
    findings.saw('pending object work');
    const removal: Mend = { do: 'remove', table: 'object', key };
    if (!isExactKey(key, 13, 0)) {
      const what = `object work ${key.toString('hex')}`;
      findings.add('damaged-key', what, 'not an object and a kind', removal);
      continue;
    }
    const { fid, generation, kind } = partsOfObjectKey(key);
    const where = `object work ${showFid(fid)} generation ${generation}`;
    announced.add(`${fid}.${generation}`);
    if (!kinds.includes(kind)) {
      findings.add('bad-value', where, `has the unknown kind ${kind}`, removal);
      continue;
    }
    const wanted = kind === ObjectWorkKind.TRUNCATE ? 8 : 0;
    if (value === undefined) {
      // The other kinds say nothing but their key.
      const empty: Mend = { do: 'put', table: 'object', key, value: Buffer.alloc(0) };
      const mend = wanted === 0 ? empty : removal;
      findings.add('damaged-value', where, 'its checksum is wrong', mend);
    } else if (value.length !== wanted) {
      findings.add('bad-value', where, `${value.length} bytes`, removal);
    }
  }
  return announced;
}

/** Every inode that keeps its contents elsewhere has them there. */
function checkPresent(index: InodeIndex, findings: Findings): void {
  const { fid: fids, generation } = index.columns;
  for (let at = 0; at < index.count; at++) {
    if (index.has(at, InodeFlag.CONTENTS)) continue;
    const fid = fids[at] ?? 0;
    const where = `contents of ${formatFid(fid as Fid)}`;
    if (index.has(at, InodeFlag.INLINE)) {
      findings.add('missing-contents', where, 'are not in table inline');
    } else if (index.has(at, InodeFlag.OBJECT)) {
      findings.add(
        'missing-contents',
        where,
        `have no object file of generation ${generation[at]}`,
      );
    }
  }
}
