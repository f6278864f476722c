/** Where the pages of a table are in LMDB's file, for tests that damage them. */
import * as fs from 'node:fs';
import { must } from '../../src/base/assert.js';
import { readEnvironmentFile } from '../../src/store/environment-file.js';
import type { TableName } from '../../src/store/keys.js';
import { pathsOf } from '../../src/store/store-directory.js';

const HEAD_BYTES = 24;
const BRANCH = 1;

export interface TreePages {
  readonly root: number;
  readonly leaves: readonly number[];
  /** Of the list of tables. */
  readonly tables: number;
  readonly pageBytes: number;
}

/** Page numbers of a table's tree, as the newest snapshot has it. The list of tables must be one page. */
export function pagesOf(store: string, table: TableName): TreePages {
  const { data } = pathsOf(store);
  const bytes = fs.readFileSync(data);
  const { snapshots, pageBytes } = must(readEnvironmentFile(data), 'environment');
  const tables = Number(must(snapshots[0], 'snapshot').tables.readBigUInt64LE(40));
  const nodesOf = (page: number): number[] => {
    const at = page * pageBytes;
    const count = bytes.readUInt16LE(at + 20) / 2;
    return Array.from(
      { length: count },
      (_, i) => at + HEAD_BYTES + bytes.readUInt16LE(at + HEAD_BYTES + 2 * i),
    );
  };
  const leavesBelow = (page: number): number[] =>
    bytes.readUInt16LE(page * pageBytes + 18) === BRANCH
      ? nodesOf(page).flatMap((node) => leavesBelow(bytes.readUInt32LE(node)))
      : [page];
  for (const node of nodesOf(tables)) {
    const keyEnd = node + 8 + bytes.readUInt16LE(node + 6);
    if (bytes.toString('latin1', node + 8, keyEnd).replace('\0', '') !== table) continue;
    const root = Number(bytes.readBigUInt64LE(keyEnd + 40));
    return { root, leaves: leavesBelow(root), tables, pageBytes };
  }
  throw new Error(`no table ${table}`);
}

/** Overwrites a page with what `byte` gives. */
export function overwritePage(
  store: string,
  { page, pageBytes }: { readonly page: number; readonly pageBytes: number },
  byte: () => number,
): void {
  const { data } = pathsOf(store);
  const noise = Buffer.from(Array.from({ length: pageBytes }, byte));
  const fd = fs.openSync(data, 'r+');
  fs.writeSync(fd, noise, 0, pageBytes, page * pageBytes);
  fs.closeSync(fd);
}
