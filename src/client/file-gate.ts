/**
 * When a file may be changed: recorded bytes of an object file are overwritten only
 * under a durable intent, and nothing is written behind a cut that is not on disk. Who
 * has to wait for that waits here, in turn.
 */
import type { Errno } from '../base/errno.js';
import type { Connection } from '../rpc/messages.js';
import type { FileState, Waiting } from './file-state.js';

/** Where the bytes that a change overwrites start, if it overwrites none. */
export const OVERWRITES_NOTHING = Number.POSITIVE_INFINITY;

export class FileGate {
  readonly #mds: Connection;
  readonly #release: (file: FileState) => void;

  /** `release` ends a use of the file that a wait or a cut began. */
  constructor(mds: Connection, release: (file: FileState) => void) {
    this.#mds = mds;
    this.#release = release;
  }

  /** Whether a change that overwrites what is behind `from` and ends at `end` has to wait. */
  isShut(file: FileState, from: number, end: number): boolean {
    if (file.gated) return true;
    if (file.layout !== 'object') return false;
    if (file.cutting && end > file.size) return true;
    return !file.mayOverwrite && from < file.recordedSize;
  }

  /** Has a change that {@link isShut} is true of run in its turn, when the file may be changed. */
  wait(file: FileState, change: Waiting): void {
    if (file.gate !== undefined) {
      file.gate.push(change);
      return;
    }
    file.gate = [change];
    file.users++;
    const { fid, generation } = file;
    const open = (errno: Errno | 0): void => this.#open(file, errno);
    if (file.layout === 'object') {
      this.#mds.call('intent', { fid, generation, durable: true }, open);
    } else this.#mds.call('sync', undefined, open);
  }

  /**
   * Announces that these object files, of which none is gated, will be overwritten, so that
   * all of them wait for the disk once. A failure is met again by whoever overwrites one.
   */
  announce(files: readonly FileState[], done: () => void): void {
    for (const file of files) {
      file.gate = [];
      file.users++;
      const { fid, generation } = file;
      this.#mds.call('intent', { fid, generation, durable: false }, () => {});
    }
    this.#mds.call('sync', undefined, (errno) => {
      for (const file of files) this.#open(file, errno);
      done();
    });
  }

  /** Has changes of a file that is not gated wait, in turn, until its size is changed: calls what it returns. */
  resizing(file: FileState): () => void {
    file.gate = [];
    file.resizing = true;
    file.users++;
    return () => {
      file.resizing = false;
      const waiting = file.gate ?? [];
      file.gate = undefined;
      for (const change of waiting) {
        if (this.isShut(file, change.from, change.end)) this.wait(file, change);
        else change.next(0);
      }
      this.#release(file);
    };
  }

  /** One wait serves all that gathered: who must wait for something else does so in the same order. */
  #open(file: FileState, errno: Errno | 0): void {
    const waiting = file.gate ?? [];
    file.gate = undefined;
    if (errno === 0 && file.layout === 'object') file.mayOverwrite = true;
    for (const change of waiting) {
      if (!this.isShut(file, change.from, change.end)) change.next(0);
      else if (errno === 0) this.wait(file, change);
      else change.next(errno);
    }
    this.#release(file);
  }

  /** The server cuts the object file once the new size is on disk. */
  cut(file: FileState): void {
    file.cuts++;
    file.users++;
    this.#mds.call('sync', undefined, () => {
      file.cuts--;
      this.#release(file);
    });
  }

  /** The server may not have had it on disk when it ended. */
  announceAgain({ fid, generation, layout, mayOverwrite }: FileState): void {
    if (layout !== 'object' || !mayOverwrite) return;
    this.#mds.call('intent', { fid, generation, durable: false }, () => {});
  }

  /** Nothing of the file is unrecorded. */
  endIntent(file: FileState): void {
    if (!file.mayOverwrite) return;
    file.mayOverwrite = false;
    this.#mds.call('intentOver', { fid: file.fid, generation: file.generation }, () => {});
  }
}
