/** Changing the size of a regular file: what was written comes first, and what is cut off stays away. */
import { Errno } from '../base/errno.js';
import type {
  AttributeChange,
  Attributes,
  Connection,
  Credentials,
  Verbatim,
} from '../rpc/messages.js';
import type { Coherence } from './coherence.js';
import { errnoOrFault } from './fault.js';
import type { FileData } from './file-data.js';
import { type FileGate, OVERWRITES_NOTHING } from './file-gate.js';
import type { FileState } from './file-state.js';
import type { Done, Recorder } from './recorder.js';

export type Resized = (errno: Errno | 0, attributes: Attributes | undefined) => void;
export type SizeChange = AttributeChange & { readonly size: number };

interface Asker {
  readonly who: Credentials;
  readonly verbatim: Verbatim | undefined;
  /** Nobody else changes the file meanwhile. */
  readonly alone: boolean;
}

export interface FileSizesParts {
  readonly mds: Connection;
  readonly data: FileData;
  readonly gate: FileGate;
  readonly recorder: Recorder;
  readonly coherence: Coherence;
}

export class FileSizes {
  readonly #mds: Connection;
  readonly #data: FileData;
  readonly #gate: FileGate;
  readonly #recorder: Recorder;
  readonly #coherence: Coherence;

  constructor({ mds, data, gate, recorder, coherence }: FileSizesParts) {
    this.#mds = mds;
    this.#data = data;
    this.#gate = gate;
    this.#recorder = recorder;
    this.#coherence = coherence;
  }

  /**
   * Changes the size (and what else is asked) and answers with the new attributes. From the
   * record of what was written until the answer nothing else changes the file.
   */
  set(file: FileState, asker: Asker, change: SizeChange, done: Resized): void {
    const now: Done = (errno) => {
      if (errno === 0) this.#recordAndSet(file, asker, change, done);
      else done(errno, undefined);
    };
    if (!this.#gate.isShut(file, OVERWRITES_NOTHING, change.size)) return now(0);
    this.#gate.wait(file, { from: OVERWRITES_NOTHING, end: change.size, next: now });
  }

  #recordAndSet(file: FileState, asker: Asker, change: SizeChange, done: Resized): void {
    let answered = false;
    let open: () => void = () => {};
    const answer: Resized = (errno, attributes) => {
      answered = true;
      done(errno, attributes);
      open();
    };
    this.#recorder.record(file, (errno) => {
      if (errno !== 0) answer(errno, undefined);
      else this.#setNow(file, asker, change, answer);
    });
    if (!answered) open = this.#gate.resizing(file);
  }

  #setNow(file: FileState, asker: Asker, change: SizeChange, done: Resized): void {
    if (file.lost) return done(Errno.EIO, undefined);
    const { who, verbatim, alone } = asker;
    const { layout, size } = file;
    if (alone && !this.#coherence.isCurrent()) {
      return this.#coherence.whenCurrent((errno) => {
        if (errno !== 0) done(errno, undefined);
        else this.#setNow(file, asker, change, done);
      });
    }
    try {
      // Others may have written behind the end that is known here; whoever is alone does it then.
      if (alone) this.#data.trimExcess(file);
    } catch (error) {
      return done(errnoOrFault('a change of size', error), undefined);
    }
    const asked = { op: 'setattr', fid: file.fid, change } as const;
    this.#mds.call('reint', { who, verbatim, change: asked }, (errno, result) => {
      if (file.lost) return done(Errno.EIO, undefined);
      if (errno !== 0 || result === undefined) return done(errno, undefined);
      const { contents } = file;
      const isCut = alone ? layout === 'object' && change.size < size : true;
      file.adopt(result.attributes);
      file.accessed = false;
      if (file.layout === 'inline' && contents !== undefined) {
        // Bytes beyond the cut must read as zeros if the file grows again.
        const kept = new Uint8Array(Math.min(file.size, contents.byteLength));
        kept.set(contents.subarray(0, kept.byteLength));
        file.contents = kept;
      }
      if (isCut && file.layout === 'object' && change.size > 0) this.#gate.cut(file);
      done(0, result.attributes);
    });
  }
}
