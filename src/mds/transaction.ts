/**
 * One mutation: its number, its time, its author, and the one place where its
 * record goes to the log. What is not done inside a transaction has no record, so
 * it is a bug.
 */
import { Errno, FsError } from '../base/errno.js';
import { type Fid, isGivenFid } from '../base/fid.js';
import { isDirectory } from '../base/mode.js';
import type { Timespec } from '../base/time.js';
import type { ChangeHead } from '../feed/log.js';
import type { RecordBody, Transno } from '../feed/record.js';
import { EXTENT_BYTES } from '../feed/record-layout.js';
import type { Credentials, ReintRequest, ReplayOf, Verbatim } from '../rpc/messages.js';
import type { Inode } from './inode.js';
import type { Namespace } from './namespace.js';
import { checkAuthor } from './reint/numbers.js';

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
  /** It was made before, and is made again as it was then. */
  readonly replay: ReplayOf | undefined;
  /** The object that stays so. */
  kept: Fid | undefined;
  /** A whiteout that a rename left. */
  made: Fid | undefined;
  /** Bytes of values that the change holds in memory until they are committed. */
  bytes = 0;
  /** Undefined while no feed exists. */
  readonly #append: AppendRecord | undefined;

  /** FsError(EINVAL) if no record could say who it was. */
  constructor(
    namespace: Namespace,
    /** Of a change that is no replay. */
    transno: Transno,
    time: Timespec,
    request: Pick<ReintRequest, 'who' | 'keepsNameless' | 'verbatim' | 'replay'>,
    append: AppendRecord | undefined,
  ) {
    checkAuthor(request.who);
    this.namespace = namespace;
    this.verbatim = request.verbatim;
    this.replay = request.replay;
    this.transno = (this.replay?.transno as Transno | undefined) ?? transno;
    this.time = this.verbatim?.time ?? this.replay?.time ?? time;
    this.who = request.who;
    this.keepsNameless = request.keepsNameless ?? false;
    this.#append = append;
  }

  /** Somebody wants records. */
  get recording(): boolean {
    return this.#append !== undefined;
  }

  /** FsError(ESTALE) if a copied or repeated change is about another object than the one that has the name here. */
  checkNamed(fid: Fid): void {
    const other = this.verbatim?.fid ?? this.replay?.fid ?? fid;
    if (other !== fid) {
      throw new FsError(Errno.ESTALE, `the name is that of ${fid}, not of ${other}`);
    }
    this.checkReplayed(fid);
  }

  /** FsError(ESTALE) if it is made again, and was about another object. */
  checkReplayed(fid: Fid): void {
    if (this.replay === undefined || this.replay.fid === fid) return;
    throw new FsError(Errno.ESTALE, `it was about ${this.replay.fid}, not ${fid}`);
  }

  /** For what it makes: the one that this had already, if it is made again. FsError(EINVAL, EEXIST). */
  newFid(): Fid {
    const { fids, inodes } = this.namespace;
    if (this.replay === undefined) return fids.allocate();
    const { fid } = this.replay;
    if (!isGivenFid(fid)) throw new FsError(Errno.EINVAL, `${fid} is no FID of a new object`);
    if (inodes.get(fid) !== undefined) {
      throw new FsError(Errno.EEXIST, `there is an object ${fid}`);
    }
    fids.taken(fid);
    return fid;
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

  /** The change leaves it open. Of one that is made again only the export knows whether it still is. */
  opened(inode: Inode): void {
    if (this.replay === undefined) this.namespace.opens.add(inode.fid);
  }

  /** An object has no name, or no longer: it lives while it is open. */
  nameless(inode: Inode): void {
    if (this.keepsNameless) {
      this.opened(inode);
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
