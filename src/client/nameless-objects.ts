/**
 * Objects without a name that the kernel still holds: a working directory that was
 * removed, a file of which only an O_PATH descriptor is left, a file made without a
 * name. Each is open once at the server on the kernel's behalf, until the kernel says
 * by FORGET that it will not ask about it again.
 *
 * No lookups are counted, for that would take memory for everything that the kernel
 * knows. So a FORGET of an earlier acquaintance of the same object that the kernel sends
 * only after the removal ends this one as well: its next request is answered ESTALE.
 */
import type { Fid } from '../base/fid.js';
import type { ForgetItem } from '../fuse/api.js';
import type { Connection } from '../rpc/messages.js';

export class NamelessObjects {
  readonly #mds: Connection;
  readonly #fids = new Set<Fid>();
  /** Made without a name, and open by their descriptors alone. */
  readonly #unnamed = new Set<Fid>();

  constructor(mds: Connection) {
    this.#mds = mds;
  }

  /** How many there are. */
  get size(): number {
    return this.#fids.size;
  }

  /** Takes over the open that came with a change's answer. */
  keep(fid: Fid): void {
    if (this.#fids.has(fid)) this.#close(fid);
    else this.#fids.add(fid);
  }

  /** It was made without a name, and its answer came with no open but that of its descriptor. */
  made(fid: Fid): void {
    this.#unnamed.add(fid);
  }

  /** Whether the open of a descriptor that is closed stays on the kernel's behalf: then it is kept here. */
  takesOver(fid: Fid): boolean {
    if (this.#unnamed.size === 0 || !this.#unnamed.delete(fid)) return false;
    this.keep(fid);
    return true;
  }

  /** It has got a name, or nobody asks about it any more. */
  letGo(fid: Fid): void {
    this.#unnamed.delete(fid);
    if (this.#fids.delete(fid)) this.#close(fid);
  }

  forget(items: readonly ForgetItem[]): void {
    if (this.#fids.size === 0 && this.#unnamed.size === 0) return;
    for (const { nodeId } of items) this.letGo(nodeId as Fid);
  }

  /** The mount ends: the kernel forgets everything. */
  letGoOfAll(): void {
    for (const fid of [...this.#fids]) this.letGo(fid);
  }

  /** The server has given up this mount, and closed them. */
  loseAll(): void {
    this.#fids.clear();
    this.#unnamed.clear();
  }

  #close(fid: Fid): void {
    this.#mds.call('close', { fid }, () => {});
  }
}
