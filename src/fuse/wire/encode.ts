/**
 * Replies are built in one reused buffer: the out header at 0, the body behind
 * it. Every field is written, padding included, so nothing of an earlier reply
 * leaks into a later one.
 */
import { assert } from '../../base/assert.js';
import type { Timespec } from '../../base/time.js';
import type { Attr, Entry, FileLock, OpenResult, Statfs } from '../api.js';
import { VALID_MS_MAX } from '../limits.js';
import {
  DIRENT_ALIGN,
  fuse_attr,
  fuse_attr_out,
  fuse_dirent,
  fuse_direntplus,
  fuse_entry_out,
  fuse_file_lock,
  fuse_ioctl_out,
  fuse_kstatfs,
  fuse_open_out,
  fuse_out_header,
} from './structs.js';

/** Where a reply's body begins in the buffer. */
export const BODY = fuse_out_header.size;
const TWO_32 = 2 ** 32;

export class ReplyBuffer {
  readonly bytes: Buffer;
  /** Who fills the body over several calls (room, directory entries); any other answer takes it away. */
  owner: object | undefined;

  private readonly view: DataView;

  constructor(capacityBytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacityBytes);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, capacityBytes);
  }

  /** Bytes that a body may have. */
  get bodyCapacity(): number {
    return this.bytes.length - BODY;
  }

  header(uniqueLow: number, uniqueHigh: number, errno: number, bodyBytes: number): void {
    const { view } = this;
    view.setUint32(fuse_out_header.len, BODY + bodyBytes, true);
    view.setInt32(fuse_out_header.error, -errno, true);
    view.setUint32(fuse_out_header.unique, uniqueLow, true);
    view.setUint32(fuse_out_header.unique + 4, uniqueHigh, true);
  }

  u16(at: number, value: number): void {
    this.view.setUint16(at, value, true);
  }

  u32(at: number, value: number): void {
    this.view.setUint32(at, value, true);
  }

  i32(at: number, value: number): void {
    this.view.setInt32(at, value, true);
  }

  /** Any integer between -2^53 and 2^53, in two's complement. */
  u64(at: number, value: number): void {
    this.view.setUint32(at, value >>> 0, true);
    this.view.setUint32(at + 4, Math.floor(value / TWO_32) >>> 0, true);
  }

  big(at: number, value: bigint): void {
    this.view.setBigUint64(at, value, true);
  }

  zero(at: number, bytes: number): void {
    this.bytes.fill(0, at, at + bytes);
  }

  copy(at: number, source: Uint8Array): void {
    assert(at + source.length <= this.bytes.length, 'a reply fits its buffer');
    this.bytes.set(source, at);
  }

  attr(at: number, attr: Attr): void {
    this.u64(at + fuse_attr.ino, attr.ino);
    this.u64(at + fuse_attr.size_field, attr.size);
    this.u64(at + fuse_attr.blocks, attr.blocks);
    this.time(at + fuse_attr.atime, at + fuse_attr.atimensec, attr.atime);
    this.time(at + fuse_attr.mtime, at + fuse_attr.mtimensec, attr.mtime);
    this.time(at + fuse_attr.ctime, at + fuse_attr.ctimensec, attr.ctime);
    this.u32(at + fuse_attr.mode, attr.mode);
    this.u32(at + fuse_attr.nlink, attr.nlink);
    this.u32(at + fuse_attr.uid, attr.uid);
    this.u32(at + fuse_attr.gid, attr.gid);
    this.u32(at + fuse_attr.rdev, attr.rdev);
    this.u32(at + fuse_attr.blksize, attr.blksize);
    this.u32(at + fuse_attr.flags, 0);
  }

  entry(at: number, entry: Entry): void {
    this.u64(at + fuse_entry_out.nodeid, entry.nodeId);
    this.u64(at + fuse_entry_out.generation, entry.generation);
    this.valid(
      at + fuse_entry_out.entry_valid,
      at + fuse_entry_out.entry_valid_nsec,
      entry.entryValidMs,
    );
    this.valid(
      at + fuse_entry_out.attr_valid,
      at + fuse_entry_out.attr_valid_nsec,
      entry.attrValidMs,
    );
    this.attr(at + fuse_entry_out.attr, entry.attr);
  }

  attrOut(at: number, attr: Attr, validMs: number): void {
    this.valid(at + fuse_attr_out.attr_valid, at + fuse_attr_out.attr_valid_nsec, validMs);
    this.u32(at + fuse_attr_out.dummy, 0);
    this.attr(at + fuse_attr_out.attr, attr);
  }

  open(at: number, open: OpenResult): void {
    this.u64(at + fuse_open_out.fh, open.fh);
    this.u32(at + fuse_open_out.open_flags, open.flags);
    this.u32(at + fuse_open_out.padding, 0);
  }

  statfs(at: number, statfs: Statfs): void {
    this.zero(at, fuse_kstatfs.size);
    this.u64(at + fuse_kstatfs.blocks, statfs.blocks);
    this.u64(at + fuse_kstatfs.bfree, statfs.bfree);
    this.u64(at + fuse_kstatfs.bavail, statfs.bavail);
    this.u64(at + fuse_kstatfs.files, statfs.files);
    this.u64(at + fuse_kstatfs.ffree, statfs.ffree);
    this.u32(at + fuse_kstatfs.bsize, statfs.bsize);
    this.u32(at + fuse_kstatfs.namelen, statfs.namelen);
    this.u32(at + fuse_kstatfs.frsize, statfs.frsize);
  }

  lock(at: number, lock: FileLock): void {
    this.big(at + fuse_file_lock.start, lock.start);
    this.big(at + fuse_file_lock.end, lock.end);
    this.u32(at + fuse_file_lock.type, lock.type);
    this.u32(at + fuse_file_lock.pid, lock.pid);
  }

  ioctl(at: number, result: number): void {
    this.i32(at + fuse_ioctl_out.result, result);
    this.u32(at + fuse_ioctl_out.flags, 0);
    this.u32(at + fuse_ioctl_out.in_iovs, 0);
    this.u32(at + fuse_ioctl_out.out_iovs, 0);
  }

  /** One entry of READDIR; returns its padded length. */
  dirent(at: number, ino: number, offset: number, type: number, name: string): number {
    this.u64(at + fuse_dirent.ino, ino);
    this.u64(at + fuse_dirent.off, offset);
    this.u32(at + fuse_dirent.namelen, name.length);
    this.u32(at + fuse_dirent.type, type);
    this.bytes.write(name, at + fuse_dirent.name, 'latin1');
    const used = fuse_dirent.name + name.length;
    const padded = aligned(used);
    for (let i = used; i < padded; i++) this.bytes[at + i] = 0;
    return padded;
  }

  /** One entry of READDIRPLUS; returns its padded length. */
  direntplus(at: number, entry: Entry, offset: number, name: string): number {
    this.entry(at + fuse_direntplus.entry_out, entry);
    const type = (entry.attr.mode >>> 12) & 0o17;
    const dirent = at + fuse_direntplus.dirent;
    return fuse_direntplus.dirent + this.dirent(dirent, entry.attr.ino, offset, type, name);
  }

  private time(sec: number, nsec: number, time: Timespec): void {
    this.u64(sec, time.sec);
    this.u32(nsec, time.nsec);
  }

  private valid(sec: number, nsec: number, ms: number): void {
    const bounded = Math.min(ms, VALID_MS_MAX);
    const whole = Math.floor(bounded / 1000);
    this.u64(sec, whole);
    this.u32(nsec, Math.round((bounded - whole * 1000) * 1e6));
  }
}

/** Bytes that a directory entry with a name of `nameBytes` takes. */
export function direntBytes(nameBytes: number): number {
  return aligned(fuse_dirent.name + nameBytes);
}

export function direntplusBytes(nameBytes: number): number {
  return fuse_direntplus.dirent + direntBytes(nameBytes);
}

function aligned(bytes: number): number {
  return (bytes + DIRENT_ALIGN - 1) & -DIRENT_ALIGN;
}
