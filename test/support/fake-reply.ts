/** Any reply of the FUSE session, which remembers what it was answered with. */
import { Errno, errnoName } from '../../src/base/errno.js';
import type { Attr, Entry, FileLock, OpenResult, Statfs } from '../../src/fuse/api.js';

export interface Listed {
  readonly ino: number;
  readonly offset: number;
  readonly name: string;
}

export class FakeReply {
  /** Undefined until it is answered; 0 for success. */
  errno: Errno | 0 | undefined;
  got: {
    entry?: Entry;
    attr?: Attr;
    open?: OpenResult;
    bytes?: Uint8Array;
    count?: number;
    statfs?: Statfs;
    offset?: number;
    revents?: number;
    lock?: FileLock;
  } = {};
  /** What a listing gave. */
  readonly entries: Listed[] = [];
  /** How many entries fit into a listing. */
  entriesMax = Number.POSITIVE_INFINITY;
  #room = new Uint8Array(0);
  #cancel: (() => void) | undefined;

  get answered(): boolean {
    return this.errno !== undefined;
  }

  /** The name of the errno, `ok`, or `pending`. */
  get outcome(): string {
    if (this.errno === undefined) return 'pending';
    return this.errno === 0 ? 'ok' : errnoName(this.errno);
  }

  interrupt(): void {
    this.#cancel?.();
  }

  error(errno: Errno): void {
    this.#settle(errno);
  }
  ok(): void {
    this.#settle(0);
  }
  end(): void {
    this.#settle(0);
  }
  entry(entry: Entry): void {
    // A negative entry is how a lookup says ENOENT and lets the kernel remember it.
    this.#settle(entry.nodeId === 0 ? Errno.ENOENT : 0, { entry });
  }
  attr(attr: Attr): void {
    this.#settle(0, { attr });
  }
  open(open: OpenResult): void {
    this.#settle(0, { open });
  }
  created(entry: Entry, open: OpenResult): void {
    this.#settle(0, { entry, open });
  }
  data(bytes: Uint8Array): void {
    this.#settle(0, { bytes: Uint8Array.from(bytes), count: bytes.byteLength });
  }
  room(bytes: number): Uint8Array {
    this.#room = new Uint8Array(bytes);
    return this.#room;
  }
  filled(count: number): void {
    this.#settle(0, { bytes: this.#room.subarray(0, count), count });
  }
  onInterrupt(cancel: () => void): void {
    this.#cancel = cancel;
  }
  written(count: number): void {
    this.#settle(0, { count });
  }
  statfs(statfs: Statfs): void {
    this.#settle(0, { statfs });
  }
  value(bytes: Uint8Array): void {
    this.#settle(0, { bytes: Uint8Array.from(bytes) });
  }
  offset(offset: number): void {
    this.#settle(0, { offset });
  }
  events(revents: number): void {
    this.#settle(0, { revents });
  }
  result(count: number, bytes: Uint8Array): void {
    this.#settle(0, { count, bytes });
  }
  lock(lock: FileLock): void {
    this.#settle(0, { lock });
  }
  /** Of readdir (ino, cookie, type, name) and of readdirplus (entry, cookie, name). */
  add(what: number | Entry, offset: number, third: number | string, name?: string): boolean {
    if (this.entries.length >= this.entriesMax) return false;
    const ino = typeof what === 'number' ? what : what.attr.ino;
    this.entries.push({ ino, offset, name: name ?? `${third}` });
    return true;
  }

  #settle(errno: Errno | 0, got: FakeReply['got'] = {}): void {
    if (this.errno !== undefined) throw new Error('answered twice');
    this.errno = errno;
    this.got = got;
  }
}
