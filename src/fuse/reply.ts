/**
 * Replies: one object per request, one class per shape of answer. An answer is
 * encoded straight into the session's output buffer and handed to a sink,
 * which in tests is a list of bytes.
 */
import { assert } from '../base/assert.js';
import { Errno } from '../base/errno.js';
import { NAME_BYTES_MAX } from '../base/name.js';
import type * as api from './api.js';
import { PendingReply, type ReplySink } from './pending-reply.js';
import { BODY, direntBytes, direntplusBytes } from './wire/encode.js';
import type { Message } from './wire/message.js';
import {
  fuse_attr_out,
  fuse_entry_out,
  fuse_getxattr_out,
  fuse_ioctl_out,
  fuse_kstatfs,
  fuse_lk_out,
  fuse_lseek_out,
  fuse_open_out,
  fuse_poll_out,
  fuse_write_out,
} from './wire/structs.js';

export class EmptyReply extends PendingReply implements api.InterruptibleEmptyReply {
  ok(): void {
    if (this.claim()) this.finish(0);
  }
}

export class EntryReply extends PendingReply implements api.EntryReply {
  entry(entry: api.Entry): void {
    if (!this.claim()) return;
    this.sink.out.entry(BODY, entry);
    this.finish(fuse_entry_out.size);
  }
}

export class AttrReply extends PendingReply implements api.AttrReply {
  attr(attr: api.Attr, validMs: number): void {
    if (!this.claim()) return;
    this.sink.out.attrOut(BODY, attr, validMs);
    this.finish(fuse_attr_out.size);
  }
}

export class OpenReply extends PendingReply implements api.OpenReply {
  open(open: api.OpenResult): void {
    if (!this.claim()) return;
    this.sink.out.open(BODY, open);
    this.finish(fuse_open_out.size);
  }
}

export class CreateReply extends PendingReply implements api.CreateReply {
  created(entry: api.Entry, open: api.OpenResult): void {
    if (!this.claim()) return;
    this.sink.out.entry(BODY, entry);
    this.sink.out.open(BODY + fuse_entry_out.size, open);
    this.finish(fuse_entry_out.size + fuse_open_out.size);
  }
}

export class DataReply extends PendingReply implements api.InterruptibleDataReply {
  private readonly limit: number;

  /** `limit`: bytes that the caller has room for. */
  constructor(sink: ReplySink, request: Message, limit: number) {
    super(sink, request);
    this.limit = limit;
  }

  data(bytes: Uint8Array): void {
    this.check(bytes.length);
    if (!this.claim()) return;
    this.sink.out.copy(BODY, bytes);
    this.finish(bytes.length);
  }

  room(bytes: number): Uint8Array {
    this.check(bytes);
    const { out } = this.sink;
    out.owner = this;
    return out.bytes.subarray(BODY, BODY + bytes);
  }

  filled(count: number): void {
    this.check(count);
    if (this.answered && !this.claim()) return;
    assert(this.sink.out.owner === this, 'room() was taken by another answer before filled()');
    if (this.claim()) this.finish(count);
  }

  private check(bytes: number): void {
    assert(bytes <= this.limit, () => `${bytes} bytes for a caller with room for ${this.limit}`);
  }
}

/** WRITE and COPY_FILE_RANGE; the 64-bit count of COPY_FILE_RANGE_64 has the same bytes. */
export class WriteReply extends PendingReply implements api.WriteReply {
  written(count: number): void {
    if (!this.claim()) return;
    this.sink.out.u64(BODY, count);
    this.finish(fuse_write_out.size);
  }
}

export class StatfsReply extends PendingReply implements api.StatfsReply {
  statfs(statfs: api.Statfs): void {
    if (!this.claim()) return;
    this.sink.out.statfs(BODY, statfs);
    this.finish(fuse_kstatfs.size);
  }
}

export class XattrReply extends PendingReply implements api.XattrReply {
  private readonly size: number;

  /** `size`: the caller's buffer in bytes; 0 asks how large it would have to be. */
  constructor(sink: ReplySink, request: Message, size: number) {
    super(sink, request);
    this.size = size;
  }

  value(bytes: Uint8Array): void {
    if (!this.claim()) return;
    if (this.size === 0) {
      this.sink.out.u64(BODY, bytes.length);
      this.finish(fuse_getxattr_out.size);
    } else if (bytes.length > this.size) {
      this.finish(0, Errno.ERANGE);
    } else {
      this.sink.out.copy(BODY, bytes);
      this.finish(bytes.length);
    }
  }
}

export class LseekReply extends PendingReply implements api.LseekReply {
  offset(offset: number): void {
    if (!this.claim()) return;
    this.sink.out.u64(BODY, offset);
    this.finish(fuse_lseek_out.size);
  }
}

export class PollReply extends PendingReply implements api.PollReply {
  events(revents: number): void {
    if (!this.claim()) return;
    this.sink.out.u64(BODY, revents);
    this.finish(fuse_poll_out.size);
  }
}

export class IoctlReply extends PendingReply implements api.IoctlReply {
  private readonly limit: number;

  constructor(sink: ReplySink, request: Message, limit: number) {
    super(sink, request);
    this.limit = limit;
  }

  result(result: number, output: Uint8Array): void {
    assert(output.length <= this.limit, 'an ioctl answers no more than its caller asked for');
    if (!this.claim()) return;
    this.sink.out.ioctl(BODY, result);
    this.sink.out.copy(BODY + fuse_ioctl_out.size, output);
    this.finish(fuse_ioctl_out.size + output.length);
  }
}

export class LockReply extends PendingReply implements api.LockReply {
  lock(lock: api.FileLock): void {
    if (!this.claim()) return;
    this.sink.out.lock(BODY, lock);
    this.finish(fuse_lk_out.size);
  }
}

/** Packs entries into the output buffer: from the first add to end() nothing else may be answered. */
abstract class PackedReply extends PendingReply {
  protected used = 0;
  private readonly limit: number;

  constructor(sink: ReplySink, request: Message, limit: number) {
    super(sink, request);
    this.limit = Math.min(limit, sink.out.bodyCapacity);
  }

  end(): void {
    if (this.used > 0 && !this.answered) this.assertOwner();
    if (this.claim()) this.finish(this.used);
  }

  /** Where the next entry of `bytes` goes, or -1 if it does not fit. */
  protected reserve(bytes: number, name: string): number {
    assert(
      name.length > 0 && name.length <= NAME_BYTES_MAX,
      'a name in a listing has 1..255 bytes',
    );
    if (this.answered || this.used + bytes > this.limit) return -1;
    if (this.used === 0) this.sink.out.owner = this;
    else this.assertOwner();
    const at = BODY + this.used;
    this.used += bytes;
    return at;
  }

  private assertOwner(): void {
    assert(this.sink.out.owner === this, 'a listing was interrupted by another answer');
  }
}

export class DirectoryReply extends PackedReply implements api.DirectoryReply {
  add(ino: number, offset: number, type: number, name: string): boolean {
    const at = this.reserve(direntBytes(name.length), name);
    if (at < 0) return false;
    this.sink.out.dirent(at, ino, offset, type, name);
    return true;
  }
}

export class DirectoryPlusReply extends PackedReply implements api.DirectoryPlusReply {
  add(entry: api.Entry, offset: number, name: string): boolean {
    const at = this.reserve(direntplusBytes(name.length), name);
    if (at < 0) return false;
    this.sink.out.direntplus(at, entry, offset, name);
    return true;
  }
}
