/**
 * Changes of regular files' contents, each when its turn has come: when this mount may make
 * it (file-turns.ts), and then when the file may be overwritten (file-gate.ts).
 */
import { Errno } from '../base/errno.js';
import type { Credentials } from '../rpc/messages.js';
import type { Coherence } from './coherence.js';
import { errnoOrFault } from './fault.js';
import type { FeedRoom } from './feed-room.js';
import { type FileData, HalfDone, NO_RANGE, type Range, within } from './file-data.js';
import { type FileGate, OVERWRITES_NOTHING } from './file-gate.js';
import type { FileState } from './file-state.js';
import type { FileTurns } from './file-turns.js';
import type { Changed } from './files.js';
import type { Author, Done, Recorder } from './recorder.js';

/** Whom the feeds' room is asked for, where it is not known yet who writes. */
const NOBODY: Credentials = { uid: 0, gid: 0, pid: 0, jobid: '', nid: '0@lo' };

export interface FileChangesParts {
  readonly data: FileData;
  readonly room: FeedRoom;
  readonly gate: FileGate;
  readonly recorder: Recorder;
  readonly turns: FileTurns;
  readonly coherence: Coherence;
}

/** As {@link Files} says of each. */
export class FileChanges {
  readonly #data: FileData;
  readonly #room: FeedRoom;
  readonly #gate: FileGate;
  readonly #recorder: Recorder;
  readonly #turns: FileTurns;
  readonly #coherence: Coherence;

  constructor({ data, room, gate, recorder, turns, coherence }: FileChangesParts) {
    this.#data = data;
    this.#room = room;
    this.#gate = gate;
    this.#recorder = recorder;
    this.#turns = turns;
    this.#coherence = coherence;
  }

  /** Writes `data` (valid during this call), or the part of it that can be, and then calls back. */
  write(file: FileState, offset: number, data: Uint8Array, author: Author, done: Changed): void {
    const range = { offset, length: data.byteLength };
    const bytes = this.#mayNow(file, range) ? data : Uint8Array.from(data);
    this.#change(file, range, author, done, () => {
      this.#data.write(file, offset, bytes);
      return range;
    });
  }

  /**
   * Writes behind all that is there when its turn comes: where the caller believes the end to
   * be, others may have written since.
   */
  append(file: FileState, data: Uint8Array, author: Author, done: Changed): void {
    const bytes = Uint8Array.from(data);
    this.#inTurn(file, author, OVERWRITES_NOTHING, Number.POSITIVE_INFINITY, (errno) => {
      if (errno !== 0) return done(errno, 0);
      this.#changeNow(file, author, done, () => {
        const offset = file.size;
        this.#data.write(file, offset, bytes);
        return { offset, length: bytes.byteLength };
      });
    });
  }

  /**
   * Writes what a mapping changed. The kernel holds the pages until it is done, and whoever
   * takes the file back waits for these: so it waits for no other mount, and is recorded at
   * once where others may look. What lies behind the end was cut off by somebody.
   */
  writeBack(
    file: FileState,
    offset: number,
    data: Uint8Array,
    author: Author,
    done: Changed,
  ): void {
    const { byteLength } = data;
    const bytes = Uint8Array.from(data);
    const all: Done = (errno) => done(errno, errno === 0 ? byteLength : 0);
    const fresh: Done = (errno) => {
      const length = Math.min(byteLength, file.size - offset);
      if (errno !== 0 || length <= 0) return all(errno);
      this.#whenOpen(file, offset, offset + length, (failed) => {
        if (failed !== 0) return all(failed);
        if (!this.#coherence.isCurrent()) return this.#coherence.whenCurrent(start);
        this.#changeNow(file, author, all, () => {
          this.#data.write(file, offset, bytes.subarray(0, length));
          return { offset, length };
        });
        if (!this.#coherence.hasExclusive(file.fid)) this.#recorder.record(file);
      });
    };
    const start: Done = (refused) => {
      if (refused === 0) this.#turns.whenFresh(file, fresh);
      else all(refused);
    };
    this.#whenRoom(file, author, start);
  }

  /** Makes a hole in what the file has there; its size stays. */
  punch(file: FileState, range: Range, author: Author, done: Done): void {
    this.#change(file, range, author, done, () => {
      this.#data.punch(file, range);
      return within(range, file.size);
    });
  }

  /** Zeros, with space set aside for them; the file grows to their end unless told not to. */
  zero(file: FileState, range: Range, keepSize: boolean, author: Author, done: Done): void {
    this.#change(file, range, author, done, () => {
      this.#data.zero(file, range);
      return keepSize ? within(range, file.size) : range;
    });
  }

  /** Sets space aside; the file grows to its end unless told not to. */
  allocate(file: FileState, range: Range, keepSize: boolean, author: Author, done: Done): void {
    const end = range.offset + range.length;
    this.#inTurn(file, author, OVERWRITES_NOTHING, end, (errno) => {
      if (errno !== 0) return done(errno);
      this.#changeNow(file, author, done, () => {
        this.#data.reserve(file, range);
        return keepSize ? NO_RANGE : { offset: end, length: 0 };
      });
    });
  }

  /** Copies from another file, or another part of it. Answers with how much, which may be less. */
  copy(
    from: FileState,
    offsetIn: number,
    to: FileState,
    range: Range,
    author: Author,
    done: Changed,
  ): void {
    const now = (): void =>
      this.#change(to, range, author, done, () => {
        const count = this.#data.copy(from, offsetIn, to, range);
        return count === 0 ? undefined : { offset: range.offset, length: count };
      });
    this.#turns.whenFresh(from, (errno) => (errno === 0 ? now() : done(errno, 0)));
  }

  /** Puts contents of a copy in their place; FileIo.recordGiven tells of them. */
  give(file: FileState, { offset, length }: Range, done: Done, work: () => void): void {
    const open: Done = (errno) => {
      if (errno !== 0 || file.lost) return done(errno === 0 ? Errno.EIO : errno);
      try {
        this.#room.admit(file.fid, NOBODY);
        work();
      } catch (error) {
        return done(errnoOrFault('contents of a copy', error));
      }
      done(0);
    };
    this.#whenRoom(file, { who: NOBODY }, (refused) => {
      if (refused === 0) this.#whenOpen(file, offset, offset + length, open);
      else done(refused);
    });
  }

  /** Makes a change when its turn has come. `work` answers undefined if it changed nothing. */
  #change(
    file: FileState,
    range: Range,
    author: Author,
    done: Changed,
    work: () => Range | undefined,
  ): void {
    if (this.#mayNow(file, range)) return this.#changeNow(file, author, done, work);
    const from = range.offset;
    this.#inTurn(file, author, from, from + range.length, (errno) => {
      if (errno === 0) this.#changeNow(file, author, done, work);
      else done(errno, 0);
    });
  }

  /** A change need not wait for anything. */
  #mayNow(file: FileState, { offset, length }: Range): boolean {
    if (this.#room.mustAsk || !this.#turns.isAlone(file)) return false;
    return !this.#gate.isShut(file, offset, offset + length);
  }

  /** Calls back when this mount alone has the file, with room for it, and {@link #whenOpen}. */
  #inTurn(file: FileState, author: Author, from: number, end: number, next: Done): void {
    this.#whenRoom(file, author, (refused) => {
      if (refused === 0) this.#whenAloneAndOpen(file, from, end, next);
      else next(refused);
    });
  }

  #whenAloneAndOpen(file: FileState, from: number, end: number, next: Done): void {
    this.#turns.whenAlone(file, (errno) => {
      if (errno !== 0) return next(errno);
      const again: Done = (failed) => {
        if (failed !== 0) next(failed);
        else this.#whenAloneAndOpen(file, from, end, next);
      };
      this.#whenOpen(file, from, end, (failed) => {
        if (failed !== 0) return next(failed);
        // While it waited for a change of size, the file was taken back.
        if (this.#turns.mustAskAgain(file)) again(0);
        else if (!this.#coherence.isCurrent()) this.#coherence.whenCurrent(again);
        else next(0);
      });
    });
  }

  #whenRoom(file: FileState, { who }: { readonly who: Credentials }, next: Done): void {
    if (this.#room.mustAsk) this.#room.ask(file.fid, who, next);
    else next(0);
  }

  /** Calls back when bytes from `from` on may be overwritten, and the file may reach to `end`. */
  #whenOpen(file: FileState, from: number, end: number, next: Done): void {
    if (this.#gate.isShut(file, from, end)) this.#gate.wait(file, { from, end, next });
    else next(0);
  }

  #changeNow(file: FileState, author: Author, done: Changed, work: () => Range | undefined): void {
    if (file.lost) return done(Errno.EIO, 0);
    const { generation } = file;
    this.#recorder.separate(file, author.who);
    let changed: Range | undefined;
    let failure: unknown;
    try {
      this.#room.admit(file.fid, author.who);
      changed = work();
    } catch (error) {
      failure = error;
      if (error instanceof HalfDone && error.part.length > 0) changed = error.part;
      // The contents moved all the same, and the server must hear of that.
      else if (file.generation !== generation) changed = NO_RANGE;
    }
    if (changed !== undefined) {
      this.#recorder.written(file, changed.offset, changed.length, author);
    }
    if (failure === undefined) return done(0, changed?.length ?? 0);
    const halfDone = failure instanceof HalfDone ? failure : undefined;
    done(errnoOrFault('a change of a file', halfDone?.cause ?? failure), halfDone?.count ?? 0);
  }
}
