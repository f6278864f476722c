/**
 * One mutation: its number, its time, its author, and the one place where its
 * record goes to the log. What is not done inside a transaction has no record, so
 * it is a bug.
 */
import { Errno, FsError } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import { isDirectory } from '../base/mode.js';
import type { Timespec } from '../base/time.js';
import type { ChangeHead } from '../feed/log.js';
import type { RecordBody, Transno } from '../feed/record.js';
import { EXTENT_BYTES } from '../feed/record-layout.js';
import type { Credentials, ReintRequest, Verbatim } from '../rpc/messages.js';
import type { Inode } from './inode.js';
import type { Namespace } from './namespace.js';

/** Takes a record to the log. */
export type AppendRecord = (head: ChangeHead, body: RecordBody) => void;

export class Transaction {
  readonly namespace: Namespace;
  readonly transno: Transno;
  /** The time of the change: new ctime of what it changes. */
  readonly time: Timespec;
  readonly who: Credentials;
  /** What has no name after the change stays, open once for whoever asked for it. */
  readonly keepsNameless: boolean;
  /** The change is a copy of one that another filesystem made: nothing is derived from it. */
  readonly verbatim: Verbatim | undefined;
  /** The object that stays so. */
  kept: Fid | undefined;
  /** Bytes of values that the change holds in memory until they are committed. */
  bytes = 0;
  /** Undefined while no feed exists. */
  readonly #append: AppendRecord | undefined;

  constructor(
    namespace: Namespace,
    transno: Transno,
    time: Timespec,
    request: Pick<ReintRequest, 'who' | 'keepsNameless' | 'verbatim'>,
    append: AppendRecord | undefined,
  ) {
    this.namespace = namespace;
    this.transno = transno;
    this.verbatim = request.verbatim;
    this.time = this.verbatim?.time ?? time;
    this.who = request.who;
    this.keepsNameless = request.keepsNameless ?? false;
    this.#append = append;
  }

  /** Somebody wants records. */
  get recording(): boolean {
    return this.#append !== undefined;
  }

  /** FsError(ESTALE) if a copied change is about another object than the one that has the name here. */
  checkNamed(fid: Fid): void {
    if (this.verbatim === undefined || this.verbatim.fid === fid) return;
    throw new FsError(Errno.ESTALE, `the name is that of ${fid}, not of ${this.verbatim.fid}`);
  }

  /** A directory got or lost an entry. */
  entryChanged(directory: Inode, delta: number): void {
    directory.entries += delta;
    directory.mtime = this.time;
    directory.ctime = this.time;
    this.namespace.inodes.touch(directory);
  }

  changed(inode: Inode): void {
    inode.ctime = this.time;
    if (isDirectory(inode.mode)) {
      this.namespace.permissionChanges++;
      inode.permissionChanges++;
    }
    this.namespace.inodes.touch(inode);
  }

  /** An object has no name, or no longer: it lives while it is open. */
  nameless(inode: Inode): void {
    if (this.keepsNameless) {
      this.namespace.opens.add(inode.fid);
      this.kept = inode.fid;
    }
    this.namespace.abandon(inode);
  }

  /**
   * Logs a change of an object's own state. Nobody can reach an object without a name
   * through a feed, so what happens to it then is not recorded.
   */
  recordOf(inode: Inode, body: () => RecordBody): void {
    if (inode.nlink > 0) this.record(inode.fid, body);
  }

  /** Logs the change; `body` is built only when somebody wants records. */
  record(fid: Fid, body: () => RecordBody): void {
    if (this.#append === undefined) return;
    const { uid, gid, pid, nid, jobid } = this.who;
    const { transno, time } = this;
    const change = body();
    this.bytes += valueBytes(change);
    this.#append({ transno, time, fid, uid, gid, pid, nid, jobid }, change);
  }
}

/** What a record holds that is not small. */
function valueBytes(body: RecordBody): number {
  switch (body.op) {
    case 'setxattr':
      return body.xattr.value.length;
    case 'write':
      return body.extents.length * EXTENT_BYTES;
    case 'symlink':
      return body.target.length;
    default:
      return 0;
  }
}
