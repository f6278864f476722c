/** Bytes to records. Every byte is checked: what is not exactly a record is refused. */
import { crc32 } from 'node:zlib';
import { unreachable } from '../base/assert.js';
import type { Fid } from '../base/fid.js';
import { FieldReader } from '../base/field-reader.js';
import {
  type FeedRecord,
  Opcode,
  type RecordAttrs,
  type RecordHead,
  type RecordIndex,
  type RecordOp,
  type Transno,
} from './record.js';
import { RecordError } from './record-error.js';
import {
  ALIGNMENT,
  At,
  CRC_BYTES,
  createOp,
  Flag,
  flagsAllowed,
  LOCAL_NID,
  padded,
  RECORD_BYTES_MIN,
  RECORD_VERSION,
  SECTIONS,
  TAG_NAMES,
  Tag,
  TRAILER_BYTES,
} from './record-layout.js';
import { RECORD_BYTES_MAX } from './record-limits.js';
import { SectionReader } from './record-sections.js';

export interface DecodedRecord {
  readonly record: FeedRecord;
  /** Bytes the record takes: the next one starts so many bytes later. */
  readonly size: number;
}

/** Reads the records of one buffer. The buffer must not change while it is read. */
export class RecordReader {
  readonly #fields: FieldReader;
  readonly #sections: SectionReader;

  constructor(bytes: Uint8Array) {
    this.#fields = new FieldReader(bytes, RecordError);
    this.#sections = new SectionReader(this.#fields);
  }

  /** The record that starts at byte `at`. Throws RecordError; the result shares no memory with the buffer. */
  decode(at: number): DecodedRecord {
    const size = this.#checkedSize(at);
    const sectionsAt = at + At.text + this.#textBytes(at, size);
    const present = this.#sections.find(sectionsAt, at + size - TRAILER_BYTES);
    const head = this.#head(at);
    const attrs = this.#sections.has(Tag.ATTRS) ? this.#sections.attrs(head.time) : NO_ATTRS;
    const flags = this.#fields.u32(at + At.flags);
    const op = operation(this.#fields.u16(at + At.opcode), flags, attrs, at);
    checkSections(op, present, sectionsAt);
    this.#checkFlags(op, flags, at + At.flags);
    return { record: this.#body(op, head, this.#parent(op, at + At.parent), attrs, flags), size };
  }

  #checkedSize(at: number): number {
    const fields = this.#fields;
    const size = recordLengthAt(fields.bytes, at);
    if (at + size > fields.bytes.length) {
      const rest = fields.bytes.length - at;
      throw new RecordError('length', `${size}, but ${rest} bytes are left`, at);
    }
    const version = fields.u16(at + At.version);
    if (version !== RECORD_VERSION) {
      throw new RecordError('version', `${version}, not ${RECORD_VERSION}`, at + At.version);
    }
    const crcAt = at + size - CRC_BYTES;
    if (crc32(fields.bytes.subarray(at, crcAt)) !== fields.u32(crcAt)) {
      throw new RecordError('crc', 'does not match', crcAt);
    }
    fields.zeroes(at + size - TRAILER_BYTES, crcAt, 'trailer');
    fields.zeroes(at + At.zero, at + At.text, 'header');
    return size;
  }

  /** Bytes of the NID and the job id with their padding. */
  #textBytes(at: number, size: number): number {
    const length = this.#fields.u8(at + At.nidBytes) + this.#fields.u8(at + At.jobidBytes);
    const bytes = padded(length);
    if (At.text + bytes + TRAILER_BYTES > size) {
      throw new RecordError('nid', 'reaches beyond the record', at + At.nidBytes);
    }
    this.#fields.zeroes(at + At.text + length, at + At.text + bytes, 'jobid');
    return bytes;
  }

  #checkFlags(op: RecordOp, flags: number, at: number): void {
    if ((flags & ~flagsAllowed(op)) !== 0) {
      throw new RecordError('flags', `0x${flags.toString(16)} in a ${op} record`, at);
    }
    if ((flags & Flag.OVER_LAST) !== 0 && !this.#sections.has(Tag.OVERWRITTEN)) {
      throw new RecordError('flags', 'nothing was overwritten', at);
    }
  }

  /** Records about a directory entry have a parent, the others do not. */
  #parent(op: RecordOp, at: number): Fid {
    const parent = this.#fields.fid(at, 'parent');
    if ((parent !== 0) !== this.#sections.has(Tag.NAME)) {
      throw new RecordError('parent', `does not fit a ${op} record`, at);
    }
    return parent as Fid;
  }

  #head(at: number): RecordHead {
    const fields = this.#fields;
    const nidBytes = fields.u8(at + At.nidBytes);
    return {
      index: fields.u64(at + At.index, 'index') as RecordIndex,
      transno: fields.u64(at + At.transno, 'transno') as Transno,
      time: fields.time(at + At.timeSec, 'time'),
      fid: fields.realFid(at + At.fid, 'fid'),
      uid: fields.u32(at + At.uid),
      gid: fields.u32(at + At.gid),
      pid: fields.u32(at + At.pid),
      nid: nidBytes === 0 ? LOCAL_NID : fields.text(at + At.text, nidBytes),
      jobid: fields.text(at + At.text + nidBytes, fields.u8(at + At.jobidBytes)),
    };
  }

  #body(
    op: RecordOp,
    head: RecordHead,
    parent: Fid,
    attrs: RecordAttrs,
    flags: number,
  ): FeedRecord {
    const sections = this.#sections;
    const last = (flags & Flag.LAST) !== 0;
    switch (op) {
      case 'create':
      case 'mkdir':
      case 'mknod':
      case 'link':
        return { op, ...head, parent, name: sections.name(), attrs };
      case 'symlink':
        return { op, ...head, parent, name: sections.name(), attrs, target: sections.target() };
      case 'unlink':
      case 'rmdir':
        return { op, ...head, parent, name: sections.name(), attrs, last };
      case 'rename':
        return this.#rename(head, parent, attrs, (flags & Flag.OVER_LAST) !== 0);
      case 'setattr':
        return { op, ...head, attrs };
      case 'setxattr':
        return { op, ...head, xattr: sections.xattr(), attrs };
      case 'removexattr':
        return { op, ...head, xattr: sections.xattrName(), attrs };
      case 'write':
        return { op, ...head, extents: sections.extents(), attrs };
      case 'open':
      case 'close':
      case 'denied':
        return { op, ...head, access: sections.access() };
      case 'getxattr':
        return { op, ...head, xattr: sections.xattrName(), access: sections.access() };
      case 'lost':
        return { op, ...head, lost: sections.lost() };
      default:
        return unreachable(op);
    }
  }

  #rename(head: RecordHead, parent: Fid, attrs: RecordAttrs, last: boolean): FeedRecord {
    const sections = this.#sections;
    return {
      op: 'rename',
      ...head,
      parent,
      name: sections.name(),
      ...sections.newName(),
      attrs,
      ...(sections.has(Tag.OVERWRITTEN)
        ? { over: { ...sections.overwritten(head.time), last } }
        : {}),
      ...(sections.has(Tag.EXCHANGED) ? { exchanged: sections.exchanged() } : {}),
    };
  }
}

/** Of a record that is no change. */
const NO_ATTRS: RecordAttrs = {};

function checkSections(op: RecordOp, present: number, at: number): void {
  const { required, optional } = SECTIONS[op];
  const missing = required & ~present;
  const foreign = present & ~(required | optional);
  if ((missing | foreign) === 0) return;
  const tag = 31 - Math.clz32(missing | foreign);
  const problem = (missing >>> tag) & 1 ? 'is missing in' : 'does not belong in';
  throw new RecordError(TAG_NAMES[tag] ?? 'section', `${problem} a ${op} record`, at);
}

function operation(opcode: number, flags: number, attrs: RecordAttrs, at: number): RecordOp {
  switch (opcode) {
    case Opcode.SETATTR:
      return 'setattr';
    case Opcode.CREATE: {
      const op = createOp(attrs.mode ?? 0);
      if (op === undefined) throw new RecordError('attrs.mode', 'has no file type', at);
      return op;
    }
    case Opcode.LINK:
      return 'link';
    case Opcode.UNLINK:
      return flags & Flag.DIRECTORY ? 'rmdir' : 'unlink';
    case Opcode.RENAME:
      return 'rename';
    case Opcode.SETXATTR:
      return 'setxattr';
    case Opcode.WRITE:
      return 'write';
    case Opcode.REMOVEXATTR:
      return 'removexattr';
    case Opcode.OPEN:
      return 'open';
    case Opcode.CLOSE:
      return 'close';
    case Opcode.DENIED:
      return 'denied';
    case Opcode.GETXATTR:
      return 'getxattr';
    case Opcode.LOST:
      return 'lost';
    default:
      throw new RecordError('opcode', `0x${opcode.toString(16)} is unknown`, at + At.opcode);
  }
}

/**
 * The length of the record at byte `at`: a multiple of 8, long enough for a
 * header and no longer than any record. The bytes need not all be there.
 */
export function recordLengthAt(bytes: Uint8Array, at: number): number {
  const length = u32At(bytes, at, 'length');
  if (length % ALIGNMENT !== 0 || length < RECORD_BYTES_MIN || length > RECORD_BYTES_MAX) {
    throw new RecordError('length', `${length}`, at);
  }
  return length;
}

/** The index of the record at byte `at`, without a look at the rest of it. */
export function recordIndexAt(bytes: Uint8Array, at: number): RecordIndex {
  const low = u32At(bytes, at + At.index, 'index');
  const high = u32At(bytes, at + At.index + 4, 'index');
  const index = high * 2 ** 32 + low;
  if (!Number.isSafeInteger(index)) throw new RecordError('index', 'is beyond 2^53', at + At.index);
  return index as RecordIndex;
}

function u32At(bytes: Uint8Array, at: number, field: string): number {
  const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  if (a === undefined || b === undefined || c === undefined || d === undefined) {
    throw new RecordError(field, 'is cut off', at);
  }
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}
