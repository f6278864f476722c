/**
 * Applies the text of a feed to an empty directory. Small and independent: it
 * parses the lines itself and imports nothing from src, so that what it builds
 * rests on the documented format alone. It runs as root.
 *
 * The feed must begin on an empty filesystem. Names, types, owners, modes,
 * links and extended attributes are made record by record; contents and times
 * at the end, contents being copied from the source in their last state.
 */
import * as fs from 'node:fs';
import { type Attrs, type Bytes, bytesOf, type Line } from './feed-line.js';
import { CAPABILITY, dropAcls, lremovexattr, lsetxattr, lutimens, mknod } from './libc.js';

/** Where a name is: the directory's FID and the name's bytes as a binary string. */
interface Place {
  readonly parent: string;
  readonly name: string;
}

/** What the records so far say about an object. */
interface Known {
  places: Place[];
  mode: number;
  uid: number;
  gid: number;
  size: number;
  atime: bigint;
  mtime: bigint;
  extents: Array<{ start: number; end: number }>;
  /** Set last: making the contents and setting the owner would take it away. */
  capability?: Buffer | undefined;
}

/** Bytes of a file of the source in its present state; undefined if the file cannot be read any more. */
export type ReadExtent = (fid: string, offset: number, length: number) => Uint8Array | undefined;

const CREATING = new Set(['create', 'mkdir', 'mknod', 'symlink']);
const ROOT = '[0x200000007:0x1:0x0]';
const COPY_BYTES = 1024 * 1024;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;

export class Applier {
  readonly #root: Buffer;
  readonly #objects = new Map<string, Known>();
  /** FID at a place, so that a record about a name is checked against what is there. */
  readonly #names = new Map<string, string>();
  #index = 0n;

  /** `root` is an empty directory; what no record says of the root itself stays as it is. */
  constructor(root: string) {
    this.#root = Buffer.from(root);
    const { mode, uid, gid, atimeNs, mtimeNs } = fs.lstatSync(root, { bigint: true });
    const known = fresh(Number(mode), mtimeNs);
    this.#objects.set(ROOT, { ...known, uid: Number(uid), gid: Number(gid), atime: atimeNs });
  }

  /** Applies one line; an empty one is filler. Throws when it contradicts the ones before it. */
  apply(text: string): void {
    if (text.trim() === '') return;
    const line = JSON.parse(text) as Line;
    const index = BigInt(line.index);
    if (index <= this.#index) throw new Error(`index ${index} after ${this.#index}`);
    this.#index = index;
    try {
      this.#apply(line);
    } catch (cause) {
      throw new Error(`record ${line.index} (${line.op} ${line.fid}): ${cause}`, { cause });
    }
  }

  /** After the last record: copies the contents and sets the times. */
  finish(readExtent?: ReadExtent): void {
    for (const [fid, known] of this.#objects) {
      if (!this.#exists(fid)) continue;
      if ((known.mode & S_IFMT) === S_IFREG && readExtent) this.#copy(fid, known, readExtent);
      this.#setMode(fid);
      const { capability } = known;
      if (capability) lsetxattr(this.#path(fid), Buffer.from(CAPABILITY), capability, 0);
    }
    for (const [fid, { atime, mtime }] of this.#objects) {
      if (this.#exists(fid)) lutimens(this.#path(fid), atime, mtime);
    }
  }

  #apply(line: Line): void {
    const { op } = line;
    if (op === 'link') this.#link(line);
    else if (op === 'unlink' || op === 'rmdir') this.#remove(line);
    else if (op === 'rename' && line.exchanged === undefined) this.#rename(line);
    else if (op === 'rename') this.#exchange(line);
    else if (op === 'setattr') this.#setAttrs(line.fid, line.attrs);
    else if (op === 'setxattr' || op === 'removexattr') this.#setXattr(line);
    else if (op === 'write') this.#write(line);
    else if (CREATING.has(op)) this.#create(line);
    else if (!/^(open|close|denied|getxattr)$/.test(op)) throw new Error('unknown operation');
  }

  #create(line: Line): void {
    const { op, fid, parent } = line;
    if (this.#objects.has(fid)) throw new Error('this FID is taken');
    const path = this.#pathAt(parent, line.name);
    const mode = Number.parseInt(line.attrs.mode ?? '', 8);
    if (op === 'create') fs.writeFileSync(path, '', { flag: 'wx' });
    else if (op === 'mkdir') fs.mkdirSync(path);
    else if (op === 'symlink') fs.symlinkSync(bytesOf(line.target), path);
    else mknod(path, mode, line.attrs.rdev ?? 0);
    // What it inherits at its origin has records of its own.
    if (op !== 'symlink') dropAcls(path);
    this.#objects.set(fid, fresh(mode, BigInt(line.time)));
    this.#addName(fid, parent, line.name);
    this.#setAttrs(fid, line.attrs);
    this.#touch(line);
  }

  #link(line: Line): void {
    fs.linkSync(this.#path(line.fid), this.#pathAt(line.parent, line.name));
    this.#addName(line.fid, line.parent, line.name);
    this.#checkLinks(line.fid, line.attrs);
    this.#touch(line);
  }

  #remove(line: Line): void {
    const path = this.#pathAt(line.parent, line.name);
    if (line.op === 'rmdir') fs.rmdirSync(path);
    else fs.unlinkSync(path);
    this.#removeName(line.fid, line.parent, line.name);
    this.#checkLinks(line.fid, line.attrs, line.last);
    this.#touch(line);
  }

  #rename(line: Line): void {
    const { fid, over } = line;
    const from = this.#pathAt(line.parent, line.name);
    const there = this.#names.get(key(line.newParent, line.newName));
    if (there !== over?.fid) throw new Error(`replaces ${there}, not ${over?.fid}`);
    fs.renameSync(from, this.#pathAt(line.newParent, line.newName));
    if (over) {
      this.#removeName(over.fid, line.newParent, line.newName);
      this.#checkLinks(over.fid, over.attrs, over.last);
    }
    this.#removeName(fid, line.parent, line.name);
    this.#addName(fid, line.newParent, line.newName);
    this.#touch(line);
  }

  /** In three steps by way of a name in the root that no record can use while they last. */
  #exchange(line: Line): void {
    const other = line.exchanged ?? '';
    const from = this.#pathAt(line.parent, line.name);
    const to = this.#pathAt(line.newParent, line.newName);
    const aside = Buffer.concat([this.#root, Buffer.from(`/.exchange-${process.pid}`)]);
    fs.renameSync(from, aside);
    fs.renameSync(to, from);
    fs.renameSync(aside, to);
    this.#removeName(line.fid, line.parent, line.name);
    this.#removeName(other, line.newParent, line.newName);
    this.#addName(line.fid, line.newParent, line.newName);
    this.#addName(other, line.parent, line.name);
    this.#touch(line);
  }

  #setXattr(line: Line): void {
    const name = bytesOf(line.xattr.name);
    if (name.toString() === CAPABILITY) {
      const value = line.op === 'setxattr' ? Buffer.from(line.xattr.value, 'base64') : undefined;
      this.#known(line.fid).capability = value;
    } else if (this.#exists(line.fid)) {
      const path = this.#path(line.fid);
      if (line.op === 'removexattr') lremovexattr(path, name);
      else lsetxattr(path, name, Buffer.from(line.xattr.value, 'base64'), line.xattr.flags);
    }
    this.#setAttrs(line.fid, line.attrs);
  }

  #write(line: Line): void {
    const known = this.#known(line.fid);
    this.#setAttrs(line.fid, line.attrs);
    for (const extent of line.extents) {
      const start = Number(extent.offset);
      known.extents.push({ start, end: start + Number(extent.length) });
    }
  }

  #setAttrs(fid: string, attrs: Attrs): void {
    const known = this.#known(fid);
    if (attrs.mode !== undefined) known.mode = Number.parseInt(attrs.mode, 8);
    if (attrs.uid !== undefined) known.uid = attrs.uid;
    if (attrs.gid !== undefined) known.gid = attrs.gid;
    if (attrs.atime !== undefined) known.atime = BigInt(attrs.atime);
    if (attrs.mtime !== undefined) known.mtime = BigInt(attrs.mtime);
    const isFile = (known.mode & S_IFMT) === S_IFREG;
    if (attrs.size !== undefined && isFile) this.#setSize(fid, known, Number(attrs.size));
    if (attrs.uid !== undefined || attrs.gid !== undefined || attrs.mode !== undefined) {
      this.#setMode(fid);
    }
  }

  /** What a truncation cuts off is zeroes if the file grows again, so its extents are forgotten. */
  #setSize(fid: string, known: Known, size: number): void {
    known.size = size;
    known.extents = known.extents
      .filter(({ start }) => start < size)
      .map(({ start, end }) => ({ start, end: Math.min(end, size) }));
    if (this.#exists(fid)) fs.truncateSync(this.#path(fid), size);
  }

  /** Owner first: chown clears set-id bits. */
  #setMode(fid: string): void {
    if (!this.#exists(fid)) return;
    const { mode, uid, gid } = this.#known(fid);
    const path = this.#path(fid);
    fs.lchownSync(path, uid, gid);
    if ((mode & S_IFMT) !== S_IFLNK) fs.chmodSync(path, mode & 0o7777);
  }

  #copy(fid: string, known: Known, readExtent: ReadExtent): void {
    const fd = fs.openSync(this.#path(fid), 'r+');
    try {
      for (const { start, end } of known.extents) {
        for (let at = start; at < end; ) {
          const bytes = readExtent(fid, at, Math.min(COPY_BYTES, end - at));
          if (bytes === undefined || bytes.length === 0) break;
          fs.writeSync(fd, bytes, 0, bytes.length, at);
          at += bytes.length;
        }
      }
      fs.ftruncateSync(fd, known.size);
    } finally {
      fs.closeSync(fd);
    }
  }

  // ---------------------------------------------------------------- names

  #known(fid: string): Known {
    const known = this.#objects.get(fid);
    if (known === undefined) throw new Error(`${fid} was never created`);
    return known;
  }

  /** False for an object without a name, which lives on only where it is open. */
  #exists(fid: string): boolean {
    return fid === ROOT || this.#known(fid).places.length > 0;
  }

  #path(fid: string): Buffer {
    if (fid === ROOT) return this.#root;
    const place = this.#known(fid).places[0];
    if (place === undefined) throw new Error(`${fid} has no name`);
    return Buffer.concat([
      this.#path(place.parent),
      Buffer.from('/'),
      Buffer.from(place.name, 'latin1'),
    ]);
  }

  #pathAt(parent: string, name: Bytes): Buffer {
    return Buffer.concat([this.#path(parent), Buffer.from('/'), bytesOf(name)]);
  }

  #addName(fid: string, parent: string, name: Bytes): void {
    this.#known(fid).places.push({ parent, name: bytesOf(name).toString('latin1') });
    this.#names.set(key(parent, name), fid);
  }

  #removeName(fid: string, parent: string, name: Bytes): void {
    const there = this.#names.get(key(parent, name));
    if (there !== fid) throw new Error(`${there} has this name, not ${fid}`);
    this.#names.delete(key(parent, name));
    const known = this.#known(fid);
    const text = bytesOf(name).toString('latin1');
    known.places = known.places.filter((p) => p.parent !== parent || p.name !== text);
  }

  /** How many names are left must be what the record says; directories count in their own way. */
  #checkLinks(fid: string, attrs: Attrs, last?: boolean): void {
    const { mode, places } = this.#known(fid);
    const links = places.length;
    if (last !== undefined && last !== (links === 0)) throw new Error(`last, but ${links} left`);
    if ((mode & S_IFMT) === S_IFDIR || attrs.nlink === undefined) return;
    if (attrs.nlink !== links) throw new Error(`nlink ${attrs.nlink}, but ${links} names`);
  }

  /** The time of a record is the new mtime of the directories it changed. */
  #touch({ time, parent, newParent }: Line): void {
    this.#known(parent).mtime = BigInt(time);
    if (newParent !== undefined) this.#known(newParent).mtime = BigInt(time);
  }
}

function fresh(mode: number, time: bigint): Known {
  return { places: [], mode, uid: 0, gid: 0, size: 0, atime: time, mtime: time, extents: [] };
}

function key(parent: string, name: Bytes): string {
  return `${parent}/${bytesOf(name).toString('latin1')}`;
}
