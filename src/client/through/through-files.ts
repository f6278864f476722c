/**
 * Regular files of a mount that cannot reach the object files: the server reads and writes
 * them (rpc/data.ts). Nothing is ever unrecorded here, so there is nothing to tell others who
 * want a file. What a mapping changed is an exception: see {@link ThroughFiles.writeBack}.
 */
import { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { DATA_BYTES_MAX } from '../../rpc/limits.js';
import type { Attributes, Connection, Credentials } from '../../rpc/messages.js';
import type { Coherence } from '../coherence.js';
import type { Range } from '../file-data.js';
import type { Resized, SizeChange } from '../file-sizes.js';
import { FileState } from '../file-state.js';
import type { Changed, Files } from '../files.js';
import type { Author, Done } from '../recorder.js';
import { WriteBacks } from './write-backs.js';

type Space = 'punch' | 'zero' | 'allocate';

export interface ThroughFilesParts {
  readonly mds: Connection;
  readonly coherence: Pick<Coherence, 'isOwed'>;
}

export class ThroughFiles implements Files {
  watchful = false;
  readonly anyDirty = false;
  readonly #mds: Connection;
  readonly #files = new Map<Fid, FileState>();
  readonly #writeBacks: WriteBacks;

  constructor({ mds, coherence }: ThroughFilesParts) {
    this.#mds = mds;
    this.#writeBacks = new WriteBacks({
      send: (file, offset, bytes, author, done) => this.#send(file, offset, bytes, author, done),
      release: (file) => this.release(file),
      isOwed: (fid) => coherence.isOwed(fid),
    });
  }

  find(fid: Fid): FileState | undefined {
    return this.#files.get(fid);
  }

  exact(attributes: Attributes): Attributes {
    return attributes;
  }

  acquire(attributes: Attributes): FileState {
    let file = this.#files.get(attributes.fid);
    if (file === undefined) {
      file = new FileState(attributes);
      this.#files.set(file.fid, file);
    } else file.adopt(attributes);
    file.users++;
    return file;
  }

  release(file: FileState): void {
    file.users--;
    if (file.users > 0) return;
    if (this.#files.get(file.fid) === file) this.#files.delete(file.fid);
    this.#writeBacks.closed(file);
  }

  closeWriter(file: FileState): void {
    file.writers--;
  }

  read(
    file: FileState,
    offset: number,
    size: number,
    room: (bytes: number) => Uint8Array,
    done: Changed,
  ): void {
    const parts: Uint8Array[] = [];
    let found = 0;
    const next = (): void => {
      const length = Math.min(size - found, DATA_BYTES_MAX);
      const at = offset + found;
      if (length === 0) return end();
      this.#mds.call('dataRead', { fid: file.fid, offset: at, length }, (errno, bytes) => {
        if (file.lost || bytes === undefined) return done(file.lost ? Errno.EIO : errno, 0);
        parts.push(bytes);
        found += bytes.byteLength;
        if (bytes.byteLength < length) end();
        else next();
      });
    };
    const end = (): void => {
      const into = room(found);
      let at = 0;
      for (const part of parts) {
        into.set(part, at);
        at += part.byteLength;
      }
      done(0, found);
    };
    if (file.lost) done(Errno.EIO, 0);
    else next();
  }

  seek(
    file: FileState,
    offset: number,
    what: 'data' | 'hole',
    done: (errno: Errno | 0, found: number) => void,
  ): void {
    this.#mds.call('dataSeek', { fid: file.fid, offset, what }, (errno, found) =>
      done(errno, found ?? 0),
    );
  }

  write(file: FileState, offset: number, data: Uint8Array, author: Author, done: Changed): void {
    this.#send(file, offset, Uint8Array.from(data), author, done);
  }

  append(file: FileState, data: Uint8Array, author: Author, done: Changed): void {
    this.#send(file, 'end', Uint8Array.from(data), author, done);
  }

  /**
   * The kernel holds these pages until it is answered, and the server has it drop them before
   * it writes what they hold: so it is answered first. What then fails, a sync tells.
   */
  writeBack(
    file: FileState,
    offset: number,
    data: Uint8Array,
    author: Author,
    done: Changed,
  ): void {
    if (file.lost) return done(Errno.EIO, 0);
    this.#writeBacks.add({ file, offset, bytes: Uint8Array.from(data), author }, () =>
      done(0, data.byteLength),
    );
  }

  punch(file: FileState, range: Range, author: Author, done: Done): void {
    this.#space(file, range, 'punch', true, author, done);
  }

  zero(file: FileState, range: Range, keepSize: boolean, author: Author, done: Done): void {
    this.#space(file, range, 'zero', keepSize, author, done);
  }

  allocate(file: FileState, range: Range, keepSize: boolean, author: Author, done: Done): void {
    this.#space(file, range, 'allocate', keepSize, author, done);
  }

  copy(
    from: FileState,
    offsetIn: number,
    to: FileState,
    { offset, length }: Range,
    author: Author,
    done: Changed,
  ): void {
    const size = Math.min(length, DATA_BYTES_MAX);
    let bytes = new Uint8Array(0);
    const room = (count: number): Uint8Array => {
      bytes = new Uint8Array(count);
      return bytes;
    };
    this.read(from, offsetIn, size, room, (errno, count) => {
      if (errno !== 0 || count === 0) done(errno, 0);
      else this.#send(to, offset, bytes, author, done);
    });
  }

  setSize(file: FileState, who: Credentials, change: SizeChange, done: Resized): void {
    if (file.lost) return done(Errno.EIO, undefined);
    const { fid } = file;
    this.#mds.call('reint', { who, change: { op: 'setattr', fid, change } }, (errno, result) => {
      if (result !== undefined) file.adopt(result.attributes);
      done(errno, result?.attributes);
    });
  }

  /** What was written is recorded and on disk since it was answered. */
  record(file: FileState, done: Done = () => {}): void {
    if (file.lost) done(Errno.EIO);
    else this.#writeBacks.whenDone(file, done);
  }

  recordAll(done: Done = () => {}): void {
    this.#writeBacks.whenAllDone(done);
  }

  sealAll(): void {}

  tick(): void {}

  /** Others wait for nothing that is here; a write of a mapping may itself be what wants the file. */
  flush(fid: Fid, done: Done): void {
    this.#writeBacks.wanted(fid);
    done(0);
  }

  stale(): void {}

  staleAll(): void {}

  lose(fid: Fid): void {
    const file = this.#files.get(fid);
    if (file !== undefined) file.lost = true;
  }

  lost(): readonly Fid[] {
    for (const file of this.#files.values()) file.lost = true;
    return [];
  }

  announceAgain(): void {}

  /** Writes it in as many messages as it takes; of a failure, how much is in its place. */
  #send(
    file: FileState,
    offset: number | 'end',
    bytes: Uint8Array,
    { who, killSuidgid }: Author,
    done: Changed,
  ): void {
    const { fid } = file;
    let written = 0;
    const next = (): void => {
      if (file.lost) return done(Errno.EIO, written);
      const part = bytes.subarray(written, written + DATA_BYTES_MAX);
      const append = offset === 'end';
      const at = append ? 0 : offset + written;
      const request = { fid, offset: at, append, bytes: part, who, killSuidgid };
      this.#mds.call('dataWrite', request, (errno, result) => {
        written += result?.count ?? 0;
        const short = (result?.count ?? 0) < part.byteLength;
        if (errno !== 0 || short || written >= bytes.byteLength) done(errno, written);
        else next();
      });
    };
    next();
  }

  #space(
    file: FileState,
    { offset, length }: Range,
    what: Space,
    keepSize: boolean,
    { who, killSuidgid }: Author,
    done: Done,
  ): void {
    if (file.lost) return done(Errno.EIO);
    const request = { fid: file.fid, offset, length, what, keepSize, who, killSuidgid };
    this.#mds.call('dataSpace', request, (errno) => done(errno));
  }
}
