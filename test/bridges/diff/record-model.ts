/** The names that there are after some of a feed's records, and what was changed by when. */
import { must } from '../../../src/base/assert.js';
import { parseFid, ROOT_FID } from '../../../src/base/fid.js';
import type { FeedRecord } from '../../../src/consumer/types.js';
import type { Seen } from './expected.js';

export class RecordModel {
  readonly #entries = new Map<number, Map<string, number>>([[ROOT_FID, new Map()]]);
  readonly #versions = new Map<number, number>();

  apply(record: FeedRecord): void {
    const { op, index } = record;
    switch (op) {
      case 'create':
      case 'mkdir':
      case 'mknod':
      case 'symlink':
      case 'link':
        return this.#set(record.parent, record.name, record.fid, index);
      case 'unlink':
      case 'rmdir':
        return this.#set(record.parent, record.name, undefined, index);
      case 'rename':
        this.#set(record.parent, record.name, record.exchanged, index);
        return this.#set(record.newParent, record.newName, record.fid, index);
      case 'setattr':
      case 'setxattr':
      case 'removexattr':
      case 'write':
        this.#versions.set(ino(record.fid), index);
        return;
      default:
        throw new Error(`a record of ${op}`);
    }
  }

  /** Path to object. */
  tree(): Map<string, Seen> {
    const seen = new Map<string, Seen>();
    const visit = (fid: number, path: string): void => {
      seen.set(path, { fid, version: this.#versions.get(fid) ?? 0 });
      for (const [name, below] of this.#entries.get(fid) ?? []) {
        visit(below, path === '.' ? name : `${path}/${name}`);
      }
    };
    visit(ROOT_FID, '.');
    return seen;
  }

  #set(parent: string, name: unknown, fid: string | undefined, index: number): void {
    const directory = ino(parent);
    const entries = this.#entries.get(directory) ?? new Map<string, number>();
    this.#entries.set(directory, entries);
    this.#versions.set(directory, index);
    if (fid === undefined) entries.delete(`${name}`);
    else entries.set(`${name}`, ino(fid));
  }
}

function ino(fid: string): number {
  return must(parseFid(fid), fid);
}
