/** Bytes to entries of a baseline. Every byte is checked: what is not exactly an entry is refused. */
import { ROOT_FID } from '../base/fid.js';
import { FieldReader } from '../base/field-reader.js';
import { isRegular, isSymlink, S_IFMT } from '../base/mode.js';
import type {
  BaselineAttributes,
  BaselineEnd,
  BaselineEntry,
  BaselineHead,
  BaselineName,
  BaselineObject,
  BaselineXattr,
} from './baseline.js';
import {
  BASELINE_ENTRY_BYTES_MAX,
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

/** S_IFMT bits that are a type (sys/stat.h): fifo, character device, directory, block device, file, symlink, socket. */
const TYPES: ReadonlySet<number> = new Set(
  [0o01, 0o02, 0o04, 0o06, 0o10, 0o12, 0o14].map((type) => type << 12),
);
const LENGTH_BYTES = 4;

export interface DecodedBaselineEntry {
  readonly entry: BaselineEntry;
  /** Bytes the entry takes: the next one starts so many bytes later. */
  readonly size: number;
}

/** The entries of a buffer that holds nothing but whole ones. Throws BaselineError at what is not one. */
export function* baselineEntries(bytes: Uint8Array): Generator<BaselineEntry> {
  const decoder = new BaselineDecoder(bytes);
  for (let at = 0; at < bytes.byteLength; ) {
    const { entry, size } = decoder.decode(at);
    yield entry;
    at += size;
  }
}

/** Bytes of the whole entries at the beginning of a buffer whose end may cut one off. BaselineError. */
export function wholeEntriesBytes(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + LENGTH_BYTES <= bytes.byteLength) {
    const length = checkedLength(view.getUint32(at, true), at);
    if (at + length > bytes.byteLength) break;
    at += length;
  }
  return at;
}

/** Reads the entries of one buffer, which must not change meanwhile. What it returns shares no memory with it. */
export class BaselineDecoder {
  readonly #fields: FieldReader;

  constructor(bytes: Uint8Array) {
    this.#fields = new FieldReader(bytes, BaselineError);
  }

  /** The entry at byte `at`. Throws BaselineError. */
  decode(at: number): DecodedBaselineEntry {
    const rest = this.#fields.bytes.length - at;
    if (rest < LENGTH_BYTES) throw new BaselineError('length', 'is cut off', at);
    const size = checkedLength(this.#fields.u32(at), at);
    if (size > rest) {
      throw new BaselineError('length', `${size}, but ${rest} bytes are left`, at);
    }
    const kind = this.#fields.u8(at + Every.kind);
    if (kind !== Kind.OBJECT && this.#fields.u8(at + Every.detail) !== 0) {
      throw new BaselineError('detail', 'is not zero', at + Every.detail);
    }
    return { entry: this.#entry(kind, at, size), size };
  }

  #entry(kind: number, at: number, size: number): BaselineEntry {
    switch (kind) {
      case Kind.HEAD:
        return this.#head(at, size);
      case Kind.OBJECT:
        return this.#object(at, size);
      case Kind.XATTR:
        return this.#xattr(at, size);
      case Kind.NAME:
        return this.#name(at, size);
      case Kind.END:
        return this.#end(at, size);
      default:
        throw new BaselineError('kind', `${kind} is unknown`, at + Every.kind);
    }
  }

  #head(at: number, size: number): BaselineHead {
    const version = this.#fields.u16(at + Every.name);
    if (version !== BASELINE_VERSION) {
      throw new BaselineError('version', `${version}, not ${BASELINE_VERSION}`, at + Every.name);
    }
    this.#room(at, size, Head.fixed);
    const nameBytes = this.#fields.bounded(at + Head.nameBytes, NAME_BYTES_MAX, 'feed.name');
    this.#exactly(at, size, Head.fixed + nameBytes);
    const filesystemAt = at + Head.filesystem;
    return {
      kind: 'head',
      filesystem: this.#fields.bytes.toString('hex', filesystemAt, filesystemAt + FILESYSTEM_BYTES),
      feed: {
        id: this.#fields.u32(at + Head.feed),
        name: this.#fields.text(at + Head.fixed, nameBytes),
      },
      transno: this.#fields.u64(at + Head.transno, 'transno'),
      place: {
        epoch: this.#fields.u32(at + Head.placeEpoch),
        offset: this.#fields.u64(at + Head.placeOffset, 'place.offset'),
        index: this.#fields.u64(at + Head.placeIndex, 'place.index'),
      },
      time: this.#fields.time(at + Head.time, 'time'),
      objects: this.#fields.u64(at + Head.objects, 'objects'),
    };
  }

  #object(at: number, size: number): BaselineObject {
    this.#room(at, size, ObjectAt.fixed);
    const nameBytes = this.#fields.u16(at + Every.name);
    const attributes = this.#attributes(at);
    const targetBytes = this.#fields.bounded(at + ObjectAt.targetBytes, TARGET_BYTES_MAX, 'target');
    const contentBytesMax = Math.min(INLINE_BYTES_MAX, attributes.size);
    const contentBytes = this.#fields.bounded(
      at + ObjectAt.contentBytes,
      contentBytesMax,
      'contents',
    );
    this.#exactly(at, size, ObjectAt.fixed + nameBytes + targetBytes + contentBytes);
    if (targetBytes > 0 !== isSymlink(attributes.mode)) {
      throw new BaselineError('target', 'does not fit the type', at + ObjectAt.targetBytes);
    }
    const nameAt = at + ObjectAt.fixed;
    const fid = this.#fields.realFid(at + ObjectAt.fid, 'fid');
    const parent = this.#fields.fid(at + ObjectAt.parent, 'parent');
    if ((parent === 0) !== (fid === ROOT_FID)) {
      throw new BaselineError('parent', 'only the root has none', at + ObjectAt.parent);
    }
    return {
      kind: 'object',
      fid,
      parent,
      name: parent === 0 ? this.#noName(nameAt, nameBytes) : this.#fileName(nameAt, nameBytes),
      attributes,
      target: this.#fields.text(nameAt + nameBytes, targetBytes),
      xattrs: this.#fields.u32(at + ObjectAt.xattrs),
      contents: this.#contents(at, attributes.mode, nameAt + nameBytes + targetBytes, contentBytes),
    };
  }

  #attributes(at: number): BaselineAttributes {
    const mode = this.#fields.u32(at + ObjectAt.mode);
    if (!TYPES.has(mode & S_IFMT) || mode > 0o177777) {
      throw new BaselineError('mode', `0${mode.toString(8)}`, at + ObjectAt.mode);
    }
    return {
      mode,
      nlink: this.#fields.u32(at + ObjectAt.nlink),
      uid: this.#fields.u32(at + ObjectAt.uid),
      gid: this.#fields.u32(at + ObjectAt.gid),
      rdev: this.#fields.u32(at + ObjectAt.rdev),
      size: this.#fields.u64(at + ObjectAt.size, 'size'),
      atime: this.#fields.time(at + ObjectAt.atime, 'atime'),
      mtime: this.#fields.time(at + ObjectAt.mtime, 'mtime'),
      ctime: this.#fields.time(at + ObjectAt.ctime, 'ctime'),
    };
  }

  #contents(at: number, mode: number, dataAt: number, bytes: number): BaselineObject['contents'] {
    const where = this.#fields.u8(at + Every.detail);
    const fits =
      where === Where.NOWHERE
        ? bytes === 0
        : isRegular(mode) && (where === Where.INSIDE || (where === Where.ELSEWHERE && bytes === 0));
    if (!fits) throw new BaselineError('contents', 'do not fit the type', at + Every.detail);
    if (where === Where.NOWHERE) return undefined;
    return where === Where.ELSEWHERE ? 'elsewhere' : this.#fields.copy(dataAt, bytes);
  }

  #xattr(at: number, size: number): BaselineXattr {
    this.#room(at, size, Xattr.fixed);
    const nameBytes = this.#fields.u16(at + Every.name);
    const valueBytes = this.#fields.bounded(at + Xattr.valueBytes, XATTR_VALUE_BYTES_MAX, 'value');
    this.#exactly(at, size, Xattr.fixed + nameBytes + valueBytes);
    const nameAt = at + Xattr.fixed;
    if (nameBytes < 1 || nameBytes > XATTR_NAME_BYTES_MAX) {
      throw new BaselineError('name', `${nameBytes} bytes`, at + Every.name);
    }
    const name = this.#fields.text(nameAt, nameBytes);
    if (name.includes('\0')) throw new BaselineError('name', 'has a NUL', nameAt);
    const value = this.#fields.copy(nameAt + nameBytes, valueBytes);
    return { kind: 'xattr', fid: this.#fields.realFid(at + Xattr.fid, 'fid'), name, value };
  }

  #name(at: number, size: number): BaselineName {
    this.#room(at, size, Name.fixed);
    const nameBytes = this.#fields.u16(at + Every.name);
    this.#exactly(at, size, Name.fixed + nameBytes);
    return {
      kind: 'name',
      fid: this.#fields.realFid(at + Name.fid, 'fid'),
      parent: this.#fields.realFid(at + Name.parent, 'parent'),
      name: this.#fileName(at + Name.fixed, nameBytes),
    };
  }

  #end(at: number, size: number): BaselineEnd {
    this.#exactly(at, size, End.fixed);
    this.#noName(at + Every.name, this.#fields.u16(at + Every.name));
    return {
      kind: 'end',
      objects: this.#fields.u64(at + End.objects, 'objects'),
      names: this.#fields.u64(at + End.names, 'names'),
    };
  }

  #room(at: number, size: number, fixed: number): void {
    if (size < fixed) throw new BaselineError('length', `${size}, at least ${fixed}`, at);
  }

  #exactly(at: number, size: number, expected: number): void {
    if (size !== expected) {
      throw new BaselineError('length', `${size}, but its parts take ${expected}`, at);
    }
  }

  #noName(at: number, bytes: number): string {
    if (bytes !== 0) throw new BaselineError('name', 'of what has none', at);
    return '';
  }

  /** What a directory may hold: 1 to 255 bytes, no slash or NUL, not `.` or `..`. */
  #fileName(at: number, bytes: number): string {
    if (bytes < 1 || bytes > NAME_BYTES_MAX) throw new BaselineError('name', `${bytes} bytes`, at);
    const name = this.#fields.text(at, bytes);
    if (name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
      throw new BaselineError('name', 'is no name of a directory entry', at);
    }
    return name;
  }
}

function checkedLength(length: number, at: number): number {
  if (length < End.fixed || length > BASELINE_ENTRY_BYTES_MAX) {
    throw new BaselineError('length', `${length}`, at);
  }
  return length;
}
