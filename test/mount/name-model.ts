/** The names that the records of a feed say there are, to be compared with those of a mount. */
import * as fs from 'node:fs';
import { parseFid, ROOT_FID } from '../../src/base/fid.js';
import { bytesOf, type Line } from '../support/feed-line.js';

const MAKING = new Set(['create', 'mkdir', 'mknod', 'symlink', 'link']);

export class NameModel {
  /** Inode number of a directory to its names, each with its inode number. */
  readonly #names = new Map<number, Map<string, number>>([[ROOT_FID, new Map()]]);
  #index: bigint | undefined;

  /** Throws if the record contradicts the ones before it. */
  apply(line: Line): void {
    const index = BigInt(line.index);
    if (this.#index !== undefined && index !== this.#index + 1n) {
      throw new Error(`record ${index} after ${this.#index}`);
    }
    this.#index = index;
    const { op } = line;
    if (MAKING.has(op)) this.#add(line.parent, line.name, line.fid);
    else if (op === 'unlink' || op === 'rmdir') this.#remove(line.parent, line.name, line.fid);
    else if (op === 'rename') {
      this.#remove(line.parent, line.name, line.fid);
      if (line.over !== undefined) this.#remove(line.newParent, line.newName, line.over.fid);
      this.#add(line.newParent, line.newName, line.fid);
    }
  }

  /** How the mount differs, one line per name. */
  differences(mnt: string): string[] {
    const found: string[] = [];
    const visit = (path: string, ino: number): void => {
      const wanted = new Map(this.#names.get(ino));
      for (const entry of fs.readdirSync(path, 'latin1')) {
        const below = `${path}/${entry}`;
        const actual = fs.lstatSync(below);
        if (wanted.get(entry) !== actual.ino) {
          found.push(`${below}: ${actual.ino}, but the feed says ${wanted.get(entry)}`);
        }
        wanted.delete(entry);
        if (actual.isDirectory()) visit(below, actual.ino);
      }
      for (const name of wanted.keys()) found.push(`${path}/${name}: on the feed only`);
    };
    visit(mnt, ROOT_FID);
    return found;
  }

  #of(parent: string): Map<string, number> {
    const ino = inodeOf(parent);
    const names = this.#names.get(ino) ?? new Map<string, number>();
    this.#names.set(ino, names);
    return names;
  }

  #add(parent: string, name: Line['name'], fid: string): void {
    const names = this.#of(parent);
    const key = bytesOf(name).toString('latin1');
    if (names.has(key)) throw new Error(`record ${this.#index}: ${key} is there already`);
    names.set(key, inodeOf(fid));
  }

  #remove(parent: string, name: Line['name'], fid: string): void {
    const key = bytesOf(name).toString('latin1');
    if (this.#of(parent).get(key) !== inodeOf(fid)) {
      throw new Error(`record ${this.#index}: ${key} is not ${fid}`);
    }
    this.#of(parent).delete(key);
  }
}

function inodeOf(fid: string): number {
  const parsed = parseFid(fid);
  if (parsed === undefined) throw new Error(`${fid} is no FID`);
  return parsed;
}
