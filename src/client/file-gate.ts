/**
 * When a file may be changed: recorded bytes of an object file are overwritten only
 * under a durable intent, and nothing is written behind a cut that is not on disk. Who
 * has to wait for that waits here, in turn.
 */
import type { Errno } from '../base/errno.js';
import type { Connection } from '../rpc/messages.js';
import type { FileState } from './file-state.js';
import type { Done } from './recorder.js';

export class FileGate {
  readonly #mds: Connection;
  readonly #release: (file: FileState) => void;

  /** `release` ends a use of the file that a wait or a cut began. */
  constructor(mds: Connection, release: (file: FileState) => void) {
    this.#mds = mds;
    this.#release = release;
  }

  /** Whether a change of that range cannot be made at once. */
  isShut(file: FileState, offset: number, length: number): boolean {
    if (file.gated) return true;
    if (file.layout !== 'object') return false;
    if (file.cutting && offset + length > file.size) return true;
    return !file.mayOverwrite && offset < file.recordedSize;
  }

  /** Runs `next` in its turn, when the file may be changed. */
  whenOpen(file: FileState, next: Done): void {
    if (file.gate !== undefined) {
      file.gate.push(() => this.whenOpen(file, next));
      return;
    }
    file.gate = [];
    file.users++;
    const open = (errno: Errno | 0): void => {
      const waiting = file.gate ?? [];
      file.gate = undefined;
      if (errno === 0 && file.layout === 'object') file.mayOverwrite = true;
      next(errno);
      this.#release(file);
      for (const resume of waiting) resume();
    };
    const { fid, generation } = file;
    if (file.layout === 'object') {
      this.#mds.call('intent', { fid, generation, durable: true }, (errno) => open(errno));
    } else this.#mds.call('sync', undefined, (errno) => open(errno));
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

  /** Nothing of the file is unrecorded. */
  endIntent(file: FileState): void {
    if (!file.mayOverwrite) return;
    file.mayOverwrite = false;
    this.#mds.call('intentOver', { fid: file.fid, generation: file.generation }, () => {});
  }
}
