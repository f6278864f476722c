/**
 * Changing regular files in the right order. The bytes themselves are file-data.ts's,
 * the record of what was written is recorder.ts's.
 */
import type { Errno } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import type { Clock } from '../base/time.js';
import type { ObjectStore } from '../objects/object-store.js';
import type { Attributes, Connection, Credentials, Opened, Verbatim } from '../rpc/messages.js';
import { ALONE, type Coherence } from './coherence.js';
import { errnoOrFault } from './fault.js';
import { FeedRoom } from './feed-room.js';
import { FileChanges } from './file-changes.js';
import { FileData, type Range } from './file-data.js';
import { FileGate } from './file-gate.js';
import { FileRecalls } from './file-recalls.js';
import { FileSizes, type Resized, type SizeChange } from './file-sizes.js';
import { FileState } from './file-state.js';
import { FileTurns } from './file-turns.js';
import type { Changed, Files } from './files.js';
import { type Author, type Done, type GivenState, Recorder } from './recorder.js';

export class FileIo implements Files {
  readonly data: FileData;
  readonly #room: FeedRoom;
  readonly #coherence: Coherence;
  readonly #files = new Map<Fid, FileState>();
  readonly #gate: FileGate;
  readonly #recorder: Recorder;
  readonly #turns: FileTurns;
  readonly #sizes: FileSizes;
  readonly #recalls: FileRecalls;
  readonly #changes: FileChanges;

  constructor(mds: Connection, objects: ObjectStore, clock: Clock, coherence: Coherence = ALONE) {
    const data = new FileData(mds, objects, clock);
    const room = new FeedRoom(mds);
    const release = (file: FileState): void => this.release(file);
    const adopt = (file: FileState, { attributes, contents }: Opened): void =>
      this.#adopt(file, attributes, contents);
    const gate = new FileGate(mds, release);
    const recorder = new Recorder(mds, data, clock, (file) => this.#forgetUnused(file));
    const turns = new FileTurns({ mds, coherence, adopt, release });
    this.data = data;
    this.#room = room;
    this.#coherence = coherence;
    this.#gate = gate;
    this.#recorder = recorder;
    this.#turns = turns;
    const parts = { mds, data, turns, gate, recorder, coherence };
    this.#sizes = new FileSizes(parts);
    this.#recalls = new FileRecalls({ ...parts, files: this.#files, release });
    this.#changes = new FileChanges({ ...parts, room });
  }

  /** The state of a file that is open or dirty. */
  find(fid: Fid): FileState | undefined {
    return this.#files.size === 0 ? undefined : this.#files.get(fid);
  }

  get watchful(): boolean {
    return this.#room.watchful;
  }

  set watchful(watchful: boolean) {
    this.#room.watchful = watchful;
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
    }
    this.#adopt(file, attributes, contents);
    file.users++;
    return file;
  }

  /** What an answer says, unless more is known here; `contents` of an inline file, if it tells them. */
  #adopt(file: FileState, attributes: Attributes, contents: Uint8Array | undefined): void {
    const told = attributes.layout !== 'inline' || contents !== undefined;
    if (!file.dirty && !file.gated) {
      file.adopt(attributes);
      // Others may have changed contents of which everything else is as it was.
      if (this.#coherence.shared && told) {
        file.contents = undefined;
        // Without a lock others change it unheard: a lock that comes later tells nothing of that.
        file.stale = !this.#coherence.mayCache(file.fid);
      }
    }
    if (file.contents === undefined && contents !== undefined) {
      file.contents = Uint8Array.from(contents);
    }
  }

  release(file: FileState): void {
    file.users--;
    this.#forgetUnused(file);
  }

  read(
    file: FileState,
    offset: number,
    size: number,
    room: (bytes: number) => Uint8Array,
    done: Changed,
  ): void {
    if (!this.#turns.isFresh(file)) {
      return this.#whenFresh(file, done, () => this.data.read(file, offset, room(size)));
    }
    let count: number;
    try {
      count = this.data.read(file, offset, room(size));
    } catch (error) {
      return done(errnoOrFault('a read', error), 0);
    }
    done(0, count);
  }

  seek(file: FileState, offset: number, what: 'data' | 'hole', done: Changed): void {
    if (this.#turns.isFresh(file)) return done(0, this.data.seek(file, offset, what));
    this.#whenFresh(file, done, () => this.data.seek(file, offset, what));
  }

  /** Answers with a look at the file, once what is known of it is right. */
  #whenFresh(file: FileState, done: Changed, look: () => number): void {
    this.#turns.whenFresh(file, (errno) => {
      if (errno !== 0) return done(errno, 0);
      let found: number;
      try {
        found = look();
      } catch (error) {
        return done(errnoOrFault('a look at a file', error), 0);
      }
      done(0, found);
    });
  }

  write(file: FileState, offset: number, data: Uint8Array, author: Author, done: Changed): void {
    this.#changes.write(file, offset, data, author, done);
  }

  append(file: FileState, data: Uint8Array, author: Author, done: Changed): void {
    this.#changes.append(file, data, author, done);
  }

  writeBack(
    file: FileState,
    offset: number,
    data: Uint8Array,
    author: Author,
    done: Changed,
  ): void {
    this.#changes.writeBack(file, offset, data, author, done);
  }

  punch(file: FileState, range: Range, author: Author, done: Done): void {
    this.#changes.punch(file, range, author, done);
  }

  zero(file: FileState, range: Range, keepSize: boolean, author: Author, done: Done): void {
    this.#changes.zero(file, range, keepSize, author, done);
  }

  allocate(file: FileState, range: Range, keepSize: boolean, author: Author, done: Done): void {
    this.#changes.allocate(file, range, keepSize, author, done);
  }

  copy(
    from: FileState,
    offsetIn: number,
    to: FileState,
    range: Range,
    author: Author,
    done: Changed,
  ): void {
    this.#changes.copy(from, offsetIn, to, range, author, done);
  }

  /** {@link FileChanges.give} */
  give(file: FileState, range: Range, done: Done, work: () => void): void {
    this.#changes.give(file, range, done, work);
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

  /** {@link FileSizes.set} */
  setSize(
    file: FileState,
    who: Credentials,
    change: SizeChange,
    done: Resized,
    verbatim?: Verbatim,
  ): void {
    const now = (errno: Errno | 0, alone: boolean): void => {
      if (errno === 0) this.#sizes.set(file, { who, verbatim, alone }, change, done);
      else done(errno, undefined);
    };
    // What a copy is given nobody but its receiver changes.
    if (verbatim !== undefined) now(0, true);
    else this.#turns.whenAloneOrOwed(file, now);
  }

  /** {@link FileRecalls.flush} */
  flush(fid: Fid, done: Done): void {
    this.#recalls.flush(fid, done);
  }

  /** {@link FileRecalls.stale} */
  stale(fid: Fid): void {
    this.#recalls.stale(fid);
  }

  /** {@link FileRecalls.staleAll} */
  staleAll(): void {
    this.#recalls.staleAll();
  }

  /** {@link FileRecalls.lose} */
  lose(fid: Fid): void {
    this.#recalls.lose(fid);
  }

  /** {@link FileRecalls.lost} */
  lost(): readonly Fid[] {
    return this.#recalls.lost();
  }

  announceAgain(): void {
    for (const file of this.#files.values()) this.#gate.announceAgain(file);
  }

  #forgetUnused(file: FileState): void {
    if (file.users > 0 || file.dirty || file.gated || file.cutting) return;
    this.#gate.endIntent(file);
    if (this.#files.get(file.fid) !== file) return;
    this.#files.delete(file.fid);
    if (this.#coherence.shared) this.data.letGo(file.fid);
  }
}
