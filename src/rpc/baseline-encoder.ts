/** Entries of a baseline to bytes. */
import { unreachable } from '../base/assert.js';
import { type Fid, writeFid } from '../base/fid.js';
import { isRegular, isSymlink } from '../base/mode.js';
import type { Timespec } from '../base/time.js';
import type {
  BaselineEntry,
  BaselineHead,
  BaselineName,
  BaselineObject,
  BaselineXattr,
} from './baseline.js';
import {
  BASELINE_VERSION,
  BaselineError,
  End,
  Every,
  FILESYSTEM_BYTES,
  Head,
  INLINE_BYTES_MAX,
  Kind,
  NAME_BYTES_MAX,
  Name,
  ObjectAt,
  TARGET_BYTES_MAX,
  Where,
  XATTR_NAME_BYTES_MAX,
  XATTR_VALUE_BYTES_MAX,
  Xattr,
} from './baseline-layout.js';

const TWO_32 = 2 ** 32;

/** Writes entries one behind the other into a buffer that others own. */
export class BaselineEncoder {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #at = 0;

  constructor(into: Uint8Array) {
    this.#bytes = Buffer.from(into.buffer, into.byteOffset, into.byteLength);
    this.#view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  }

  /** Bytes written. */
  get length(): number {
    return this.#at;
  }

  /** False: there is no room for it, and nothing was written. Throws BaselineError for what has no bytes. */
  add(entry: BaselineEntry): boolean {
    const size = entryBytes(entry);
    const at = this.#at;
    if (at + size > this.#bytes.length) return false;
    this.#u32(at + Every.length, size);
    switch (entry.kind) {
      case 'head':
        this.#head(at, entry);
        break;
      case 'object':
        this.#object(at, entry);
        break;
      case 'xattr':
        this.#xattr(at, entry);
        break;
      case 'name':
        this.#name(at, entry);
        break;
      case 'end':
        this.#begin(at, Kind.END, 0, 0);
        this.#u64(at + End.objects, entry.objects, 'objects');
        this.#u64(at + End.names, entry.names, 'names');
        break;
      default:
        unreachable(entry);
    }
    this.#at = at + size;
    return true;
  }

  #begin(at: number, kind: number, detail: number, nameBytes: number): void {
    this.#view.setUint8(at + Every.kind, kind);
    this.#view.setUint8(at + Every.detail, detail);
    this.#view.setUint16(at + Every.name, nameBytes, true);
  }

  #head(at: number, head: BaselineHead): void {
    this.#begin(at, Kind.HEAD, 0, BASELINE_VERSION);
    this.#bytes.write(head.filesystem, at + Head.filesystem, FILESYSTEM_BYTES, 'hex');
    this.#u64(at + Head.transno, head.transno, 'transno');
    this.#u64(at + Head.placeOffset, head.place.offset, 'place.offset');
    this.#u64(at + Head.placeIndex, head.place.index, 'place.index');
    this.#u32(at + Head.placeEpoch, head.place.epoch);
    this.#u32(at + Head.feed, head.feed.id);
    this.#time(at + Head.time, head.time);
    this.#u32(at + Head.nameBytes, head.feed.name.length);
    this.#u64(at + Head.objects, head.objects, 'objects');
    this.#text(at + Head.fixed, head.feed.name, 'feed.name');
  }

  #object(at: number, object: BaselineObject): void {
    const { attributes, name, target, contents } = object;
    this.#begin(at, Kind.OBJECT, whereOf(contents), name.length);
    this.#fid(at + ObjectAt.fid, object.fid);
    this.#fid(at + ObjectAt.parent, object.parent);
    this.#u32(at + ObjectAt.mode, attributes.mode);
    this.#u32(at + ObjectAt.nlink, attributes.nlink);
    this.#u32(at + ObjectAt.uid, attributes.uid);
    this.#u32(at + ObjectAt.gid, attributes.gid);
    this.#u32(at + ObjectAt.rdev, attributes.rdev);
    this.#u32(at + ObjectAt.xattrs, object.xattrs);
    this.#u64(at + ObjectAt.size, attributes.size, 'size');
    this.#time(at + ObjectAt.atime, attributes.atime);
    this.#time(at + ObjectAt.mtime, attributes.mtime);
    this.#time(at + ObjectAt.ctime, attributes.ctime);
    this.#u32(at + ObjectAt.targetBytes, target.length);
    const nameAt = at + ObjectAt.fixed;
    this.#text(nameAt, name, 'name');
    this.#text(nameAt + name.length, target, 'target');
    const inside = typeof contents === 'object' ? contents : undefined;
    this.#u32(at + ObjectAt.contentBytes, inside?.byteLength ?? 0);
    if (inside !== undefined) this.#bytes.set(inside, nameAt + name.length + target.length);
  }

  #xattr(at: number, { fid, name, value }: BaselineXattr): void {
    this.#begin(at, Kind.XATTR, 0, name.length);
    this.#fid(at + Xattr.fid, fid);
    this.#u32(at + Xattr.valueBytes, value.byteLength);
    this.#text(at + Xattr.fixed, name, 'name');
    this.#bytes.set(value, at + Xattr.fixed + name.length);
  }

  #name(at: number, { fid, parent, name }: BaselineName): void {
    this.#begin(at, Kind.NAME, 0, name.length);
    this.#fid(at + Name.fid, fid);
    this.#fid(at + Name.parent, parent);
    this.#text(at + Name.fixed, name, 'name');
  }

  #fid(at: number, fid: Fid | 0): void {
    writeFid(this.#view, at, fid);
  }

  #u32(at: number, value: number): void {
    if (value >>> 0 !== value) throw new BaselineError('number', `not 32 bits: ${value}`);
    this.#view.setUint32(at, value, true);
  }

  #u64(at: number, value: number, field: string): void {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new BaselineError(field, `not in 0..2^53-1: ${value}`);
    }
    this.#view.setUint32(at, value >>> 0, true);
    this.#view.setUint32(at + 4, Math.floor(value / TWO_32), true);
  }

  #time(at: number, { sec, nsec }: Timespec): void {
    if (!Number.isSafeInteger(sec) || nsec >>> 0 !== nsec || nsec >= 1e9) {
      throw new BaselineError('time', `${sec} s ${nsec} ns`);
    }
    this.#view.setUint32(at, sec >>> 0, true);
    this.#view.setInt32(at + 4, Math.floor(sec / TWO_32), true);
    this.#view.setUint32(at + 8, nsec, true);
  }

  /** A binary string. For the lengths that names have, a loop beats a call into C++. */
  #text(at: number, text: string, field: string): void {
    let seen = 0;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      seen |= unit;
      this.#bytes[at + i] = unit;
    }
    if (seen > 255) throw new BaselineError(field, 'not a binary string');
  }
}

/** An entry alone. */
export function encodeBaselineEntry(entry: BaselineEntry): Uint8Array {
  const bytes = Buffer.alloc(entryBytes(entry));
  new BaselineEncoder(bytes).add(entry);
  return bytes;
}

/** Checked before anything is written: an entry is bounded. */
function entryBytes(entry: BaselineEntry): number {
  switch (entry.kind) {
    case 'head':
      if (!/^[0-9a-f]{32}$/.test(entry.filesystem)) {
        throw new BaselineError('filesystem', `not an identity: ${entry.filesystem}`);
      }
      return Head.fixed + atMost(entry.feed.name.length, NAME_BYTES_MAX, 'feed.name');
    case 'object':
      return objectBytes(entry);
    case 'xattr':
      return (
        Xattr.fixed +
        atMost(entry.name.length, XATTR_NAME_BYTES_MAX, 'name') +
        atMost(entry.value.byteLength, XATTR_VALUE_BYTES_MAX, 'value')
      );
    case 'name':
      return Name.fixed + atMost(entry.name.length, NAME_BYTES_MAX, 'name');
    case 'end':
      return End.fixed;
    default:
      return unreachable(entry);
  }
}

function objectBytes({ attributes, name, target, contents }: BaselineObject): number {
  if ((target !== '') !== isSymlink(attributes.mode)) {
    throw new BaselineError('target', 'does not fit the type');
  }
  if (contents !== undefined && !isRegular(attributes.mode)) {
    throw new BaselineError('contents', 'of no regular file');
  }
  const inside = typeof contents === 'object' ? contents.byteLength : 0;
  return (
    ObjectAt.fixed +
    atMost(name.length, NAME_BYTES_MAX, 'name') +
    atMost(target.length, TARGET_BYTES_MAX, 'target') +
    atMost(inside, Math.min(INLINE_BYTES_MAX, attributes.size), 'contents')
  );
}

function atMost(bytes: number, bytesMax: number, field: string): number {
  if (bytes > bytesMax) throw new BaselineError(field, `${bytes} bytes, at most ${bytesMax}`);
  return bytes;
}

function whereOf(contents: BaselineObject['contents']): number {
  if (contents === undefined) return Where.NOWHERE;
  return contents === 'elsewhere' ? Where.ELSEWHERE : Where.INSIDE;
}
