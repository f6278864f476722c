/**
 * Where the bytes of a regular file are, and moving them there: small contents in
 * memory until they are recorded with the metadata server, large ones in object files.
 * When that may happen, and what is told to the server, is file-io.ts.
 */
import { must } from '../base/assert.js';
import { Errno, errnoOf, FsError } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import type { Clock } from '../base/time.js';
import { type ObjectId, type ObjectStore, PartialWrite } from '../objects/object-store.js';
import { FILE_BYTES_MAX, INLINE_BYTES_MAX } from '../rpc/limits.js';
import type { Connection } from '../rpc/messages.js';
import type { FileState } from './file-state.js';
import { COPY_BUFFER_BYTES, COPY_BYTES_MAX } from './limits.js';
import { Space } from './space.js';

const NO_BYTES = new Uint8Array(0);

export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** The bytes that a change touched; the file reaches to their end. */
export const NO_RANGE: Range = { offset: 0, length: 0 };

/** The part of a range that is in the file. */
export function within({ offset, length }: Range, size: number): Range {
  if (offset >= size) return NO_RANGE;
  return { offset, length: Math.min(length, size - offset) };
}

/** A change of an object file that failed on the way. */
export class HalfDone extends FsError {
  /** What may have changed all the same. */
  readonly part: Range;
  /** Bytes from the start that are as they were asked for, and can be answered. */
  readonly count: number;

  constructor(cause: unknown, part: Range, count: number) {
    super(errnoOf(cause), 'a change of an object file', { cause });
    this.part = part;
    this.count = count;
  }
}

export class FileData {
  readonly #mds: Connection;
  readonly #objects: ObjectStore;
  readonly #space: Space;
  /** On the way from one file to another; made when it is first needed. */
  #copied: Uint8Array | undefined;

  constructor(mds: Connection, objects: ObjectStore, clock: Clock) {
    this.#mds = mds;
    this.#objects = objects;
    this.#space = new Space(mds, objects, clock);
  }

  /** Bytes read at `offset`; fewer than asked for only at the end of the file. */
  read(file: FileState, offset: number, into: Uint8Array): number {
    const length = Math.max(0, Math.min(into.byteLength, file.size - offset));
    if (length === 0) return 0;
    const target = into.subarray(0, length);
    let found = 0;
    if (file.layout === 'object') found = this.#objects.read(idOf(file), target, offset);
    else if (file.layout === 'inline') {
      const contents = this.contents(file);
      const part = contents.subarray(offset, Math.min(offset + length, file.size));
      target.set(part);
      found = part.byteLength;
    }
    target.fill(0, found);
    return length;
  }

  /** Where data or a hole starts at or after `offset`. FsError(ENXIO) as lseek(2) says. */
  seek(file: FileState, offset: number, what: 'data' | 'hole'): number {
    if (offset < 0 || offset >= file.size) throw new FsError(Errno.ENXIO, 'beyond the end');
    if (file.layout === 'inline') return what === 'data' ? offset : file.size;
    const found =
      file.layout === 'object' ? this.#objects.seek(idOf(file), offset, what) : undefined;
    if (what === 'hole') return found === undefined ? offset : Math.min(found, file.size);
    if (found === undefined || found >= file.size) {
      throw new FsError(Errno.ENXIO, 'only a hole follows');
    }
    return found;
  }

  /** Puts bytes in their place. FsError(ENOSPC, EIO, …); HalfDone if some are there then. */
  write(file: FileState, offset: number, data: Uint8Array): void {
    if (data.byteLength === 0) return;
    if (offset + data.byteLength > FILE_BYTES_MAX) throw new FsError(Errno.EFBIG, 'file too large');
    const end = Math.max(file.size, offset + data.byteLength);
    this.#space.admit(file.layout !== 'object' && end <= INLINE_BYTES_MAX ? 'inline' : 'object');
    if (file.layout !== 'object' && end > INLINE_BYTES_MAX) this.#becomeObject(file);
    if (file.layout === 'object') return this.#writeObject(file, offset, data);
    const before = this.contents(file);
    if (before.byteLength < offset + data.byteLength) {
      const grown = new Uint8Array(Math.min(INLINE_BYTES_MAX, Math.max(256, 2 * end)));
      grown.set(before.subarray(0, file.size));
      file.contents = grown;
    }
    file.layout = 'inline';
    file.contents?.set(data, offset);
  }

  #writeObject(file: FileState, offset: number, data: Uint8Array): void {
    this.trimExcess(file);
    try {
      this.#objects.write(idOf(file), data, offset);
    } catch (error) {
      file.trimmed = false;
      const length = error instanceof PartialWrite ? error.count : 0;
      throw new HalfDone(error, { offset, length }, length);
    }
  }

  /** Changes an object file otherwise: how far a change came that failed is not known. */
  #inObject<R>(file: FileState, range: Range, work: (id: ObjectId) => R): R {
    try {
      return work(idOf(file));
    } catch (error) {
      file.trimmed = false;
      throw new HalfDone(error, within(range, file.size), 0);
    }
  }

  /** From contents in LMDB to an object file of the next generation. */
  #becomeObject(file: FileState): void {
    const contents = file.layout === 'inline' ? this.contents(file) : undefined;
    const id: ObjectId = { fid: file.fid, generation: file.generation + 1 };
    this.#objects.create(id);
    try {
      if (contents !== undefined) this.#objects.write(id, contents.subarray(0, file.size), 0);
    } catch (error) {
      this.#objects.remove(id);
      throw error;
    }
    this.#mds.call('intent', { ...id, durable: false }, () => {});
    // What moved is part of what the record must say, whoever wrote it.
    file.layout = 'object';
    file.generation = id.generation;
    file.contents = undefined;
    file.trimmed = true;
    file.mayOverwrite = true;
  }

  /** Contents of a file that has no object file; they may be longer than the file. */
  contents(file: FileState): Uint8Array {
    if (file.layout === 'empty') return NO_BYTES;
    return must(file.contents, 'contents of an inline file that is open');
  }

  /**
   * Before the file grows: a crash or a failed write may have left bytes behind its end
   * that nobody recorded, and they must not come back.
   */
  trimExcess(file: FileState): void {
    if (file.trimmed || file.layout !== 'object' || file.cutting) return;
    if (this.#objects.use(idOf(file)).size > file.size) {
      this.#objects.truncate(idOf(file), file.size);
    }
    file.trimmed = true;
  }

  /** Zero bytes, and where they can be a hole; also of space set aside behind the end. */
  punch(file: FileState, range: Range): void {
    const { offset, length } = range;
    if (file.layout === 'object') {
      this.#inObject(file, range, (id) => this.#objects.punch(id, offset, length));
    } else this.contents(file).fill(0, offset, offset + length);
  }

  /** Zero bytes with space set aside for them. FsError(ENOSPC, …). */
  zero(file: FileState, range: Range): void {
    const { offset, length } = range;
    if (this.#takesSpace(file, range)) {
      this.#inObject(file, range, (id) => this.#objects.zero(id, offset, length));
    } else this.contents(file).fill(0, offset, offset + length);
  }

  /** Sets space aside; small contents have the store's reserve. FsError(ENOSPC, …). */
  reserve(file: FileState, range: Range): void {
    if (!this.#takesSpace(file, range)) return;
    this.#objects.reserve(idOf(file), range.offset, range.length);
  }

  /** True if the range is an object file's: made now if it could not stay with the metadata. */
  #takesSpace(file: FileState, { offset, length }: Range): boolean {
    const small = file.layout !== 'object' && offset + length <= INLINE_BYTES_MAX;
    this.#space.admit(small ? 'inline' : 'object');
    if (small) return false;
    if (file.layout !== 'object') this.#becomeObject(file);
    else this.trimExcess(file);
    return true;
  }

  /**
   * Copies at most COPY_BYTES_MAX from one file, or part of it, to another; returns how
   * much. FsError(ENOSPC, EIO, …).
   */
  copy(from: FileState, offsetIn: number, to: FileState, { offset, length }: Range): number {
    const room = Math.min(length, COPY_BYTES_MAX, FILE_BYTES_MAX - offset);
    const count = Math.min(room, from.size - offsetIn);
    if (count <= 0) return 0;
    if (from.layout === 'object' && to.layout === 'object') {
      this.#space.admit('object');
      this.trimExcess(to);
      const copied = this.#inObject(to, { offset, length: count }, (id) =>
        this.#objects.copy(idOf(from), offsetIn, id, offset, count),
      );
      if (copied > 0) return copied;
    }
    // What is not in an object file, or the hole behind what is.
    this.#copied ??= new Uint8Array(COPY_BUFFER_BYTES);
    const part = this.#copied.subarray(0, Math.min(count, COPY_BUFFER_BYTES));
    this.read(from, offsetIn, part);
    this.write(to, offset, part);
    return part.byteLength;
  }

  /** Nothing of the file is open here: object files that others remove need not keep their space. */
  letGo(fid: Fid): void {
    this.#objects.letGo(fid);
  }

  /** Notes the blocks that the file takes now. */
  count(file: FileState): void {
    file.blocks = this.#blocks(file, file.size);
  }

  #blocks(file: FileState, size: number): number {
    if (file.layout === 'object') return this.#objects.use(idOf(file)).blocks;
    // What truncate(2) added behind small contents is a hole.
    return Math.ceil(Math.min(size, this.contents(file).byteLength) / 512);
  }

  /** Before the record: its blocks are known, and its data go to disk with it. */
  settle(file: FileState): void {
    file.blocks = this.settleAs(file, file.size);
  }

  /** {@link settle} for a record that makes the file `size` long. Returns its blocks. */
  settleAs(file: FileState, size: number): number {
    if (size > file.size) this.trimExcess(file);
    if (file.layout === 'object') this.#objects.recorded(idOf(file));
    return this.#blocks(file, size);
  }
}

function idOf(file: FileState): ObjectId {
  return { fid: file.fid, generation: file.generation };
}
