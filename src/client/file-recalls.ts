/**
 * Files that other mounts want, and what becomes of them when this mount has lost them. What
 * was written here is recorded before anybody else looks at it, or changes it.
 */
import type { Fid } from '../base/fid.js';
import type { Connection } from '../rpc/messages.js';
import type { Coherence } from './coherence.js';
import { type FileGate, OVERWRITES_NOTHING } from './file-gate.js';
import type { FileState } from './file-state.js';
import type { FileTurns } from './file-turns.js';
import { FLUSH_ROUNDS_MAX } from './limits.js';
import type { Done, Recorder } from './recorder.js';

export interface FileRecallsParts {
  readonly mds: Connection;
  /** All that are open or dirty. */
  readonly files: Map<Fid, FileState>;
  readonly turns: FileTurns;
  readonly gate: FileGate;
  readonly recorder: Recorder;
  readonly coherence: Coherence;
  /** Ends a use of the file. */
  readonly release: (file: FileState) => void;
}

export class FileRecalls {
  readonly #mds: Connection;
  readonly #files: Map<Fid, FileState>;
  readonly #turns: FileTurns;
  readonly #gate: FileGate;
  readonly #recorder: Recorder;
  readonly #coherence: Coherence;
  readonly #release: (file: FileState) => void;

  constructor({ mds, files, turns, gate, recorder, coherence, release }: FileRecallsParts) {
    this.#mds = mds;
    this.#files = files;
    this.#turns = turns;
    this.#gate = gate;
    this.#recorder = recorder;
    this.#coherence = coherence;
    this.#release = release;
  }

  /**
   * Calls back when everything that was written is recorded, no change is under way, and
   * nothing is announced or cut any more: another mount may write. With the refusal of the
   * record, if it was refused: it is then tried again later. Waits for no other mount.
   */
  flush(fid: Fid, done: Done): void {
    const file = this.#files.get(fid);
    if (file === undefined) return done(0);
    file.users++;
    if (this.#coherence.isOwed(fid)) this.#turns.wanted(file);
    file.flushing++;
    this.#flush(file, FLUSH_ROUNDS_MAX, (errno) => {
      file.flushing--;
      this.#release(file);
      done(errno);
    });
  }

  /** Others have changed the file, or will: what is known of it is asked for before its next use. */
  stale(fid: Fid): void {
    const file = this.#files.get(fid);
    if (file === undefined) return;
    file.stale = true;
    file.hasNoCapability = false;
  }

  /** {@link stale}, of every file. */
  staleAll(): void {
    for (const fid of this.#files.keys()) this.stale(fid);
  }

  /**
   * The server has given up this mount: descriptors of today are of no use (EIO), and nothing is
   * recorded. Answers with the files of which something was not: who wrote it may have ended.
   */
  lost(): readonly Fid[] {
    const files = [...this.#files.values()];
    const unrecorded = files.filter(({ dirty, given }) => dirty && !given).map(({ fid }) => fid);
    this.#files.clear();
    for (const file of files) this.#lose(file);
    return unrecorded;
  }

  /** {@link lost}, of one file. */
  lose(fid: Fid): void {
    const file = this.#files.get(fid);
    if (file === undefined) return;
    this.#files.delete(fid);
    this.#lose(file);
  }

  #lose(file: FileState): void {
    file.lost = true;
    this.#recorder.lose(file);
  }

  /** `rounds`: a mapping may be written back again and again meanwhile. */
  #flush(file: FileState, rounds: number, done: Done): void {
    this.#turns.whenIdle(file, () => {
      this.#whenOpen(file, () => {
        if (!file.dirty || file.given) {
          this.#gate.endIntent(file);
          return this.#whenCut(file, done);
        }
        const recorded: Done = (errno) => {
          if (errno === 0 && rounds > 0) this.#flush(file, rounds - 1, done);
          else this.#whenCut(file, () => done(errno));
        };
        this.#recorder.record(file, recorded, true);
      });
    });
  }

  /**
   * Changes that waited for the disk are made. What waits for a change of size, which may wait
   * for another mount, asks for its turn again.
   */
  #whenOpen(file: FileState, next: () => void): void {
    if (!file.gated || file.resizing) return next();
    const waiting = { from: OVERWRITES_NOTHING, end: 0, next: () => this.#whenOpen(file, next) };
    this.#gate.wait(file, waiting);
  }

  #whenCut(file: FileState, done: Done): void {
    if (file.cutting) this.#mds.call('sync', undefined, (errno) => done(errno));
    else done(0);
  }
}
