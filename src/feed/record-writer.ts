/** Records to bytes, one after the other into one buffer. On the path of every change. */
import { crc32 } from 'node:zlib';
import { unreachable } from '../base/assert.js';
import { writeFid } from '../base/fid.js';
import type { Timespec } from '../base/time.js';
import type { RecordBody, RecordHead } from './record.js';
import { RecordError } from './record-error.js';
import { checkLength, FieldWriter } from './record-field-writer.js';
import {
  At,
  CRC_BYTES,
  createOp,
  flagsOf,
  LOCAL_NID,
  OPCODES,
  padded,
  RECORD_VERSION,
  TRAILER_BYTES,
} from './record-layout.js';
import { JOBID_BYTES_MAX, NID_BYTES_MAX, RECORD_BYTES_MAX } from './record-limits.js';
import { SectionWriter } from './record-section-writer.js';

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
  #sections = new SectionWriter(this.#out);
  #used = 0;

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
    this.#sections.at = this.#putHeader(start, head, body);
    this.#putSections(body, head.time);
    const end = this.#sections.at;
    const length = end + TRAILER_BYTES - start;
    const crcAt = start + length - CRC_BYTES;
    view.setUint32(start + At.length, length, true);
    view.setUint32(end, 0, true);
    view.setUint32(crcAt, crc32(this.#out.bytes.subarray(start, crcAt)), true);
    this.#used = start + length;
    return length;
  }

  #allocate(capacity: number): void {
    const out = new FieldWriter(capacity);
    out.bytes.set(this.#out.bytes.subarray(0, this.#used));
    this.#out = out;
    this.#sections = new SectionWriter(out);
  }

  /** Returns where it ends. */
  #putHeader(start: number, head: RecordHead, body: RecordBody): number {
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
    return textAt + padded(nidText.length + jobid.length);
  }

  /** In ascending order of tags. */
  #putSections(record: RecordBody, time: Timespec): void {
    const sections = this.#sections;
    switch (record.op) {
      case 'create':
      case 'mkdir':
      case 'mknod':
      case 'symlink':
        if (createOp(record.attrs.mode ?? 0) !== record.op) {
          throw new RecordError('attrs.mode', `is not the mode of a ${record.op}`);
        }
        sections.name(record.parent, record.name);
        sections.attrs(record.attrs, time);
        if (record.op === 'symlink') sections.target(record.target);
        return;
      case 'link':
      case 'unlink':
      case 'rmdir':
        sections.name(record.parent, record.name);
        sections.attrs(record.attrs, time);
        return;
      case 'rename':
        sections.name(record.parent, record.name);
        sections.newName(record.newParent, record.newName);
        sections.attrs(record.attrs, time);
        if (record.over !== undefined) sections.overwritten(record.over, time);
        if (record.exchanged !== undefined) sections.exchanged(record.exchanged);
        return;
      case 'setattr':
        sections.attrs(record.attrs, time);
        return;
      case 'setxattr':
        sections.attrs(record.attrs, time);
        sections.xattr(record.xattr.name, record.xattr.value, record.xattr.flags);
        return;
      case 'removexattr':
        sections.attrs(record.attrs, time);
        sections.xattr(record.xattr.name, NO_BYTES, 0);
        return;
      case 'write':
        sections.attrs(record.attrs, time);
        sections.extents(record.extents);
        return;
      case 'open':
      case 'close':
      case 'denied':
        sections.access(record.access);
        return;
      case 'getxattr':
        sections.xattr(record.xattr.name, NO_BYTES, 0);
        sections.access(record.access);
        return;
      case 'lost':
        sections.lost(record.lost);
        return;
      default:
        unreachable(record);
    }
  }
}

const NO_BYTES = new Uint8Array(0);
