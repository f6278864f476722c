/**
 * Beside other mounts: what is known here of a file is right only as long as nobody else
 * changes it, and it is changed only while this mount alone has it (coherence.ts). Who needs
 * either waits here for it. A mount that is alone never waits.
 *
 * Once changes were given the file they are made, even if it is taken back meanwhile: whoever
 * takes it back waits for them ({@link FileTurns.whenIdle}). Otherwise two mounts that want a
 * file could take it from each other for ever, and neither get to use it.
 */
import { Errno } from '../base/errno.js';
import type { Connection, Opened } from '../rpc/messages.js';
import type { Coherence } from './coherence.js';
import type { FileState } from './file-state.js';
import type { Done } from './recorder.js';

export interface FileTurnsParts {
  readonly mds: Connection;
  readonly coherence: Coherence;
  /** Takes over what the server says of a file in which nothing is unrecorded. */
  readonly adopt: (file: FileState, opened: Opened) => void;
  /** Ends a use of the file. */
  readonly release: (file: FileState) => void;
}

export class FileTurns {
  readonly #mds: Connection;
  readonly #coherence: Coherence;
  readonly #adopt: (file: FileState, opened: Opened) => void;
  readonly #release: (file: FileState) => void;
  /** Changes of size that wait with them, unless others want the file. */
  readonly #resizing = new Map<FileState, ((errno: Errno | 0, alone: boolean) => void)[]>();
  /** Changes that wait until this mount alone has the file. */
  readonly #wanting = new Map<FileState, Done[]>();
  /** Who waits for the state of a file. */
  readonly #fetching = new Map<FileState, Done[]>();
  /** Files that were given to changes which are not made yet, and who waits for these. */
  readonly #held = new Map<FileState, (() => void)[]>();

  constructor({ mds, coherence, adopt, release }: FileTurnsParts) {
    this.#mds = mds;
    this.#coherence = coherence;
    this.#adopt = adopt;
    this.#release = release;
  }

  /** What is known of the file is what every reader must see. */
  isFresh(file: FileState): boolean {
    if (!this.#coherence.shared) return true;
    if (file.lost || this.#fetching.has(file)) return false;
    // Of what is not recorded yet the server knows less.
    if (file.dirty || file.gated) return true;
    return !file.stale && this.#coherence.mayCache(file.fid);
  }

  /** {@link isFresh}, and nobody else may change it: a change may be made at once. */
  isAlone(file: FileState): boolean {
    if (!this.#coherence.shared) return true;
    if (this.#wanting.has(file) || !this.#coherence.hasExclusive(file.fid)) return false;
    return this.isFresh(file);
  }

  /** It had its turn to change the file, and others have it by now. */
  mustAskAgain(file: FileState): boolean {
    if (!this.#coherence.shared || file.flushing > 0) return false;
    return !this.#coherence.hasExclusive(file.fid);
  }

  /** Calls back when what is known of the file is right: for use before anything else happens. */
  whenFresh(file: FileState, next: Done): void {
    if (this.isFresh(file)) next(0);
    else if (file.lost) next(Errno.EIO);
    else this.#fetch(file, next);
  }

  /** Calls back, in the order of asking, when the file may be changed: at once, or through the gate. */
  whenAlone(file: FileState, next: Done): void {
    if (file.lost) return next(Errno.EIO);
    if (this.isAlone(file)) return next(0);
    const waiting = this.#wanting.get(file);
    if (waiting !== undefined) {
      waiting.push(next);
      return;
    }
    this.#wanting.set(file, [next]);
    file.users++;
    const given = (errno: Errno | 0): void => this.#given(file, errno);
    if (this.#coherence.hasExclusive(file.fid)) given(0);
    else this.#coherence.exclusive(file.fid, given);
  }

  /**
   * For a change of size, which is the server's to make: {@link whenAlone}, or as soon as others
   * want the file as well. The kernel writes back no page of it before that change is made; so
   * whoever waits for pages to be gone would wait for the change, and it for him.
   */
  whenAloneOrOwed(file: FileState, next: (errno: Errno | 0, alone: boolean) => void): void {
    if (file.lost) return next(Errno.EIO, false);
    if (!this.isAlone(file) && this.#coherence.isOwed(file.fid)) return next(0, false);
    const resizing = this.#resizing.get(file);
    if (resizing === undefined) this.#resizing.set(file, [next]);
    else resizing.push(next);
    this.whenAlone(file, (errno) => {
      if (this.#takeResizing(file, next)) next(errno, errno === 0);
    });
  }

  /** Others want the file: a change of size does not wait for it any more. */
  wanted(file: FileState): void {
    for (const next of this.#resizing.get(file) ?? []) {
      if (this.#takeResizing(file, next)) next(0, false);
    }
  }

  /** False if it has gone on before. */
  #takeResizing(file: FileState, next: (errno: Errno | 0, alone: boolean) => void): boolean {
    const resizing = this.#resizing.get(file) ?? [];
    const rest = resizing.filter((other) => other !== next);
    if (rest.length > 0) this.#resizing.set(file, rest);
    else this.#resizing.delete(file);
    return rest.length < resizing.length;
  }

  /** Calls back when no change has the file and is still to be made. */
  whenIdle(file: FileState, next: () => void): void {
    const waiting = this.#held.get(file);
    if (waiting === undefined) next();
    else waiting.push(next);
  }

  #given(file: FileState, errno: Errno | 0): void {
    if (errno !== 0) return this.#run(file, errno);
    this.#held.set(file, []);
    this.whenFresh(file, (failed) => {
      this.#run(file, failed);
      const idle = this.#held.get(file) ?? [];
      this.#held.delete(file);
      for (const next of idle) next();
    });
  }

  #run(file: FileState, errno: Errno | 0): void {
    const waiting = this.#wanting.get(file) ?? [];
    this.#wanting.delete(file);
    for (const next of waiting) next(file.lost ? Errno.EIO : errno);
    this.#release(file);
  }

  #fetch(file: FileState, next: Done): void {
    const waiting = this.#fetching.get(file);
    if (waiting !== undefined) {
      waiting.push(next);
      return;
    }
    this.#fetching.set(file, [next]);
    file.users++;
    file.stale = false;
    this.#mds.call('contents', { fid: file.fid }, (errno, opened) => {
      const asked = this.#fetching.get(file) ?? [];
      this.#fetching.delete(file);
      if (opened !== undefined && !file.lost) this.#adopt(file, opened);
      // Recalled meanwhile: right for those who asked before, and for nobody else.
      if (opened === undefined) file.stale = true;
      const failed = opened === undefined && errno === 0 ? Errno.EIO : errno;
      for (const one of asked) one(file.lost ? Errno.EIO : failed);
      this.#release(file);
    });
  }
}
