/**
 * Writing and cutting regular files in the right order, and the record of what was
 * written. The bytes themselves are file-data.ts's.
 */
import createDebug from 'debug';
import { Errno, errnoOf } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import type { Clock } from '../base/time.js';
import type { ObjectStore } from '../objects/object-store.js';
import type { AttributeChange, Attributes, Connection, Credentials } from '../rpc/messages.js';
import { FileData } from './file-data.js';
import { FileState } from './file-state.js';
import {
  RECORD_AFTER_US,
  RECORD_BYTES,
  RECORD_EXTENTS_MAX,
  RECORD_EXTENTS_SENT_MAX,
} from './limits.js';

const debug = createDebug('feedfs:client');

export type Done = (errno: Errno | 0) => void;
type Resized = (errno: Errno | 0, attributes: Attributes | undefined) => void;
type SizeChange = AttributeChange & { readonly size: number };

/** Who writes, and whether that clears set-id bits. */
type Author = { readonly who: Credentials; readonly killSuidgid: boolean };

export class FileIo {
  readonly #mds: Connection;
  readonly data: FileData;
  readonly #clock: Clock;
  readonly #files = new Map<Fid, FileState>();
  /** Files with unrecorded writes, the oldest first. */
  readonly #dirty = new Map<FileState, Credentials>();

  constructor(mds: Connection, objects: ObjectStore, clock: Clock) {
    this.#mds = mds;
    this.data = new FileData(mds, objects, clock);
    this.#clock = clock;
  }

  /** The state of a file that is open or dirty. */
  find(fid: Fid): FileState | undefined {
    return this.#files.size === 0 ? undefined : this.#files.get(fid);
  }

  get anyDirty(): boolean {
    return this.#dirty.size > 0;
  }

  /** What every reader must see. */
  exact(attributes: Attributes): Attributes {
    const file = this.find(attributes.fid);
    if (file === undefined || !file.dirty) return attributes;
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

  /** Writes all of `data` (valid during this call) and then calls back. */
  write(file: FileState, offset: number, data: Uint8Array, author: Author, done: Done): void {
    if (file.gated || this.#mustWait(file, offset, data.byteLength)) {
      const kept = Uint8Array.from(data);
      this.#whenReady(file, offset, kept.byteLength, (errno) => {
        if (errno !== 0) done(errno);
        else this.#writeNow(file, offset, kept, author, done);
      });
    } else this.#writeNow(file, offset, data, author, done);
  }

  /** Makes a hole in what the file has there; its size stays. */
  punch(file: FileState, offset: number, length: number, who: Credentials, done: Done): void {
    const now: Done = (errno) => {
      if (errno !== 0) return done(errno);
      const end = Math.min(offset + length, file.size);
      if (offset >= end) return done(0);
      try {
        this.data.punch(file, offset, end - offset);
      } catch (error) {
        return done(errnoOf(error));
      }
      this.#written(file, offset, end - offset, { who, killSuidgid: false });
      done(0);
    };
    if (file.gated || this.#mustWait(file, offset, 0)) this.#whenReady(file, offset, 0, now);
    else now(0);
  }

  /** Tells the server what was written. Calls back with its refusal, if any. */
  record(file: FileState, done: Done = () => {}): void {
    const who = this.#dirty.get(file);
    if (who === undefined) return done(0);
    if (debug.enabled) debug('record %d: %d bytes', file.fid, file.extents.bytes);
    try {
      this.data.settle(file);
    } catch (error) {
      return done(errnoOf(error));
    }
    const { writes } = file;
    // Whoever waits at the gate relies on an intent that this record must not end.
    const keepIntent = file.gated || (file.writers > 0 && file.mayOverwrite);
    if (!keepIntent) file.mayOverwrite = false;
    file.recording = true;
    this.#mds.call(
      'reint',
      {
        who,
        change: {
          op: 'write',
          fid: file.fid,
          extents: file.extents.atMost(RECORD_EXTENTS_SENT_MAX),
          size: file.size,
          mtime: file.mtime,
          layout: file.layout,
          generation: file.generation,
          blocks: file.blocks,
          contents:
            file.layout === 'inline' ? this.data.contents(file).subarray(0, file.size) : undefined,
          killSuidgid: file.killSuidgid,
          keepIntent,
        },
      },
      (errno) => {
        file.recording = false;
        // What was written while the answer was on its way is not in this record.
        if (errno === Errno.ESTALE || (errno === 0 && file.writes === writes)) this.#recorded(file);
        done(errno === Errno.ESTALE ? 0 : errno);
      },
    );
  }

  /** The last writer closed the file. */
  closeWriter(file: FileState): void {
    file.writers--;
    if (file.writers > 0) return;
    if (file.dirty) this.record(file);
    else if (!file.gated) this.#endIntent(file);
  }

  recordAll(): void {
    for (const file of [...this.#dirty.keys()]) this.record(file);
  }

  /** Changes the size (and what else is asked) and answers with the new attributes. */
  setSize(file: FileState, who: Credentials, change: SizeChange, done: Resized): void {
    const resize: Done = (errno) => {
      if (errno !== 0) done(errno, undefined);
      else this.#setSizeNow(file, who, change, done);
    };
    const now: Done = (errno) => (errno === 0 ? this.record(file, resize) : resize(errno));
    const grows = change.size > file.size;
    if (file.gated || (file.cutting && grows)) this.#whenReady(file, 0, 0, now);
    else now(0);
  }

  /** Records what has been waiting for too long. */
  tick(nowUs: number): void {
    for (const [file, who] of this.#dirty) {
      if (nowUs - file.dirtySinceUs < RECORD_AFTER_US) break;
      this.record(file);
      if (!file.dirty) continue;
      // Refused: try again after a while.
      this.#dirty.delete(file);
      file.dirtySinceUs = nowUs;
      this.#dirty.set(file, who);
    }
  }

  #recorded(file: FileState): void {
    this.#dirty.delete(file);
    file.dirty = false;
    file.extents.clear();
    file.killSuidgid = false;
    file.recordedSize = file.size;
    this.#forgetUnused(file);
  }

  #forgetUnused(file: FileState): void {
    if (file.users > 0 || file.dirty || file.gated || file.cutting) return;
    this.#endIntent(file);
    this.#files.delete(file.fid);
  }

  #endIntent(file: FileState): void {
    if (!file.mayOverwrite) return;
    file.mayOverwrite = false;
    this.#mds.call('intentOver', { fid: file.fid, generation: file.generation }, () => {});
  }

  #setSizeNow(file: FileState, who: Credentials, change: SizeChange, done: Resized): void {
    const cuts = file.layout === 'object' && change.size > 0 && change.size < file.size;
    this.data.trimExcess(file);
    this.#mds.call(
      'reint',
      { who, change: { op: 'setattr', fid: file.fid, change } },
      (errno, result) => {
        if (errno !== 0 || result === undefined) return done(errno, undefined);
        const { contents } = file;
        file.adopt(result.attributes);
        if (file.layout === 'inline' && contents !== undefined) {
          // Bytes beyond the cut must read as zeros if the file grows again.
          const kept = new Uint8Array(Math.min(file.size, contents.byteLength));
          kept.set(contents.subarray(0, kept.byteLength));
          file.contents = kept;
        }
        if (cuts) this.#cut(file);
        done(0, result.attributes);
      },
    );
  }

  /** The server cuts the object file once the new size is on disk. */
  #cut(file: FileState): void {
    file.cutting = true;
    file.users++;
    this.#mds.call('sync', undefined, () => {
      file.cutting = false;
      this.release(file);
    });
  }

  #mustWait(file: FileState, offset: number, length: number): boolean {
    if (file.layout !== 'object') return false;
    if (file.cutting && offset + length > file.size) return true;
    return !file.mayOverwrite && offset < file.recordedSize;
  }

  /** Runs `next` in its turn, when the file may be changed in that range. */
  #whenReady(file: FileState, offset: number, length: number, next: Done): void {
    if (file.gate !== undefined) {
      file.gate.push(() => this.#whenReady(file, offset, length, next));
      return;
    }
    file.gate = [];
    file.users++;
    const open = (errno: Errno | 0): void => {
      const waiting = file.gate ?? [];
      file.gate = undefined;
      if (errno === 0 && file.layout === 'object') file.mayOverwrite = true;
      next(errno);
      this.release(file);
      for (const resume of waiting) resume();
    };
    const { fid, generation } = file;
    if (file.layout === 'object') {
      this.#mds.call('intent', { fid, generation, durable: true }, (errno) => open(errno));
    } else this.#mds.call('sync', undefined, (errno) => open(errno));
  }

  #writeNow(file: FileState, offset: number, data: Uint8Array, author: Author, done: Done): void {
    const { generation } = file;
    try {
      this.data.write(file, offset, data);
    } catch (error) {
      // The contents moved all the same, and the server must hear of that.
      if (file.generation !== generation) this.#written(file, 0, 0, author);
      return done(errnoOf(error));
    }
    this.#written(file, offset, data.byteLength, author);
    done(0);
  }

  /** Bytes are in their place: they count, and are to be recorded. */
  #written(file: FileState, offset: number, length: number, { who, killSuidgid }: Author): void {
    file.size = Math.max(file.size, offset + length);
    file.mtime = this.#clock.now();
    file.extents.add(offset, length);
    file.killSuidgid ||= killSuidgid;
    file.writes++;
    if (!file.dirty) {
      file.dirty = true;
      file.dirtySinceUs = this.#clock.monotonicUs();
    }
    if (!this.#dirty.has(file)) this.#dirty.set(file, who);
    const much =
      file.extents.bytes >= RECORD_BYTES || file.extents.list.length >= RECORD_EXTENTS_MAX;
    if (killSuidgid || (much && !file.recording)) this.record(file);
  }
}
