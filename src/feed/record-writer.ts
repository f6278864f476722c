/** Records to bytes, one after the other into one buffer. On the path of every change. */
import { crc32 } from 'node:zlib';
import { unreachable } from '../base/assert.js';
import { FID_BYTES, type Fid, writeFid } from '../base/fid.js';
import { NAME_BYTES_MAX } from '../base/name.js';
import type { Timespec } from '../base/time.js';
import type { Extent, Overwritten, RecordAttrs, RecordBody, RecordHead } from './record.js';
import { RecordError } from './record-error.js';
import { checkLength, FieldWriter } from './record-field-writer.js';
import {
  At,
  AttrBit,
  attrBits,
  attrBytes,
  CRC_BYTES,
  createOp,
  EXTENT_BYTES,
  Flag,
  LOCAL_NID,
  OPCODES,
  padded,
  RECORD_VERSION,
  SECTION_HEADER_BYTES,
  SectionAt,
  Tag,
  TIME_BYTES,
  TRAILER_BYTES,
} from './record-layout.js';
import {
  EXTENTS_MAX,
  JOBID_BYTES_MAX,
  NID_BYTES_MAX,
  RECORD_BYTES_MAX,
  TARGET_BYTES_MAX,
  XATTR_NAME_BYTES_MAX,
  XATTR_VALUE_BYTES_MAX,
} from './record-limits.js';

const CAPACITY_MIN = 2 * RECORD_BYTES_MAX;
/** A buffer that grew beyond this is given back at the next reset. */
const CAPACITY_KEPT_MAX = 4 * 1024 * 1024;

/**
 * Invariant: between calls `#used` is a multiple of 8 and everything before it
 * is whole records. At the start of `append` there is room for the longest
 * record, so that no field needs a bounds check of its own.
 */
export class RecordWriter {
  #out = new FieldWriter(CAPACITY_MIN);
  #used = 0;
  /** Where the next field of the record under construction goes. */
  #at = 0;

  /** The records so far: a view, valid until the next `append` or `reset`. */
  get bytes(): Uint8Array {
    return this.#out.bytes.subarray(0, this.#used);
  }

  /** Forgets all records and keeps the buffer. */
  reset(): void {
    this.#used = 0;
    if (this.#out.bytes.length > CAPACITY_KEPT_MAX) this.#allocate(CAPACITY_MIN);
  }

  /**
   * Adds a record, whose head and body may be one object, and returns how many bytes it takes. Throws RecordError, and
   * adds nothing, when a value is out of its range.
   */
  append(head: RecordHead, body: RecordBody): number {
    const start = this.#used;
    if (this.#out.bytes.length - start < RECORD_BYTES_MAX)
      this.#allocate(this.#out.bytes.length * 2);
    const view = this.#out.view;
    this.#putHeader(start, head, body);
    this.#putSections(body, head.time);
    const length = this.#at + TRAILER_BYTES - start;
    const crcAt = start + length - CRC_BYTES;
    view.setUint32(start + At.length, length, true);
    view.setUint32(this.#at, 0, true);
    view.setUint32(crcAt, crc32(this.#out.bytes.subarray(start, crcAt)), true);
    this.#used = start + length;
    return length;
  }

  #allocate(capacity: number): void {
    const out = new FieldWriter(capacity);
    out.bytes.set(this.#out.bytes.subarray(0, this.#used));
    this.#out = out;
  }

  #putHeader(start: number, head: RecordHead, body: RecordBody): void {
    const view = this.#out.view;
    view.setUint16(start + At.version, RECORD_VERSION, true);
    view.setUint16(start + At.opcode, OPCODES[body.op], true);
    this.#out.u64(start + At.index, head.index, 'index');
    this.#out.u64(start + At.transno, head.transno, 'transno');
    this.#out.time(start + At.timeSec, head.time, 'time');
    view.setUint32(start + At.flags, flagsOf(body), true);
    if (head.fid <= 0) throw new RecordError('fid', 'an object has a FID');
    writeFid(view, start + At.fid, head.fid);
    const parent = 'parent' in body ? body.parent : 0;
    writeFid(view, start + At.parent, parent);
    this.#out.u32(start + At.uid, head.uid, 'uid');
    this.#out.u32(start + At.gid, head.gid, 'gid');
    this.#out.u32(start + At.pid, head.pid, 'pid');
    const { nid, jobid } = head;
    checkLength(nid, 1, NID_BYTES_MAX, 'nid');
    checkLength(jobid, 0, JOBID_BYTES_MAX, 'jobid');
    const nidText = nid === LOCAL_NID ? '' : nid;
    const textAt = start + At.text;
    this.#out.zeroPadding(textAt, nidText.length + jobid.length);
    this.#out.text(textAt, nidText, 'nid');
    this.#out.text(textAt + nidText.length, jobid, 'jobid');
    view.setUint32(start + At.nidBytes, nidText.length | (jobid.length << 8), true);
    this.#at = textAt + padded(nidText.length + jobid.length);
  }

  /** In ascending order of tags. */
  #putSections(record: RecordBody, time: Timespec): void {
    switch (record.op) {
      case 'create':
      case 'mkdir':
      case 'mknod':
      case 'symlink':
        if (createOp(record.attrs.mode ?? 0) !== record.op) {
          throw new RecordError('attrs.mode', `is not the mode of a ${record.op}`);
        }
        this.#name(record.parent, record.name);
        this.#attrs(record.attrs, time);
        if (record.op === 'symlink') this.#target(record.target);
        return;
      case 'link':
      case 'unlink':
      case 'rmdir':
        this.#name(record.parent, record.name);
        this.#attrs(record.attrs, time);
        return;
      case 'rename':
        this.#name(record.parent, record.name);
        this.#newName(record.newParent, record.newName);
        this.#attrs(record.attrs, time);
        if (record.over !== undefined) this.#overwritten(record.over, time);
        if (record.exchanged !== undefined) this.#exchanged(record.exchanged);
        return;
      case 'setattr':
        this.#attrs(record.attrs, time);
        return;
      case 'setxattr':
      case 'removexattr':
        this.#attrs(record.attrs, time);
        this.#xattr(record);
        return;
      case 'write':
        this.#attrs(record.attrs, time);
        this.#extents(record.extents);
        return;
      default:
        unreachable(record);
    }
  }

  #name(parent: Fid, name: string): void {
    if (parent <= 0) throw new RecordError('parent', 'an entry has a parent');
    checkLength(name, 1, NAME_BYTES_MAX, 'name');
    const at = this.#section(Tag.NAME, 0, name.length);
    this.#out.text(at, name, 'name');
  }

  #newName(parent: Fid, name: string): void {
    if (parent <= 0) throw new RecordError('newParent', 'an entry has a parent');
    checkLength(name, 1, NAME_BYTES_MAX, 'newName');
    const at = this.#section(Tag.NEW_NAME, 0, FID_BYTES + name.length);
    writeFid(this.#out.view, at, parent);
    this.#out.text(at + FID_BYTES, name, 'newName');
  }

  #attrs(attrs: RecordAttrs, now: Timespec): void {
    const mask = attrBits(attrs, now);
    const at = this.#section(Tag.ATTRS, mask, attrBytes(mask));
    this.#attrValues(at, attrs, mask, 'attrs');
  }

  #overwritten(over: Overwritten, now: Timespec): void {
    if (over.fid <= 0) throw new RecordError('over.fid', 'an object has a FID');
    const mask = attrBits(over.attrs, now);
    const at = this.#section(Tag.OVERWRITTEN, mask, FID_BYTES + attrBytes(mask));
    writeFid(this.#out.view, at, over.fid);
    this.#attrValues(at + FID_BYTES, over.attrs, mask, 'over.attrs');
  }

  #exchanged(fid: Fid): void {
    if (fid <= 0) throw new RecordError('exchanged', 'an object has a FID');
    writeFid(this.#out.view, this.#section(Tag.EXCHANGED, 0, FID_BYTES), fid);
  }

  /** Payload: flags u32, present u32, name, value; the section's detail is the name's length. */
  #xattr(record: Extract<RecordBody, { op: 'setxattr' | 'removexattr' }>): void {
    const { name } = record.xattr;
    checkLength(name, 1, XATTR_NAME_BYTES_MAX, 'xattr.name');
    const [value, flags] =
      record.op === 'setxattr' ? [record.xattr.value, record.xattr.flags] : [NO_BYTES, 0];
    if (value.length > XATTR_VALUE_BYTES_MAX) {
      throw new RecordError(
        'xattr.value',
        `${value.length} bytes, at most ${XATTR_VALUE_BYTES_MAX}`,
      );
    }
    const at = this.#section(Tag.XATTR, name.length, 8 + name.length + value.length);
    this.#out.u32(at, flags, 'xattr.flags');
    this.#out.view.setUint32(at + 4, 0, true);
    this.#out.text(at + 8, name, 'xattr.name');
    this.#out.bytes.set(value, at + 8 + name.length);
  }

  #extents(extents: readonly Extent[]): void {
    if (extents.length > EXTENTS_MAX) {
      throw new RecordError('extents', `${extents.length}, at most ${EXTENTS_MAX}`);
    }
    let at = this.#section(Tag.EXTENTS, 0, extents.length * EXTENT_BYTES);
    let end = 0;
    for (const { offset, length } of extents) {
      if (offset < end || length <= 0)
        throw new RecordError('extents', 'not ascending and disjoint');
      end = offset + length;
      if (!Number.isSafeInteger(end)) throw new RecordError('extents', 'end beyond 2^53');
      this.#out.u64(at, offset, 'extents.offset');
      this.#out.u64(at + 8, length, 'extents.length');
      at += EXTENT_BYTES;
    }
  }

  #target(target: string): void {
    checkLength(target, 1, TARGET_BYTES_MAX, 'target');
    const at = this.#section(Tag.TARGET, 0, target.length);
    this.#out.text(at, target, 'target');
  }

  /** Starts a section of `length` payload bytes, moves on to the next, and returns where its payload goes. */
  #section(tag: number, detail: number, length: number): number {
    const at = this.#at;
    const view = this.#out.view;
    view.setUint16(at + SectionAt.tag, tag, true);
    view.setUint16(at + SectionAt.detail, detail, true);
    view.setUint32(at + SectionAt.length, length, true);
    const payloadAt = at + SECTION_HEADER_BYTES;
    this.#out.zeroPadding(payloadAt, length);
    this.#at = payloadAt + padded(length);
    return payloadAt;
  }

  #attrValues(start: number, attrs: RecordAttrs, mask: number, field: string): void {
    const { size, atime, mtime, ctime, mode, uid, gid, nlink, rdev } = attrs;
    let at = start;
    if (size !== undefined) {
      this.#out.u64(at, size, field);
      at += 8;
    }
    if (mask & AttrBit.atime && atime) at = this.#paddedTime(at, atime, field);
    if (mask & AttrBit.mtime && mtime) at = this.#paddedTime(at, mtime, field);
    if (mask & AttrBit.ctime && ctime) at = this.#paddedTime(at, ctime, field);
    if (mode !== undefined) at = this.#out.u32(at, mode, field);
    if (uid !== undefined) at = this.#out.u32(at, uid, field);
    if (gid !== undefined) at = this.#out.u32(at, gid, field);
    if (nlink !== undefined) at = this.#out.u32(at, nlink, field);
    if (rdev !== undefined) this.#out.u32(at, rdev, field);
  }

  #paddedTime(at: number, time: Timespec, field: string): number {
    this.#out.time(at, time, field);
    this.#out.view.setUint32(at + 12, 0, true);
    return at + TIME_BYTES;
  }
}

const NO_BYTES = new Uint8Array(0);

function flagsOf(record: RecordBody): number {
  switch (record.op) {
    case 'unlink':
      return record.last ? Flag.LAST : 0;
    case 'rmdir':
      return record.last ? Flag.LAST | Flag.DIRECTORY : Flag.DIRECTORY;
    case 'rename':
      return record.over?.last ? Flag.OVER_LAST : 0;
    default:
      return 0;
  }
}
