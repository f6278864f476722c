/** Writes the tagged sections of a record (FORMAT.md), one after the other. */
import { FID_BYTES, type Fid, writeFid } from '../base/fid.js';
import { NAME_BYTES_MAX } from '../base/name.js';
import type { Timespec } from '../base/time.js';
import type { Access, Extent, LostRecord, Overwritten, RecordAttrs } from './record.js';
import { RecordError } from './record-error.js';
import { checkLength, type FieldWriter } from './record-field-writer.js';
import {
  ACCESS_BYTES,
  AccessBit,
  AttrBit,
  attrBits,
  attrBytes,
  checkLost,
  EXTENT_BYTES,
  LOST_BYTES,
  padded,
  SECTION_HEADER_BYTES,
  SectionAt,
  Tag,
  TIME_BYTES,
} from './record-layout.js';
import {
  EXTENTS_MAX,
  LOST_REASON_BYTES_MAX,
  TARGET_BYTES_MAX,
  XATTR_NAME_BYTES_MAX,
  XATTR_VALUE_BYTES_MAX,
} from './record-limits.js';

/** The caller has seen to it that there is room for the longest record. */
export class SectionWriter {
  readonly #out: FieldWriter;
  /** Where the next section goes: set to where the first one does. */
  at = 0;

  constructor(out: FieldWriter) {
    this.#out = out;
  }

  name(parent: Fid, name: string): void {
    if (parent <= 0) throw new RecordError('parent', 'an entry has a parent');
    checkLength(name, 1, NAME_BYTES_MAX, 'name');
    const at = this.#section(Tag.NAME, 0, name.length);
    this.#out.text(at, name, 'name');
  }

  newName(parent: Fid, name: string): void {
    if (parent <= 0) throw new RecordError('newParent', 'an entry has a parent');
    checkLength(name, 1, NAME_BYTES_MAX, 'newName');
    const at = this.#section(Tag.NEW_NAME, 0, FID_BYTES + name.length);
    writeFid(this.#out.view, at, parent);
    this.#out.text(at + FID_BYTES, name, 'newName');
  }

  attrs(attrs: RecordAttrs, now: Timespec): void {
    const mask = attrBits(attrs, now);
    const at = this.#section(Tag.ATTRS, mask, attrBytes(mask));
    this.#attrValues(at, attrs, mask, 'attrs');
  }

  overwritten(over: Overwritten, now: Timespec): void {
    if (over.fid <= 0) throw new RecordError('over.fid', 'an object has a FID');
    const mask = attrBits(over.attrs, now);
    const at = this.#section(Tag.OVERWRITTEN, mask, FID_BYTES + attrBytes(mask));
    writeFid(this.#out.view, at, over.fid);
    this.#attrValues(at + FID_BYTES, over.attrs, mask, 'over.attrs');
  }

  exchanged(fid: Fid): void {
    if (fid <= 0) throw new RecordError('exchanged', 'an object has a FID');
    writeFid(this.#out.view, this.#section(Tag.EXCHANGED, 0, FID_BYTES), fid);
  }

  /** Payload: flags u32, zero u32, name, value; the section's detail is the name's length. */
  xattr(name: string, value: Uint8Array, flags: number): void {
    checkLength(name, 1, XATTR_NAME_BYTES_MAX, 'xattr.name');
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

  extents(extents: readonly Extent[]): void {
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

  target(target: string): void {
    checkLength(target, 1, TARGET_BYTES_MAX, 'target');
    const at = this.#section(Tag.TARGET, 0, target.length);
    this.#out.text(at, target, 'target');
  }

  access({ flags, errno, repeated, directory }: Access): void {
    const detail =
      (flags === undefined ? 0 : AccessBit.FLAGS) | (directory ? AccessBit.DIRECTORY : 0);
    const at = this.#section(Tag.ACCESS, detail, ACCESS_BYTES);
    this.#out.u32(at, flags ?? 0, 'access.flags');
    this.#out.u32(at + 4, errno, 'access.errno');
    this.#out.u32(at + 8, repeated, 'access.repeated');
    this.#out.view.setUint32(at + 12, 0, true);
  }

  lost({ firstIndex, lastIndex, records, bytes, reason }: LostRecord['lost']): void {
    checkLength(reason, 0, LOST_REASON_BYTES_MAX, 'lost.reason');
    checkLost(firstIndex, lastIndex, records);
    const at = this.#section(Tag.LOST, 0, LOST_BYTES + reason.length);
    this.#out.u64(at, firstIndex, 'lost.firstIndex');
    this.#out.u64(at + 8, lastIndex, 'lost.lastIndex');
    this.#out.u64(at + 16, records, 'lost.records');
    this.#out.u64(at + 24, bytes, 'lost.bytes');
    this.#out.text(at + LOST_BYTES, reason, 'lost.reason');
  }

  /** Starts a section of `length` payload bytes, moves on to the next, and returns where its payload goes. */
  #section(tag: number, detail: number, length: number): number {
    const at = this.at;
    const view = this.#out.view;
    view.setUint16(at + SectionAt.tag, tag, true);
    view.setUint16(at + SectionAt.detail, detail, true);
    view.setUint32(at + SectionAt.length, length, true);
    const payloadAt = at + SECTION_HEADER_BYTES;
    this.#out.zeroPadding(payloadAt, length);
    this.at = payloadAt + padded(length);
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
