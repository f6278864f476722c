/** Finds and reads the tagged sections of a record: what is not exactly as FORMAT.md says is refused. */
import { FID_BYTES, type Fid } from '../base/fid.js';
import type { FieldReader } from '../base/field-reader.js';
import { NAME_BYTES_MAX } from '../base/name.js';
import type { Timespec } from '../base/time.js';
import type {
  Access,
  Extent,
  LostRecord,
  RecordAttrs,
  RecordIndex,
  SetxattrRecord,
} from './record.js';
import { RecordError } from './record-error.js';
import {
  ACCESS_BITS_KNOWN,
  ACCESS_BYTES,
  AccessBit,
  ATTR_BITS_KNOWN,
  AttrBit,
  attrBytes,
  checkLost,
  EXTENT_BYTES,
  LOST_BYTES,
  padded,
  SECTION_HEADER_BYTES,
  SectionAt,
  TAG_MAX,
  TAG_NAMES,
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

/** Where the payload of a section is, and its detail. */
interface Section {
  at: number;
  length: number;
  detail: number;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Used again for each record of a buffer: `find` forgets the sections of the one before. */
export class SectionReader {
  readonly #fields: FieldReader;
  /** By tag; `#present` says which of them the record has. */
  readonly #sections: readonly Section[] = Array.from({ length: TAG_MAX + 1 }, () => ({
    at: 0,
    length: 0,
    detail: 0,
  }));
  #present = 0;

  constructor(fields: FieldReader) {
    this.#fields = fields;
  }

  /** Notes the sections between `start` and `end`, and returns the set of their tags. */
  find(start: number, end: number): number {
    const fields = this.#fields;
    let present = 0;
    let tagBefore = 0;
    let at = start;
    while (at < end) {
      const tag = fields.u16(at + SectionAt.tag);
      const section = tag > tagBefore ? this.#sections[tag] : undefined;
      if (section === undefined) {
        throw new RecordError('section', `tag ${tag} after ${tagBefore}`, at);
      }
      const length = fields.u32(at + SectionAt.length);
      const payloadAt = at + SECTION_HEADER_BYTES;
      // All of this is in multiples of 8, so a payload that fits also fits with its padding.
      if (length > end - payloadAt) {
        throw new RecordError(TAG_NAMES[tag] ?? 'section', 'reaches beyond the record', at);
      }
      section.at = payloadAt;
      section.length = length;
      section.detail = fields.u16(at + SectionAt.detail);
      at = payloadAt + padded(length);
      fields.zeroes(payloadAt + length, at, 'section');
      present |= 1 << tag;
      tagBefore = tag;
    }
    this.#present = present;
    return present;
  }

  has(tag: number): boolean {
    return (this.#present & (1 << tag)) !== 0;
  }

  name(): string {
    const { at, length } = this.#payload(Tag.NAME, 1, NAME_BYTES_MAX);
    return this.#fields.text(at, length);
  }

  newName(): { readonly newParent: Fid; readonly newName: string } {
    const section = this.#payload(Tag.NEW_NAME, FID_BYTES + 1, FID_BYTES + NAME_BYTES_MAX);
    return {
      newParent: this.#fields.realFid(section.at, 'newParent'),
      newName: this.#fields.text(section.at + FID_BYTES, section.length - FID_BYTES),
    };
  }

  target(): string {
    const { at, length } = this.#payload(Tag.TARGET, 1, TARGET_BYTES_MAX);
    return this.#fields.text(at, length);
  }

  xattr(): SetxattrRecord['xattr'] {
    const { at, length, detail: nameBytes } = this.#section(Tag.XATTR);
    const valueBytes = length - 8 - nameBytes;
    if (nameBytes < 1 || nameBytes > XATTR_NAME_BYTES_MAX || valueBytes < 0) {
      throw new RecordError('xattr.name', `${nameBytes} bytes of ${length}`, at);
    }
    if (valueBytes > XATTR_VALUE_BYTES_MAX) {
      throw new RecordError('xattr.value', `${valueBytes} bytes`, at);
    }
    this.#fields.zeroes(at + 4, at + 8, 'xattr');
    return {
      name: this.#fields.text(at + 8, nameBytes),
      value: this.#fields.copy(at + 8 + nameBytes, valueBytes),
      flags: this.#fields.u32(at),
    };
  }

  /** Only the name: of a removed attribute, or of one that was read. */
  xattrName(): { readonly name: string } {
    const { name, value, flags } = this.xattr();
    if (value.length !== 0 || flags !== 0) {
      throw new RecordError('xattr', 'has a value or flags', this.#section(Tag.XATTR).at);
    }
    return { name };
  }

  access(): Access {
    const { at, length, detail } = this.#section(Tag.ACCESS);
    if (length !== ACCESS_BYTES || (detail & ~ACCESS_BITS_KNOWN) !== 0) {
      throw new RecordError('access', `0x${detail.toString(16)} in ${length} bytes`, at);
    }
    const fields = this.#fields;
    const flags = fields.u32(at);
    const known = (detail & AccessBit.FLAGS) !== 0;
    if (!known && flags !== 0) throw new RecordError('access.flags', 'are not known', at);
    fields.zeroes(at + 12, at + ACCESS_BYTES, 'access');
    return {
      ...(known ? { flags } : {}),
      errno: fields.u32(at + 4),
      repeated: fields.u32(at + 8),
      directory: (detail & AccessBit.DIRECTORY) !== 0,
    };
  }

  lost(): LostRecord['lost'] {
    const section = this.#payload(Tag.LOST, LOST_BYTES, LOST_BYTES + LOST_REASON_BYTES_MAX);
    const { at } = section;
    const fields = this.#fields;
    const firstIndex = fields.u64(at, 'lost.firstIndex') as RecordIndex;
    const lastIndex = fields.u64(at + 8, 'lost.lastIndex') as RecordIndex;
    const records = fields.u64(at + 16, 'lost.records');
    checkLost(firstIndex, lastIndex, records, at);
    const bytes = fields.u64(at + 24, 'lost.bytes');
    const reason = fields.text(at + LOST_BYTES, section.length - LOST_BYTES);
    return { firstIndex, lastIndex, records, bytes, reason };
  }

  extents(): Extent[] {
    const { at, length } = this.#payload(Tag.EXTENTS, 0, EXTENTS_MAX * EXTENT_BYTES);
    if (length % EXTENT_BYTES !== 0) throw new RecordError('extents', `${length} bytes`, at);
    const extents: Extent[] = [];
    let end = 0;
    for (let next = at; next < at + length; next += EXTENT_BYTES) {
      const offset = this.#fields.u64(next, 'extents.offset');
      const bytes = this.#fields.u64(next + 8, 'extents.length');
      if (offset < end || bytes === 0 || !Number.isSafeInteger(offset + bytes)) {
        throw new RecordError('extents', 'not ascending and disjoint', next);
      }
      extents.push({ offset, length: bytes });
      end = offset + bytes;
    }
    return extents;
  }

  /** `now` is the record's time, which stands for the times that are equal to it. */
  attrs(now: Timespec): RecordAttrs {
    return this.#attrs(this.#section(Tag.ATTRS), 0, now);
  }

  overwritten(now: Timespec): { readonly fid: Fid; readonly attrs: RecordAttrs } {
    const section = this.#section(Tag.OVERWRITTEN);
    if (section.length < FID_BYTES) throw new RecordError('over', 'is too short', section.at);
    return {
      fid: this.#fields.realFid(section.at, 'over.fid'),
      attrs: this.#attrs(section, FID_BYTES, now),
    };
  }

  exchanged(): Fid {
    const { at } = this.#payload(Tag.EXCHANGED, FID_BYTES, FID_BYTES);
    return this.#fields.realFid(at, 'exchanged');
  }

  #section(tag: number): Section {
    const section = this.#sections[tag];
    if (section === undefined || !this.has(tag)) {
      throw new RecordError(TAG_NAMES[tag] ?? 'section', 'is missing');
    }
    return section;
  }

  /** A section that has no detail, with the length of its payload checked. */
  #payload(tag: number, bytesMin: number, bytesMax: number): Section {
    const section = this.#section(tag);
    const field = TAG_NAMES[tag] ?? 'section';
    if (section.length < bytesMin || section.length > bytesMax) {
      const range = `not ${bytesMin} to ${bytesMax}`;
      throw new RecordError(field, `${section.length} bytes, ${range}`, section.at);
    }
    if (section.detail !== 0) throw new RecordError(field, `detail ${section.detail}`, section.at);
    return section;
  }

  /** The attribute values that begin `skip` bytes into a section. */
  #attrs({ at: start, length, detail: bits }: Section, skip: number, now: Timespec): RecordAttrs {
    const fields = this.#fields;
    const twice = (bits >>> 8) & bits & (AttrBit.atime | AttrBit.mtime | AttrBit.ctime);
    if ((bits & ~ATTR_BITS_KNOWN) !== 0 || twice !== 0 || length !== skip + attrBytes(bits)) {
      throw new RecordError('attrs', `0x${bits.toString(16)} in ${length} bytes`, start);
    }
    const attrs: Mutable<RecordAttrs> = {};
    let at = start + skip;
    if (bits & AttrBit.size) {
      attrs.size = fields.u64(at, 'attrs.size');
      at += 8;
    }
    for (const [field, bit, sameBit] of TIME_BITS) {
      if (bits & sameBit) attrs[field] = now;
      if ((bits & bit) === 0) continue;
      attrs[field] = fields.time(at, field);
      fields.zeroes(at + 12, at + TIME_BYTES, field);
      at += TIME_BYTES;
    }
    for (const [field, bit] of WORD_BITS) {
      if ((bits & bit) === 0) continue;
      attrs[field] = fields.u32(at);
      at += 4;
    }
    return attrs;
  }
}

const TIME_BITS = [
  ['atime', AttrBit.atime, AttrBit.atimeSame],
  ['mtime', AttrBit.mtime, AttrBit.mtimeSame],
  ['ctime', AttrBit.ctime, AttrBit.ctimeSame],
] as const;
const WORD_BITS = [
  ['mode', AttrBit.mode],
  ['uid', AttrBit.uid],
  ['gid', AttrBit.gid],
  ['nlink', AttrBit.nlink],
  ['rdev', AttrBit.rdev],
] as const;
