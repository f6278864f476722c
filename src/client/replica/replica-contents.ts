/**
 * Contents of a copy's files. The receiver puts them in their place before the record that
 * tells of them; in between they are *given*: part of the file's state here, as what a
 * program wrote would be, but recorded by nobody else than the receiver.
 *
 * The rules for a crash are those of ordinary writes (file-state.ts). What is given and not
 * recorded when the receiver goes is recorded in nobody's name, as a start after a crash
 * does: bytes of the file may have changed, and whoever copies the copy must hear of it. For
 * the same reason a record names, beside what the source's names, all that was given before it.
 */
import { must } from '../../base/assert.js';
import { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { isRegular } from '../../base/mode.js';
import { WRITE_EXTENTS_MAX } from '../../rpc/limits.js';
import type { Connection, Credentials, Verbatim, WrittenExtent } from '../../rpc/messages.js';
import type {
  ReplicaContents as Given,
  ReplicaChange,
  ReplicaWrite,
} from '../../rpc/replica-message.js';
import { Extents } from '../extents.js';
import { within } from '../file-data.js';
import type { FileIo } from '../file-io.js';
import type { FileState } from '../file-state.js';
import { GIVEN_EXTENTS_MAX, GIVEN_FILES_MAX } from '../limits.js';
import type { Done, GivenState } from '../recorder.js';
import { inTurn } from './in-turn.js';

const NOBODY: Credentials = { uid: 0, gid: 0, pid: 0, jobid: '', nid: '0@lo' };

type SizeChange = ReplicaChange['change'] & { readonly op: 'setattr' };

/** A file with contents that are not recorded. */
interface GivenFile {
  readonly file: FileState;
  /** Where they are. */
  readonly extents: Extents;
}

export interface ReplicaContentsParts {
  readonly mds: Connection;
  /** Undefined where the object files are out of reach: nothing can be given then. */
  readonly files: FileIo | undefined;
  /** Whether the filesystem is a copy at this moment. */
  readonly isCopy: () => boolean;
  /** Other opens of that file must see what changed. */
  readonly onChange: (fid: Fid) => void;
}

/** Each change is an EPERM, and changes nothing, unless the filesystem is a copy. */
export class ReplicaContents {
  readonly #mds: Connection;
  readonly #parts: ReplicaContentsParts;
  readonly #isCopy: () => boolean;
  readonly #onChange: (fid: Fid) => void;
  readonly #given = new Map<Fid, GivenFile>();
  /** Files that the message in progress overwrites: they keep what announces it. */
  readonly #held = new Set<FileState>();

  constructor(parts: ReplicaContentsParts) {
    const { mds, isCopy, onChange } = parts;
    this.#mds = mds;
    this.#parts = parts;
    this.#isCopy = isCopy;
    this.#onChange = onChange;
  }

  get #files(): FileIo {
    return must(this.#parts.files, 'object files');
  }

  /** Contents can be put in their place: the object files are within reach. */
  get isAble(): boolean {
    return this.#parts.files !== undefined;
  }

  /** Puts contents in their place. E2BIG: too many files wait for their records. */
  give(item: Given, done: Done): void {
    if (!this.#isCopy()) return done(Errno.EPERM);
    const { fid, offset } = item;
    this.#use(fid, (errno, file) => {
      if (file === undefined) return done(errno);
      const length = item.do === 'data' ? item.bytes.byteLength : item.length;
      this.#files.give(file, { offset, length }, this.#end(file, done), () => {
        this.#add(file, offset, length);
        if (item.do === 'hole') return this.#files.data.punch(file, { offset, length });
        this.#files.data.write(file, offset, item.bytes);
        file.size = Math.max(file.size, offset + length);
      });
    });
  }

  /** Records what was given of a file: from then on it is so long. */
  record(
    { who, fid, time, extents, size, mtime, ctime, mode, applied }: ReplicaWrite,
    done: Done,
  ): void {
    if (!this.#isCopy()) return done(Errno.EPERM);
    this.#use(fid, (errno, file) => {
      if (file === undefined) return done(errno);
      const state = { extents: this.#changed(fid, extents, size), size, mtime };
      const verbatim = { time, fid, mode, ctime, applied };
      const end = this.#end(file, done);
      const before = { size: file.size, recordedSize: file.recordedSize };
      this.#files.recordGiven(file, who, state, verbatim, (failed) => {
        if (failed === 0) this.#recorded(file, before);
        end(failed);
      });
    });
  }

  /** A setattr that changes the size. */
  setSize(
    { who, change, verbatim }: ReplicaChange & { readonly change: SizeChange },
    done: Done,
  ): void {
    if (!this.#isCopy()) return done(Errno.EPERM);
    const { fid } = verbatim;
    const { size = 0 } = change.change;
    this.#settleFile(fid, (unsettled) => {
      if (unsettled !== 0) return done(unsettled);
      this.#use(fid, (errno, file) => {
        if (file === undefined) return done(errno);
        const end = this.#end(file, done);
        const asked = { ...change.change, size };
        this.#files.setSize(file, who, asked, (failed) => end(failed), verbatim);
      });
    });
  }

  /**
   * Before contents of several files are given: those whose recorded bytes are overwritten
   * are announced together, so that they wait for the disk once, and stay so until `letGo`.
   */
  announce(items: readonly Given[], next: (letGo: () => void) => void): void {
    if (!this.#isCopy()) return next(() => {});
    const starts = new Map<Fid, number>();
    for (const { fid, offset } of items) {
      starts.set(fid, Math.min(offset, starts.get(fid) ?? offset));
    }
    const files = new Map<FileState, number>();
    let waiting = 1;
    const found = (): void => {
      if (--waiting > 0) return;
      this.#files.announce(files, () => next(() => this.#letGo()));
    };
    for (const [fid, offset] of starts) {
      waiting++;
      this.#mds.call('getattr', { fid }, (_errno, attributes) => {
        // What cannot be announced now is when its turn comes, or is refused then.
        if (attributes?.layout === 'object' && isRegular(attributes.mode)) {
          const file = this.#files.acquire(attributes);
          file.writers++;
          this.#held.add(file);
          files.set(file, offset);
        }
        found();
      });
    }
    found();
  }

  #letGo(): void {
    for (const file of this.#held) {
      this.#files.closeWriter(file);
      this.#files.release(file);
    }
    this.#held.clear();
  }

  /** Nothing is given any more. Answers with the last failure: what could not be recorded stays. */
  settle(done: Done): void {
    let last: Errno | 0 = 0;
    const settle = (fid: Fid, next: Done): void =>
      this.#settleFile(fid, (errno) => {
        if (errno !== 0) last = errno;
        next(0);
      });
    inTurn([...this.#given.keys()], settle, () => done(last));
  }

  #settleFile(fid: Fid, done: Done): void {
    const given = this.#given.get(fid);
    if (given === undefined) return done(0);
    const { file } = given;
    this.#mds.call('getattr', { fid }, (errno, attributes) => {
      // It is gone, and its contents with it.
      if (attributes === undefined)
        return this.#drop(file, () => done(errno === Errno.ESTALE ? 0 : errno));
      const { size, mtime, ctime } = attributes;
      const state: GivenState = { extents: this.#changed(fid, [], size), size, mtime };
      // Nothing that anybody sees was given: then there is nothing to tell, either.
      if (state.extents.length === 0 && file.generation === attributes.generation) {
        file.adopt(attributes);
        return this.#drop(file, () => done(0));
      }
      // Of the time of its last change: nothing happened to it since that anybody would tell.
      const verbatim: Verbatim = { time: ctime, fid, ctime };
      const how = this.#isCopy() ? verbatim : undefined;
      this.#files.recordGiven(file, NOBODY, state, how, (failed) => {
        // What is behind its end no record will tell of.
        if (failed === 0) this.#drop(file, () => done(0));
        else done(failed);
      });
    });
  }

  /** What a record has to name: what is asked for, and all that was given up to that size. */
  #changed(fid: Fid, extents: readonly WrittenExtent[], size: number): readonly WrittenExtent[] {
    const given = this.#given.get(fid);
    if (given === undefined) return extents;
    const all = new Extents();
    for (const { offset, length } of extents) all.add(offset, length);
    for (const extent of given.extents.list) {
      const { offset, length } = within(extent, size);
      all.add(offset, length);
    }
    return all.atMost(WRITE_EXTENTS_MAX);
  }

  /**
   * What was given up to the file's new end is recorded. Bytes behind it, which a later record
   * is to uncover, are still given; but not if the file became shorter, and old ones are there.
   */
  #recorded(
    file: FileState,
    before: { readonly size: number; readonly recordedSize: number },
  ): void {
    const given = this.#given.get(file.fid);
    if (given === undefined) return;
    const { size } = file;
    if (before.size <= size || size < before.recordedSize) return this.#drop(file, () => {});
    const { list } = given.extents;
    given.extents.clear();
    for (const { offset, length } of list) {
      const start = Math.max(offset, size);
      if (offset + length > start) given.extents.add(start, offset + length - start);
    }
    file.size = before.size;
  }

  /** Nothing of the file is given any more. */
  #drop(file: FileState, done: () => void): void {
    if (this.#given.delete(file.fid)) {
      file.dirty = false;
      file.given = false;
      // As file.trimmed is for an object file.
      file.contents?.fill(0, file.size);
      this.#files.release(file);
    }
    done();
  }

  #add(file: FileState, offset: number, length: number): void {
    let given = this.#given.get(file.fid);
    if (given === undefined) {
      given = { file, extents: new Extents() };
      this.#given.set(file.fid, given);
      file.users++;
      file.dirty = true;
      file.given = true;
    }
    given.extents.add(offset, length);
    if (given.extents.reaches(GIVEN_EXTENTS_MAX)) given.extents.keep(GIVEN_EXTENTS_MAX / 2);
  }

  /** The file's state, with its contents, until {@link #end}. */
  #use(fid: Fid, done: (errno: Errno | 0, file: FileState | undefined) => void): void {
    const given = this.#given.get(fid);
    if (given !== undefined) {
      given.file.users++;
      return done(0, given.file);
    }
    if (this.#given.size >= GIVEN_FILES_MAX) return done(Errno.E2BIG, undefined);
    this.#mds.call('open', { fid }, (errno, opened) => {
      if (opened === undefined) return done(errno === 0 ? Errno.EIO : errno, undefined);
      const { attributes, contents } = opened;
      const regular = isRegular(attributes.mode);
      const file = regular ? this.#files.acquire(attributes, contents) : undefined;
      // Its state is what is needed; the object may go meanwhile.
      this.#mds.call('close', { fid }, () => {});
      done(regular ? 0 : Errno.EINVAL, file);
    });
  }

  /** Ends a use, and has whoever else has the file open see what it is now. */
  #end(file: FileState, done: Done): Done {
    return (errno) => {
      const own = 1 + (file.given ? 1 : 0) + (this.#held.has(file) ? 1 : 0);
      const others = file.users - own;
      if (others > 0) this.#onChange(file.fid);
      this.#files.release(file);
      done(errno);
    };
  }
}
