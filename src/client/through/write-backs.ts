/**
 * Writes of mappings that were answered and are on their way to the server: of each file one at
 * a time, in order.
 *
 * A write that is not answered keeps its pages locked, and the kernel drops locked pages of no
 * file: so none is held while the server wants a file back, which may be what the writes before
 * it wait for.
 */
import { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import type { FileState } from '../file-state.js';
import type { Changed } from '../files.js';
import type { Author, Done } from '../recorder.js';
import { WRITE_BACK_BYTES_MAX } from './limits.js';
import { UntoldFailures } from './untold-failures.js';

export interface WriteBack {
  readonly file: FileState;
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly author: Author;
}

type Send = (
  file: FileState,
  offset: number,
  bytes: Uint8Array,
  author: Author,
  done: Changed,
) => void;

interface Queue {
  readonly waiting: WriteBack[];
  /** Called once nothing is on its way. */
  idle: Done[];
}

export interface WriteBacksOptions {
  readonly send: Send;
  /** Ends a use of the file. */
  readonly release: (file: FileState) => void;
  /** The server wants the file, and waits until the kernel has dropped its pages. */
  readonly isOwed: (fid: Fid) => boolean;
}

export class WriteBacks {
  readonly #send: Send;
  readonly #release: (file: FileState) => void;
  readonly #isOwed: (fid: Fid) => boolean;
  readonly #failures = new UntoldFailures();
  /** Files that the server wanted; those that are not owed any more go when it matters. */
  readonly #wanted = new Set<Fid>();
  readonly #queues = new Map<FileState, Queue>();
  /** Not answered, because too much is on its way. */
  readonly #held: { readonly write: WriteBack; readonly taken: () => void }[] = [];
  #bytes = 0;

  constructor({ send, release, isOwed }: WriteBacksOptions) {
    this.#send = send;
    this.#release = release;
    this.#isOwed = isOwed;
  }

  /** `taken`: it may be answered. */
  add(write: WriteBack, taken: () => void): void {
    if (this.#bytes >= WRITE_BACK_BYTES_MAX && !this.#isWanting()) {
      this.#held.push({ write, taken });
    } else this.#take(write, taken);
  }

  /**
   * The server wants the file: nothing is held until it has it. What that takes beyond the limit
   * is what the kernel has of changed pages, which it limits.
   */
  wanted(fid: Fid): void {
    this.#wanted.add(fid);
    for (const { write, taken } of this.#held.splice(0)) this.#take(write, taken);
  }

  /** The file is not open any more: who syncs everything is told what failed. */
  closed(file: FileState): void {
    this.#failures.closed(file);
  }

  /** Calls back when nothing of the file is on its way, with the first failure since it was last told. */
  whenDone(file: FileState, done: Done): void {
    const queue = this.#queues.get(file);
    if (queue === undefined) done(this.#failures.tell(file));
    else queue.idle.push(done);
  }

  whenAllDone(done: Done): void {
    let left = 1;
    let failure: Errno | 0 = 0;
    const one: Done = (errno) => {
      if (failure === 0) failure = errno;
      if (--left === 0) done(failure);
    };
    for (const queue of this.#queues.values()) {
      left++;
      queue.idle.push(one);
    }
    one(this.#failures.tellAll());
  }

  #isWanting(): boolean {
    for (const fid of this.#wanted) if (!this.#isOwed(fid)) this.#wanted.delete(fid);
    return this.#wanted.size > 0;
  }

  #take(write: WriteBack, taken: () => void): void {
    this.#bytes += write.bytes.byteLength;
    const queue = this.#queues.get(write.file);
    if (queue === undefined) {
      write.file.users++;
      this.#queues.set(write.file, { waiting: [write], idle: [] });
      this.#next(write.file);
    } else queue.waiting.push(write);
    taken();
  }

  #next(file: FileState): void {
    const queue = this.#queues.get(file);
    const write = queue?.waiting[0];
    if (queue === undefined) return;
    if (write === undefined) {
      this.#queues.delete(file);
      // All of them asked before this moment.
      const failure = queue.idle.length === 0 ? 0 : this.#failures.tell(file);
      for (const done of queue.idle) done(failure);
      this.#release(file);
      return;
    }
    this.#send(file, write.offset, write.bytes, write.author, (errno, count) => {
      const short = count < write.bytes.byteLength;
      if (errno !== 0 || short) this.#failures.add(file, errno || Errno.EIO);
      queue.waiting.shift();
      this.#bytes -= write.bytes.byteLength;
      this.#next(file);
      const held = this.#bytes < WRITE_BACK_BYTES_MAX ? this.#held.shift() : undefined;
      if (held !== undefined) this.add(held.write, held.taken);
    });
  }
}
