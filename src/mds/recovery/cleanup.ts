/**
 * What a server that was not stopped in order left behind, and what is done about it once it
 * is known who has what open: at the start if the server embeds its only client, whose opens
 * are gone with it, and otherwise at the end of a recovery. Until then nothing is destroyed
 * (`namespace.hold`).
 *
 * | found                                     | decision                              |
 * |-------------------------------------------|---------------------------------------|
 * | removal or truncation of an object file   | done now: its cause is on disk        |
 * | intent, somebody may still write there    | stays                                 |
 * | intent, the file still holds that object  | a write record for all of the file    |
 * | intent, any other object                  | the object file is garbage: removed   |
 * | object file made after the last commit     | the same: what no inode names is removed |
 * | orphan that is open                       | stays                                 |
 * | any other orphan                          | destroyed, some at a time             |
 */
import createDebug from 'debug';
import { FsError } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import type { Credentials } from '../../rpc/messages.js';
import type { Inode } from '../inode.js';
import type { Applied, MetadataServer } from '../server.js';
import { ORPHANS_PER_TURN } from './limits.js';
import { holds, type MadeObject, removeUnrecorded } from './unrecorded.js';

const debug = createDebug('feedfs:recovery');

const NOBODY: Credentials = { uid: 0, gid: 0, pid: 0, jobid: '', nid: '0@lo' };

export type UnsettledObject = MadeObject;

export class Cleanup {
  readonly #server: Pick<MetadataServer, 'namespace' | 'commit' | 'replica' | 'apply'>;
  /** Object files that were made and may have no trace in the store. */
  readonly #unsettled: () => readonly UnsettledObject[];
  /** Orphans that may have to go; those before `#next` were looked at. */
  #orphans: readonly Fid[] = [];
  #next = 0;
  /** Nothing was changed since the store was opened. */
  #onDisk = false;

  constructor(
    server: Pick<MetadataServer, 'namespace' | 'commit' | 'replica' | 'apply'>,
    unsettled: () => readonly UnsettledObject[],
  ) {
    this.#server = server;
    this.#unsettled = unsettled;
  }

  /**
   * `isHeld`: who has the file open goes on writing to it, and records that. `onDisk`: nothing
   * was changed since the store was opened.
   */
  begin(isHeld: (fid: Fid) => boolean, onDisk: boolean): void {
    const { namespace, commit } = this.#server;
    this.#onDisk = onDisk;
    namespace.release();
    let found = this.resolveIntents(isHeld);
    for (const { fid, generation } of this.#unsettled()) {
      if (!isHeld(fid) && removeUnrecorded(namespace, { fid, generation }, onDisk)) found++;
    }
    this.#onDisk = false;
    this.#orphans = namespace.orphans.list();
    this.#next = 0;
    if (found > 0 || namespace.objects.pending) commit.note(Math.max(1, found));
  }

  /** Records what was announced and is held by nobody. Returns how many there were. */
  resolveIntents(isHeld: (fid: Fid) => boolean): number {
    let found = 0;
    for (const { fid, generation } of this.#server.namespace.objects.intents) {
      if (isHeld(fid)) continue;
      this.#resolve(fid, generation);
      found++;
    }
    return found;
  }

  /** Orphans are left to be looked at. */
  get pending(): boolean {
    return this.#next < this.#orphans.length;
  }

  /** Destroys some orphans that nobody has open. What cannot be destroyed is left to the next start, and to fsck. */
  step(): void {
    const { namespace, commit } = this.#server;
    const end = Math.min(this.#orphans.length, this.#next + ORPHANS_PER_TURN);
    // Even if none goes, so that the next ones have their turn.
    if (this.pending) commit.note(end - this.#next);
    for (; this.#next < end; this.#next++) {
      const fid = this.#orphans[this.#next] as Fid;
      if (namespace.opens.has(fid) || !namespace.orphans.has(fid)) continue;
      try {
        namespace.destroyOrphan(fid);
      } catch (error) {
        if (!(error instanceof FsError)) throw error;
        debug('orphan %d stays: %o', fid, error);
      }
    }
    if (!this.pending) this.#orphans = [];
    if (!this.pending) this.#next = 0;
  }

  #resolve(fid: Fid, generation: number): void {
    const { namespace } = this.#server;
    const inode = namespace.inodes.get(fid);
    if (inode !== undefined && holds(inode, generation)) this.#record(inode);
    else removeUnrecorded(namespace, { fid, generation }, this.#onDisk);
  }

  /** Any of its data may have been written anew. */
  #record(inode: Inode): Applied {
    const { ctime, fid, generation, size } = inode;
    return this.#server.apply({
      who: NOBODY,
      // A copy has the ctime of its source; its receiver's own end does the same (client/replica).
      verbatim: this.#server.replica.active ? { time: ctime, fid, ctime } : undefined,
      change: {
        op: 'write',
        fid,
        // It is empty where space was set aside for what is to come.
        extents: size === 0 ? [] : [{ offset: 0, length: size }],
        size,
        mtime: inode.mtime,
        layout: 'object',
        generation,
        blocks: inode.blocks,
        contents: undefined,
        killSuidgid: false,
        keepIntent: false,
      },
    });
  }
}
