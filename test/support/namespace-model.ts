/** The namespace of a simulated filesystem, read through its RPCs, and the records of a feed. */
import { Buffer } from 'node:buffer';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import type { FileName } from '../../src/base/name.js';
import { type ChangeRecord, isChange } from '../../src/feed/record.js';
import { decodeRecord } from '../../src/feed/record-codec.js';
import type { Attributes, DirectoryEntry } from '../../src/rpc/messages.js';
import type { ModelNode } from './replayer.js';
import type { Simulated } from './simulated.js';

const TYPE = 0o170000;
const DIRECTORY = 0o040000;
const SYMLINK = 0o120000;

/** Whoever answers RPCs at once. */
type Asking = Pick<Simulated, 'rpc'>;

/** All objects that have a name, by FID. */
export function namespaceOf(sim: Asking): Map<Fid, ModelNode> {
  const nodes = new Map<Fid, ModelNode>();
  const visit = (fid: Fid): void => {
    if (nodes.has(fid)) return;
    const node = nodeOf(sim, fid);
    nodes.set(fid, node);
    if ((node.attrs.mode & TYPE) !== DIRECTORY) return;
    for (const entry of listing(sim, fid)) {
      if (node.entries.has(entry.name)) throw new Error(`listed twice: ${entry.name}`);
      node.entries.set(entry.name, entry.fid);
      visit(entry.fid);
    }
  };
  visit(ROOT_FID);
  return nodes;
}

export function listing(sim: Asking, fid: Fid): DirectoryEntry[] {
  const entries: DirectoryEntry[] = [];
  const each = (entry: DirectoryEntry): boolean => entries.push(entry) > 0;
  sim.rpc('readdir', { fid, cookie: 0, attributes: false, each });
  return entries;
}

export function nodeOf(sim: Asking, fid: Fid): ModelNode {
  const found = sim.rpc('getattr', { fid });
  if (typeof found === 'number') throw new Error(`getattr of ${fid}: errno ${found}`);
  const { mode, uid, gid, size, nlink, rdev, atime, mtime, ctime }: Attributes = found;
  const xattrs = new Map<string, string>();
  for (const name of sim.rpc('listxattr', { fid }) as readonly string[]) {
    const value = sim.rpc('getxattr', { fid, name: name as FileName }) as Uint8Array;
    xattrs.set(name, Buffer.from(value).toString('hex'));
  }
  const target = (mode & TYPE) === SYMLINK ? (sim.rpc('readlink', { fid }) as string) : '';
  const attrs = { mode, uid, gid, size, nlink, rdev, atime, mtime, ctime };
  return { attrs, target, xattrs, entries: new Map() };
}

/** Every record that the feed owes, by FIFO reads; each must be of a change. */
export function owedRecords(sim: Asking, id: number): ChangeRecord[] {
  const records: ChangeRecord[] = [];
  const into = new Uint8Array(256 * 1024);
  let cursor = 0;
  for (;;) {
    const chunk = sim.rpc('feedNext', { id, view: 'stream', epoch: 0, cursor, into });
    if (typeof chunk === 'number' || chunk === undefined) return records;
    if (chunk.gone || chunk.damaged) throw new Error('the feed is gone or damaged');
    cursor = chunk.cursor;
    for (let at = 0; at < chunk.length; ) {
      const { record, size } = decodeRecord(into.subarray(0, chunk.length), at);
      if (!isChange(record)) throw new Error(`record ${record.index} is no change`);
      records.push(structuredClone(record));
      at += size;
    }
  }
}
