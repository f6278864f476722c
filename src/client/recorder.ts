/**
 * What was written and the metadata server does not know yet: which files, since when,
 * by whom; and telling it.
 */
import createDebug from 'debug';
import { must } from '../base/assert.js';
import { Errno } from '../base/errno.js';
import { S_ISGID, S_ISUID } from '../base/mode.js';
import type { Clock, Timespec } from '../base/time.js';
import { WRITE_EXTENTS_MAX } from '../rpc/limits.js';
import type { Connection, Credentials, Verbatim, WrittenExtent } from '../rpc/messages.js';
import { Extents } from './extents.js';
import { errnoOrFault } from './fault.js';
import type { FileData } from './file-data.js';
import type { FileState } from './file-state.js';
import { RECORD_AFTER_US, RECORD_BYTES, RECORD_EXTENTS_MAX } from './limits.js';

const debug = createDebug('feedfs:client');

/** As `sentWrites`: whoever wrote since the last record stays its author. */
const NOTHING_SENT = -1;

export type Done = (errno: Errno | 0) => void;

/** What a file of a copy is once its record is made. */
export interface GivenState {
  readonly extents: readonly WrittenExtent[];
  readonly size: number;
  readonly mtime: Timespec;
}

/** Who writes, and whether that clears set-id bits. */
export interface Author {
  readonly who: Credentials;
  readonly killSuidgid: boolean;
}

export class Recorder {
  readonly #mds: Connection;
  readonly #data: FileData;
  readonly #clock: Clock;
  readonly #onClean: (file: FileState) => void;
  /** Files with unrecorded writes, the oldest first. */
  readonly #dirty = new Set<FileState>();
  /** Who waits for the last record of a file, while it is on its way. */
  readonly #waiting = new Map<FileState, Done[]>();

  /** `onClean`: nothing of the file is unrecorded any more. */
  constructor(mds: Connection, data: FileData, clock: Clock, onClean: (file: FileState) => void) {
    this.#mds = mds;
    this.#data = data;
    this.#clock = clock;
    this.#onClean = onClean;
  }

  get anyDirty(): boolean {
    return this.#dirty.size > 0;
  }

  /**
   * Before a change of `who`: what another user wrote becomes a record in that user's
   * name. Processes of one user are not told apart: the first stands for them, and so
   * does the first user for those who write while a record waits for the disk.
   */
  separate(file: FileState, { uid }: Credentials): void {
    if (!file.dirty || file.author?.uid === uid) return;
    if (file.recording === 0 && file.writes !== file.sentWrites) this.record(file);
  }

  /**
   * Bytes are in their place: they count, and are to be recorded. With length 0 nothing
   * but the time of the change, and the size if `offset` is beyond the end.
   */
  written(file: FileState, offset: number, length: number, { who, killSuidgid }: Author): void {
    const end = offset + length;
    if (end > file.size) file.size = end;
    file.mtime = this.#clock.now();
    file.accessed = false;
    file.extents.add(offset, length);
    if (file.writes === file.sentWrites) file.author = who;
    file.writes++;
    if (!file.dirty) {
      file.dirty = true;
      file.dirtySinceUs = this.#clock.monotonicUs();
      this.#dirty.add(file);
    }
    if (killSuidgid) this.#killSuidgid(file);
    if (file.recording === 0 && this.#isMuch(file)) this.record(file);
  }

  /**
   * Before permissions change: what was written until now is recorded, and no later record
   * has any of it again, not even while this one waits for the disk.
   */
  sealAll(): void {
    for (const file of [...this.#dirty]) {
      if (file.writes !== file.sealedWrites) this.#send(file, () => {}, { apart: true });
    }
  }

  /**
   * Tells the server what was written. Calls back with its refusal, if any. `letsGo`: somebody
   * else is to write now, so that nothing of an intent is kept.
   */
  record(file: FileState, done: Done = () => {}, letsGo = false): void {
    // Where answers come later there is nearly always one on its way.
    const apart = this.#mds.direct !== true;
    const waiting = this.#waiting.get(file);
    if (apart && waiting !== undefined && file.writes === file.sentWrites) waiting.push(done);
    else this.#send(file, done, { letsGo, apart });
  }

  /**
   * `apart`: if the answer comes later, what is written until then is kept apart from what this
   * record has, for the next one.
   */
  #send(file: FileState, done: Done, { letsGo = false, apart = false }): void {
    if (file.lost) return done(Errno.EIO);
    if (!file.dirty || file.given) return done(0);
    if (debug.enabled) debug('record %d: %d bytes', file.fid, file.extents.bytes);
    try {
      this.#data.settle(file);
    } catch (error) {
      return done(errnoOrFault('a record', error));
    }
    const { writes, size, generation, extents, killSuidgid } = file;
    const waiting: Done[] = [done];
    let answered = false;
    let kills = false;
    file.sentWrites = writes;
    // Whoever waits at the gate relies on an intent that this record must not end.
    const keepIntent = file.gated || (!letsGo && file.writers > 0 && file.mayOverwrite);
    if (!keepIntent) file.mayOverwrite = false;
    file.recording++;
    const inline = file.layout === 'inline';
    this.#mds.call(
      'reint',
      {
        who: must(file.author, 'author of what was written'),
        change: {
          op: 'write',
          fid: file.fid,
          extents: file.extents.atMost(WRITE_EXTENTS_MAX),
          size,
          mtime: file.mtime,
          layout: file.layout,
          generation,
          blocks: file.blocks,
          contents: inline ? this.#data.contents(file).subarray(0, file.size) : undefined,
          killSuidgid: file.killSuidgid,
          keepIntent,
        },
      },
      (errno) => {
        answered = true;
        if (kills) file.killsUnderway--;
        file.recording--;
        if (this.#waiting.get(file) === waiting) this.#waiting.delete(file);
        const told = (outcome: Errno | 0): void => {
          for (const one of waiting) one(outcome);
        };
        if (file.lost) return told(Errno.EIO);
        if (errno !== 0 && errno !== Errno.ESTALE) this.#takeBack(file, extents, killSuidgid);
        if (errno !== 0) file.sentWrites = NOTHING_SENT;
        else if (file.generation === generation) {
          // Also where it was overtaken: overwriting these bytes takes an intent from now on.
          file.recordedSize = Math.max(file.recordedSize, size);
        }
        // What was written while the answer was on its way is not in this record.
        if (errno === Errno.ESTALE || (errno === 0 && file.writes === writes)) this.#clean(file);
        told(errno === Errno.ESTALE ? 0 : errno);
      },
    );
    if (answered) return;
    this.#waiting.set(file, waiting);
    if (!apart) return;
    file.sealedWrites = writes;
    file.extents = new Extents();
    if (this.#mds.direct === true || !killSuidgid) return;
    // Whoever changes the mode after the record was sent means it.
    file.killSuidgid = false;
    file.killsUnderway++;
    kills = true;
  }

  /** A record with these ranges was refused: they are to be in another one. */
  #takeBack(file: FileState, extents: Extents, killSuidgid: boolean): void {
    if (!file.dirty || file.extents === extents) return;
    for (const { offset, length } of extents.list) file.extents.add(offset, length);
    file.killSuidgid ||= killSuidgid;
    // As if it were written once more, so that a record on its way does not stand for it.
    file.writes++;
  }

  /**
   * Records what the receiver of a copy put in its place; `verbatim` unless it is a copy no
   * more. A refusal leaves the file, which others may be reading, as it is.
   */
  recordGiven(
    file: FileState,
    who: Credentials,
    { extents, size, mtime }: GivenState,
    verbatim: Verbatim | undefined,
    done: Done,
  ): void {
    let blocks: number;
    try {
      blocks = this.#data.settleAs(file, size);
    } catch (error) {
      return done(errnoOrFault('a record', error));
    }
    const { fid, layout, generation } = file;
    const contents = layout === 'inline' ? this.#data.contents(file).subarray(0, size) : undefined;
    const what = { fid, extents, size, mtime, layout, generation, blocks, contents };
    // More of the same message may overwrite it.
    const keepIntent = file.writers > 0 && file.mayOverwrite;
    const change = { op: 'write', ...what, killSuidgid: false, keepIntent } as const;
    this.#mds.call('reint', { who, change, verbatim }, (errno) => {
      if (errno !== 0) return done(errno);
      // Also bytes behind that size may be there, which must not come back.
      if (size < file.size) file.trimmed = false;
      file.size = size;
      file.mtime = mtime;
      file.blocks = blocks;
      file.recordedSize = size;
      file.mayOverwrite = keepIntent;
      done(0);
    });
  }

  /** Records all that was written. Calls back when the server answered for all, with its first refusal. */
  recordAll(done: Done = () => {}): void {
    let waiting = 1;
    let refusal: Errno | 0 = 0;
    const answered: Done = (errno) => {
      if (refusal === 0) refusal = errno;
      if (--waiting === 0) done(refusal);
    };
    for (const file of [...this.#dirty]) {
      waiting++;
      this.record(file, answered);
    }
    answered(0);
  }

  /** Records what has been waiting for too long. */
  tick(nowUs: number): void {
    for (const file of this.#dirty) {
      if (nowUs - file.dirtySinceUs < RECORD_AFTER_US) break;
      this.record(file);
      if (!file.dirty) continue;
      // Refused: try again after a while.
      this.#dirty.delete(file);
      file.dirtySinceUs = nowUs;
      this.#dirty.add(file);
    }
  }

  /** The server has given up this mount: what was not recorded never will be. */
  lose(file: FileState): void {
    this.#dirty.delete(file);
    file.dirty = false;
    file.extents.clear();
  }

  #isMuch({ extents }: FileState): boolean {
    return extents.bytesAtMost >= RECORD_BYTES || extents.reaches(RECORD_EXTENTS_MAX);
  }

  /** Every write of an ordinary user asks for it; only where there are set-id bits is it urgent. */
  #killSuidgid(file: FileState): void {
    file.killSuidgid = true;
    this.#mds.call('getattr', { fid: file.fid }, (_errno, attributes) => {
      const mode = attributes?.mode ?? 0;
      if ((mode & (S_ISUID | S_ISGID)) !== 0) this.record(file);
    });
  }

  #clean(file: FileState): void {
    this.#dirty.delete(file);
    file.dirty = false;
    file.extents.clear();
    file.killSuidgid = false;
    file.sentWrites = file.writes;
    file.recordedSize = file.size;
    this.#onClean(file);
  }
}
