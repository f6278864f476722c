/**
 * What the operations on regular files ask for: of the object files, where this process can
 * reach them (file-io.ts), or else through the server (through/through-files.ts).
 *
 * Whatever is done to a file that the server has given up with this mount is an EIO.
 */
import type { Errno } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import type { Attributes, Credentials } from '../rpc/messages.js';
import type { Range } from './file-data.js';
import type { Resized, SizeChange } from './file-sizes.js';
import type { FileState } from './file-state.js';
import type { Author, Done } from './recorder.js';

/** Of a failed change too, how many bytes were put in their place. */
export type Changed = (errno: Errno | 0, count: number) => void;

export interface Files {
  /** Whether feeds may refuse data (FeedRoom). */
  watchful: boolean;
  /** Something is written and not recorded. */
  readonly anyDirty: boolean;
  /** The state of a file that is open or dirty. */
  find(fid: Fid): FileState | undefined;
  /** The server's attributes, corrected by what it does not know yet. */
  exact(attributes: Attributes): Attributes;
  /** Uses the file until {@link release}; whoever reads or writes gives the contents too. */
  acquire(attributes: Attributes, contents?: Uint8Array): FileState;
  release(file: FileState): void;
  /** The last writer closed the file. */
  closeWriter(file: FileState): void;

  /**
   * Reads into what `room` gives, which is asked for when the bytes are there, directly before
   * `done`; fewer than asked for only at the end of the file.
   */
  read(
    file: FileState,
    offset: number,
    size: number,
    room: (bytes: number) => Uint8Array,
    done: Changed,
  ): void;
  /** As lseek(2) says of data and holes; ENXIO. */
  seek(
    file: FileState,
    offset: number,
    what: 'data' | 'hole',
    done: (errno: Errno | 0, found: number) => void,
  ): void;

  /** Writes `data` (valid during this call), or the part of it that can be. */
  write(file: FileState, offset: number, data: Uint8Array, author: Author, done: Changed): void;
  /** Writes behind all that is there when its turn comes, whatever other mounts have written. */
  append(file: FileState, data: Uint8Array, author: Author, done: Changed): void;
  /** Writes what a mapping changed; waits for no other mount's change. */
  writeBack(file: FileState, offset: number, data: Uint8Array, author: Author, done: Changed): void;
  /** Makes a hole in what the file has there; its size stays. */
  punch(file: FileState, range: Range, author: Author, done: Done): void;
  /** Zeros, with space set aside for them; the file grows to their end unless told not to. */
  zero(file: FileState, range: Range, keepSize: boolean, author: Author, done: Done): void;
  /** Sets space aside; the file grows to its end unless told not to. */
  allocate(file: FileState, range: Range, keepSize: boolean, author: Author, done: Done): void;
  /** Copies from another file, or another part of it. Answers with how much, which may be less. */
  copy(
    from: FileState,
    offsetIn: number,
    to: FileState,
    range: Range,
    author: Author,
    done: Changed,
  ): void;
  /** Changes the size (and what else is asked) and answers with the new attributes. */
  setSize(file: FileState, who: Credentials, change: SizeChange, done: Resized): void;

  /** Tells the server what was written. Calls back with its refusal, if any. */
  record(file: FileState, done?: Done): void;
  recordAll(done?: Done): void;
  /** Before permissions change (Recorder.sealAll). */
  sealAll(): void;
  /** Records what has been waiting for too long. */
  tick(nowUs: number): void;

  /** For other mounts, who want the file: all that was written is recorded, and nothing is under way. */
  flush(fid: Fid, done: Done): void;
  /** Others change the file: what is known of it is asked for before its next use. */
  stale(fid: Fid): void;
  staleAll(): void;
  /** What is open of that file is of no use any more. */
  lose(fid: Fid): void;
  /** Nor is anything that is open. Answers with the files of which accepted writes are lost by it. */
  lost(): readonly Fid[];
  /** The server has started again: what it was told and had not written is told again. */
  announceAgain(): void;
}
