/**
 * Access times. The kernel leaves them to the filesystem, and tells it only of reads that
 * its page cache cannot serve: a file whose access time is due is therefore opened with
 * an empty cache, so that its first read is seen.
 */
import { isAccessDue } from '../base/access-time.js';
import type { Fid } from '../base/fid.js';
import type { Clock } from '../base/time.js';
import type { Attributes, Connection } from '../rpc/messages.js';
import type { FileState } from './file-state.js';
import type { Files } from './files.js';

/** Which reads change access times: by relatime, or none; without those of directories. */
export type AccessPolicy = 'relatime' | 'nodiratime' | 'noatime';

export interface AccessTimesOptions {
  readonly mds: Connection;
  readonly files: Pick<Files, 'exact'>;
  readonly clock: Clock;
  readonly policy: AccessPolicy;
  /** Has the kernel forget the attributes of an object. */
  readonly invalidate: (fid: Fid) => void;
}

const O_ACCMODE = 0o3;
const O_WRONLY = 0o1;
const O_NOATIME = 0o1000000;

export class AccessTimes {
  readonly #mds: Connection;
  readonly #files: Pick<Files, 'exact'>;
  readonly #clock: Clock;
  readonly #policy: AccessPolicy;
  readonly #invalidate: (fid: Fid) => void;
  readonly #now = () => this.#clock.now();

  constructor({ mds, files, clock, policy, invalidate }: AccessTimesOptions) {
    this.#mds = mds;
    this.#files = files;
    this.#clock = clock;
    this.#policy = policy;
    this.#invalidate = invalidate;
  }

  /**
   * An open with `flags` of a file with these attributes: whether it may read from pages
   * that the kernel has.
   */
  opened(file: FileState, attributes: Attributes, flags: number): boolean {
    if (this.#policy === 'noatime' || (flags & O_ACCMODE) === O_WRONLY) return true;
    if ((flags & O_NOATIME) !== 0) return true;
    file.accessed = !isAccessDue(this.#files.exact(attributes), this.#now);
    return file.accessed;
  }

  /** {@link opened} for a directory, whose listing the kernel may have. */
  openedDirectory(attributes: Attributes, flags: number): boolean {
    if (this.#policy !== 'relatime' || (flags & O_NOATIME) !== 0) return true;
    return !isAccessDue(attributes, this.#now);
  }

  /**
   * A read of an open file; `flags` are those of the open at this moment. Calls back when the
   * read may be answered: who looks at the time then, sees it.
   */
  read(file: FileState, flags: number, next: () => void): void {
    if (file.accessed || this.#policy === 'noatime' || (flags & O_NOATIME) !== 0) return next();
    file.accessed = true;
    this.#touch(file.fid, { sent: next });
  }

  /**
   * A file opened with `flags` was copied from by its server: no read of which the kernel
   * knows. What fcntl(2) made of the flags since, the request does not say.
   */
  copied(file: FileState, flags: number): void {
    if (file.accessed || this.#policy === 'noatime' || (flags & O_NOATIME) !== 0) return;
    file.accessed = true;
    this.#touch(file.fid, { touched: () => this.#invalidate(file.fid) });
  }

  /** A symbolic link was followed. */
  followed(fid: Fid): void {
    if (this.#policy !== 'noatime') this.#touch(fid);
  }

  /** A directory was listed that was opened with `flags`. */
  listed(fid: Fid, flags: number): void {
    if (this.#policy === 'relatime' && (flags & O_NOATIME) === 0) this.#touch(fid);
  }

  /** `sent`: the server has been told, if there was anything to tell; `touched`: it has done so. */
  #touch(fid: Fid, { sent = nothing, touched = nothing } = {}): void {
    this.#mds.call('getattr', { fid }, (_errno, attributes) => {
      const isDue =
        attributes !== undefined && isAccessDue(this.#files.exact(attributes), this.#now);
      if (isDue) this.#mds.call('accessed', { fid, atime: this.#clock.now() }, touched);
      sent();
    });
  }
}

const nothing = (): void => {};
