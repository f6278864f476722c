/**
 * Replies of this driver: each is answered once and hands what it got to a
 * callback. The same shapes as those of the session, without bytes of a protocol.
 */
import { assert } from '../base/assert.js';
import { Errno } from '../base/errno.js';
import type * as api from '../fuse/api.js';

/** `value` is there if and only if `errno` is 0. */
export type Done<T> = (errno: Errno | 0, value: T | undefined) => void;

abstract class Answer<T> implements api.Reply {
  readonly #done: Done<T>;
  #answered = false;

  constructor(done: Done<T>) {
    this.#done = done;
  }

  get answered(): boolean {
    return this.#answered;
  }

  error(errno: Errno): void {
    this.#claim();
    this.#done(errno, undefined);
  }

  protected give(value: T): void {
    this.#claim();
    this.#done(0, value);
  }

  #claim(): void {
    assert(!this.#answered, 'a request is answered once');
    this.#answered = true;
  }
}

export class EmptyAnswer extends Answer<true> implements api.EmptyReply {
  ok(): void {
    this.give(true);
  }
}

/** A negative entry is ENOENT. */
export class EntryAnswer extends Answer<api.Entry> implements api.EntryReply {
  entry(entry: api.Entry): void {
    if (entry.nodeId === 0) this.error(Errno.ENOENT);
    else this.give(entry);
  }
}

export class AttrAnswer extends Answer<api.Attr> implements api.AttrReply {
  attr(attr: api.Attr): void {
    this.give(attr);
  }
}

export class OpenAnswer extends Answer<api.OpenResult> implements api.OpenReply {
  open(open: api.OpenResult): void {
    this.give(open);
  }
}

export interface Created {
  readonly entry: api.Entry;
  readonly open: api.OpenResult;
}

export class CreateAnswer extends Answer<Created> implements api.CreateReply {
  created(entry: api.Entry, open: api.OpenResult): void {
    this.give({ entry, open });
  }
}

/** Bytes into the caller's own buffer; gives their number. Nothing here can be interrupted. */
export class DataAnswer extends Answer<number> implements api.InterruptibleDataReply {
  readonly #buffer: Uint8Array;

  constructor(buffer: Uint8Array, done: Done<number>) {
    super(done);
    this.#buffer = buffer;
  }

  data(bytes: Uint8Array): void {
    this.room(bytes.length).set(bytes);
    this.filled(bytes.length);
  }

  room(bytes: number): Uint8Array {
    assert(bytes <= this.#buffer.length, 'no more than the caller has room for');
    return this.#buffer.subarray(0, bytes);
  }

  filled(count: number): void {
    assert(count <= this.#buffer.length, 'no more than the caller has room for');
    this.give(count);
  }

  onInterrupt(): void {
    // libfuse is not told of interrupts by this package: the answer comes when it comes.
  }
}

export class WriteAnswer extends Answer<number> implements api.WriteReply {
  written(count: number): void {
    this.give(count);
  }
}

export class StatfsAnswer extends Answer<api.Statfs> implements api.StatfsReply {
  statfs(statfs: api.Statfs): void {
    this.give(statfs);
  }
}

export class XattrAnswer extends Answer<Uint8Array> implements api.XattrReply {
  value(bytes: Uint8Array): void {
    this.give(Uint8Array.from(bytes));
  }
}

export interface ListedName {
  readonly ino: number;
  /** DT_* of readdir(3). */
  readonly type: number;
  /** Binary string. */
  readonly name: string;
}

export interface Listing {
  readonly entries: readonly ListedName[];
  /** The cookie that continues after the last entry. */
  readonly offset: number;
}

/** Takes up to `limit` entries. */
export class DirectoryAnswer extends Answer<Listing> implements api.DirectoryReply {
  readonly #entries: ListedName[] = [];
  readonly #limit: number;
  #offset = 0;

  constructor(limit: number, done: Done<Listing>) {
    super(done);
    this.#limit = limit;
  }

  add(ino: number, offset: number, type: number, name: string): boolean {
    if (this.#entries.length === this.#limit) return false;
    this.#entries.push({ ino, type, name });
    this.#offset = offset;
    return true;
  }

  end(): void {
    this.give({ entries: this.#entries, offset: this.#offset });
  }
}
