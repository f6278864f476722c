/**
 * One mutation: its number, its time, its author, and the one place where its
 * record goes to the log. What is not done inside a transaction has no record, so
 * it is a bug.
 */
import type { Fid } from '../base/fid.js';
import type { Timespec } from '../base/time.js';
import type { Unlogged } from '../feed/log.js';
import type { RecordHead, Transno } from '../feed/record.js';
import type { Credentials } from '../rpc/messages.js';
import type { Inode } from './inode.js';
import type { Namespace } from './namespace.js';

type HeadOfChange = Omit<RecordHead, 'index'>;
/** A record less what the transaction knows itself. */
export type Body<R = Unlogged> = R extends Unlogged ? Omit<R, keyof RecordHead> : never;

export class Transaction {
  readonly namespace: Namespace;
  readonly transno: Transno;
  /** The time of the change: new ctime of what it changes. */
  readonly time: Timespec;
  readonly who: Credentials;
  /** Undefined while no feed exists. */
  readonly #append: ((record: Unlogged) => void) | undefined;

  constructor(
    namespace: Namespace,
    transno: Transno,
    time: Timespec,
    who: Credentials,
    append: ((record: Unlogged) => void) | undefined,
  ) {
    this.namespace = namespace;
    this.transno = transno;
    this.time = time;
    this.who = who;
    this.#append = append;
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
    this.namespace.inodes.touch(inode);
  }

  /**
   * Logs a change of an object's own state. Nobody can reach an object without a name
   * through a feed, so what happens to it then is not recorded.
   */
  recordOf(inode: Inode, body: () => Body): void {
    if (inode.nlink > 0) this.record(inode.fid, body);
  }

  /** Logs the change; `body` is built only when somebody wants records. */
  record(fid: Fid, body: () => Body): void {
    if (this.#append === undefined) return;
    const head: HeadOfChange = {
      transno: this.transno,
      time: this.time,
      fid,
      uid: this.who.uid,
      gid: this.who.gid,
      pid: this.who.pid,
      nid: this.who.nid,
      jobid: this.who.jobid,
    };
    this.#append({ ...head, ...body() } as Unlogged);
  }
}
