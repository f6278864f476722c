/** Rows that are taken out or stored anew, and the attributes that other tables tell. */
import { Errno, FsError } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { fidKey, type TableName } from '../../store/keys.js';
import type { Tables } from '../../store/store.js';
import { decodeInode, encodeInode, type Inode } from '../inode.js';
import type { FsckFinding } from './findings.js';
import type { InodeFix } from './mend.js';
import type { RepairFolder } from './repair-folder.js';

/** Inside a write transaction only: so are all of these. */
export function removeRow(
  tables: Tables,
  { table, key }: { readonly table: TableName; readonly key: Buffer },
  finding: FsckFinding,
  kept: RepairFolder,
): void {
  const raw = tables[table].getRaw(key);
  if (raw === undefined) return;
  kept.row(table, key, raw, finding);
  tables[table].remove(key);
}

export function putRow(
  tables: Tables,
  mend: { readonly table: TableName; readonly key: Buffer; readonly value: Buffer },
  finding: FsckFinding,
  kept: RepairFolder,
): void {
  const { table, key, value } = mend;
  const raw = tables[table].getRaw(key);
  if (raw !== undefined) kept.row(table, key, raw, finding);
  tables[table].put(key, value);
}

/** FsError(EIO) if the inode cannot be read. */
export function fixInode(tables: Tables, fid: Fid, set: InodeFix): void {
  const bytes = tables.inode.get(fidKey(fid));
  if (bytes === undefined) throw new FsError(Errno.EIO, `no inode ${fid}`);
  const inode: Inode = decodeInode(fid, Buffer.from(bytes));
  Object.assign(inode, set);
  tables.inode.put(fidKey(fid), encodeInode(inode));
}
