/**
 * Changing regular files in the right order. The bytes themselves are file-data.ts's,
 * the record of what was written is recorder.ts's.
 */
import type { Errno } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import type { Clock } from '../base/time.js';
import type { ObjectStore } from '../objects/object-store.js';
import type {
  AttributeChange,
  Attributes,
  Connection,
  Credentials,
  Verbatim,
} from '../rpc/messages.js';
import { errnoOrFault } from './fault.js';
import { FeedRoom } from './feed-room.js';
import { FileData, HalfDone, NO_RANGE, type Range, within } from './file-data.js';
import { FileGate, OVERWRITES_NOTHING } from './file-gate.js';
import { FileState } from './file-state.js';
import { type Author, type Done, type GivenState, Recorder } from './recorder.js';

/** Whom the feeds' room is asked for, where it is not known yet who writes. */
const NOBODY: Credentials = { uid: 0, gid: 0, pid: 0, jobid: '', nid: '0@lo' };

type Resized = (errno: Errno | 0, attributes: Attributes | undefined) => void;
type SizeChange = AttributeChange & { readonly size: number };

/** Of a failed change too, how many bytes were put in their place. */
type Changed = (errno: Errno | 0, count: number) => void;

export class FileIo {
  readonly #mds: Connection;
  readonly data: FileData;
  readonly room: FeedRoom;
  readonly #files = new Map<Fid, FileState>();
  readonly #gate: FileGate;
  readonly #recorder: Recorder;

  constructor(mds: Connection, objects: ObjectStore, clock: Clock) {
    this.#mds = mds;
    this.data = new FileData(mds, objects, clock);
    this.room = new FeedRoom(mds);
    this.#gate = new FileGate(mds, (file) => this.release(file));
    this.#recorder = new Recorder(mds, this.data, clock, (file) => this.#forgetUnused(file));
  }

  /** The state of a file that is open or dirty. */
  find(fid: Fid): FileState | undefined {
    return this.#files.size === 0 ? undefined : this.#files.get(fid);
  }

  get anyDirty(): boolean {
    return this.#recorder.anyDirty;
  }

  /** What every reader must see. */
  exact(attributes: Attributes): Attributes {
    const file = this.find(attributes.fid);
    if (file === undefined || !file.dirty || file.given) return attributes;
    // The kernel may keep the answer for long: also what is not recorded must be right.
    this.data.count(file);
    return file.overlay(attributes);
  }

  /** Uses the file until {@link release}; whoever reads or writes gives the contents too. */
  acquire(attributes: Attributes, contents?: Uint8Array): FileState {
    let file = this.#files.get(attributes.fid);
    if (file === undefined) {
      file = new FileState(attributes);
      this.#files.set(file.fid, file);
    } else if (!file.dirty && !file.gated) file.adopt(attributes);
    file.users++;
    if (file.contents === undefined && contents !== undefined) {
      file.contents = Uint8Array.from(contents);
    }
    return file;
  }

  release(file: FileState): void {
    file.users--;
    this.#forgetUnused(file);
  }

  /** Writes `data` (valid during this call), or the part of it that can be, and then calls back. */
  write(file: FileState, offset: number, data: Uint8Array, author: Author, done: Changed): void {
    const range = { offset, length: data.byteLength };
    const shut = this.#gate.isShut(file, offset, offset + range.length);
    const bytes = shut ? Uint8Array.from(data) : data;
    this.#change(file, range, author, done, () => {
      this.data.write(file, offset, bytes);
      return range;
    });
  }

  /** Makes a hole in what the file has there; its size stays. */
  punch(file: FileState, range: Range, author: Author, done: Done): void {
    this.#change(file, range, author, done, () => {
      this.data.punch(file, range);
      return within(range, file.size);
    });
  }

  /** Zeros, with space set aside for them; the file grows to their end unless told not to. */
  zero(file: FileState, range: Range, keepSize: boolean, author: Author, done: Done): void {
    this.#change(file, range, author, done, () => {
      this.data.zero(file, range);
      return keepSize ? within(range, file.size) : range;
    });
  }

  /** Sets space aside; the file grows to its end unless told not to. */
  allocate(file: FileState, range: Range, keepSize: boolean, author: Author, done: Done): void {
    const end = range.offset + range.length;
    this.whenOpen(file, OVERWRITES_NOTHING, end, (errno) => {
      if (errno !== 0) return done(errno);
      this.#changeNow(file, author, done, () => {
        this.data.reserve(file, range);
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
    this.#change(to, range, author, done, () => {
      const count = this.data.copy(from, offsetIn, to, range);
      return count === 0 ? undefined : { offset: range.offset, length: count };
    });
  }

  /** Tells the server what was written. Calls back with its refusal, if any. */
  record(file: FileState, done?: Done): void {
    this.#recorder.record(file, done);
  }

  /** The last writer closed the file. */
  closeWriter(file: FileState): void {
    file.writers--;
    if (file.writers > 0) return;
    if (file.dirty) this.record(file);
    else if (!file.gated) this.#gate.endIntent(file);
  }

  /** {@link Recorder.recordAll} */
  recordAll(done?: Done): void {
    this.#recorder.recordAll(done);
  }

  /** {@link Recorder.sealAll} */
  sealAll(): void {
    this.#recorder.sealAll();
  }

  /** Records what has been waiting for too long. */
  tick(nowUs: number): void {
    this.#recorder.tick(nowUs);
  }

  /** {@link FileGate.announce} for those that need it, with where each is overwritten from on. */
  announce(starts: ReadonlyMap<FileState, number>, done: () => void): void {
    const shut = [...starts].filter(([file, from]) => this.#gate.isShut(file, from, from));
    const files = shut.map(([file]) => file).filter((file) => !file.gated);
    if (files.length === 0) done();
    else this.#gate.announce(files, done);
  }

  /** Puts contents of a copy in their place; {@link recordGiven} tells of them. */
  give(file: FileState, { offset, length }: Range, done: Done, work: () => void): void {
    this.whenOpen(file, offset, offset + length, (errno) => {
      if (errno !== 0) return done(errno);
      try {
        this.room.admit(file.fid, NOBODY);
        work();
      } catch (error) {
        return done(errnoOrFault('contents of a copy', error));
      }
      done(0);
    });
  }

  /** {@link Recorder.recordGiven} */
  recordGiven(
    file: FileState,
    who: Credentials,
    state: GivenState,
    verbatim: Verbatim | undefined,
    done: Done,
  ): void {
    this.#recorder.recordGiven(file, who, state, verbatim, done);
  }

  /** Changes the size (and what else is asked) and answers with the new attributes. */
  setSize(
    file: FileState,
    who: Credentials,
    change: SizeChange,
    done: Resized,
    verbatim?: Verbatim,
  ): void {
    const resize: Done = (errno) => {
      if (errno !== 0) done(errno, undefined);
      else this.#setSizeNow(file, { who, verbatim }, change, done);
    };
    const now: Done = (errno) => (errno === 0 ? this.record(file, resize) : resize(errno));
    this.whenOpen(file, OVERWRITES_NOTHING, change.size, now);
  }

  #forgetUnused(file: FileState): void {
    if (file.users > 0 || file.dirty || file.gated || file.cutting) return;
    this.#gate.endIntent(file);
    this.#files.delete(file.fid);
  }

  #setSizeNow(
    file: FileState,
    asker: { readonly who: Credentials; readonly verbatim: Verbatim | undefined },
    change: SizeChange,
    done: Resized,
  ): void {
    const cuts = file.layout === 'object' && change.size > 0 && change.size < file.size;
    this.data.trimExcess(file);
    this.#mds.call(
      'reint',
      { ...asker, change: { op: 'setattr', fid: file.fid, change } },
      (errno, result) => {
        if (errno !== 0 || result === undefined) return done(errno, undefined);
        const { contents } = file;
        file.adopt(result.attributes);
        file.accessed = false;
        if (file.layout === 'inline' && contents !== undefined) {
          // Bytes beyond the cut must read as zeros if the file grows again.
          const kept = new Uint8Array(Math.min(file.size, contents.byteLength));
          kept.set(contents.subarray(0, kept.byteLength));
          file.contents = kept;
        }
        if (cuts) this.#gate.cut(file);
        done(0, result.attributes);
      },
    );
  }

  /** Makes a change when its turn has come. `work` answers undefined if it changed nothing. */
  #change(
    file: FileState,
    { offset, length }: Range,
    author: Author,
    done: Changed,
    work: () => Range | undefined,
  ): void {
    const from = offset;
    const end = offset + length;
    if (!this.#gate.isShut(file, from, end)) return this.#changeNow(file, author, done, work);
    const next: Done = (errno) => {
      if (errno === 0) this.#changeNow(file, author, done, work);
      else done(errno, 0);
    };
    this.#gate.wait(file, { from, end, next });
  }

  /** Calls back when bytes from `from` on may be overwritten, and the file may reach to `end`. */
  whenOpen(file: FileState, from: number, end: number, next: Done): void {
    if (this.#gate.isShut(file, from, end)) this.#gate.wait(file, { from, end, next });
    else next(0);
  }

  #changeNow(file: FileState, author: Author, done: Changed, work: () => Range | undefined): void {
    const { generation } = file;
    this.#recorder.separate(file, author.who);
    let changed: Range | undefined;
    let failure: unknown;
    try {
      this.room.admit(file.fid, author.who);
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
