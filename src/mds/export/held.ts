/** The opens of all clients: handles, and how often each object is open. */
import { Errno, FsError } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import type { Clock } from '../../base/time.js';
import type { OpenHandle } from '../../rpc/session.js';
import type { GroupCommit } from '../../store/group-commit.js';
import type { Namespace } from '../namespace.js';
import type { ClientExport } from './client-export.js';
import { HANDLES_PER_SECOND, OPENS_MAX } from './limits.js';
import { Lingering } from './lingering.js';
import type { HeldOpen } from './parts.js';

const NONE: ReadonlySet<OpenHandle> = new Set();

export interface OpenWanted {
  readonly fid: Fid;
  readonly rights: HeldOpen['rights'];
  readonly uid: number;
}

export class Held {
  readonly #namespace: Namespace;
  readonly #commit: GroupCommit;
  readonly lingering: Lingering;
  #nextHandle: number;

  /** `shared`: there are several clients. */
  constructor(namespace: Namespace, commit: GroupCommit, clock: Clock, shared: () => boolean) {
    this.#namespace = namespace;
    this.#commit = commit;
    this.lingering = new Lingering({
      nowUs: () => clock.monotonicUs(),
      shared,
      open: (fid) => namespace.opens.add(fid),
      close: (fid) => this.#closed(fid),
    });
    // Beyond all that an earlier run gave out.
    this.#nextHandle = clock.now().sec * HANDLES_PER_SECOND + 1;
  }

  /** Somebody else than that client has it open. */
  elsewhere(fid: Fid, by: ClientExport | undefined): boolean {
    return this.#namespace.opens.count(fid) > (by?.opens.count(fid) ?? 0);
  }

  /** FsError(ENFILE) if the client has too much open. */
  admit({ opens }: ClientExport): void {
    if (opens.size < OPENS_MAX) return;
    throw new FsError(Errno.ENFILE, `the client has ${OPENS_MAX} files open`);
  }

  /** What the server has just opened becomes that client's. */
  took(by: ClientExport, wanted: OpenWanted): HeldOpen {
    const open: HeldOpen = { handle: this.#nextHandle++ as OpenHandle, ...wanted };
    by.opens.add(open);
    return open;
  }

  /**
   * Opens again, by the handle that it had. Nothing happens if it is open. FsError(ESTALE) if
   * there is no such object, EINVAL if the handle is that of another one.
   */
  again(by: ClientExport, open: HeldOpen): void {
    const held = by.opens.get(open.handle);
    if (held !== undefined) {
      if (held.fid === open.fid) return;
      throw new FsError(Errno.EINVAL, 'that handle is of another object');
    }
    this.admit(by);
    this.#namespace.inode(open.fid);
    this.#namespace.opens.add(open.fid);
    by.opens.add(open);
    this.#nextHandle = Math.max(this.#nextHandle, open.handle + 1);
  }

  /** One open of the object less, the oldest that the client knows of. Nothing happens if it has none. */
  close(by: ClientExport, fid: Fid): void {
    const unclaimed = by.unclaimed.size === 0 ? NONE : new Set(by.unclaimed.values());
    if (by.opens.takeOldest(fid, unclaimed) !== undefined) this.#closed(fid);
  }

  drop(by: ClientExport, handle: OpenHandle): void {
    const open = by.opens.take(handle);
    if (open !== undefined) this.#closed(open.fid);
  }

  /** Of what was opened for a client that is gone. */
  forget(fid: Fid): void {
    this.#closed(fid);
  }

  closeAll(by: ClientExport): void {
    for (const { fid } of by.opens.takeAll()) this.#closed(fid);
  }

  #closed(fid: Fid): void {
    if (this.#namespace.close(fid)) this.#commit.note();
  }
}
