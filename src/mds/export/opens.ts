/** What one client has open: by handle, and by object, the oldest first. */
import type { Fid } from '../../base/fid.js';
import type { OpenHandle } from '../../rpc/session.js';
import type { HeldOpen } from './parts.js';

export class HeldOpens {
  readonly #byHandle = new Map<OpenHandle, HeldOpen>();
  /** Mostly one handle of an object; otherwise in growing order. */
  readonly #byFid = new Map<Fid, OpenHandle | OpenHandle[]>();

  get size(): number {
    return this.#byHandle.size;
  }

  get(handle: OpenHandle): HeldOpen | undefined {
    return this.#byHandle.get(handle);
  }

  has(fid: Fid): boolean {
    return this.#byFid.has(fid);
  }

  count(fid: Fid): number {
    const held = this.#byFid.get(fid);
    return held === undefined ? 0 : typeof held === 'number' ? 1 : held.length;
  }

  writes(fid: Fid): boolean {
    const held = this.#byFid.get(fid);
    if (held === undefined) return false;
    if (typeof held === 'number') return this.#byHandle.get(held)?.rights === 'write';
    return held.some((handle) => this.#byHandle.get(handle)?.rights === 'write');
  }

  /** The handle must be a new one. */
  add(open: HeldOpen): void {
    const { handle, fid } = open;
    this.#byHandle.set(handle, open);
    const held = this.#byFid.get(fid);
    if (held === undefined) this.#byFid.set(fid, handle);
    else {
      const handles = typeof held === 'number' ? [held] : held;
      // They come in order but after a restart.
      const at = handles.findLastIndex((other) => other < handle) + 1;
      handles.splice(at, 0, handle);
      this.#byFid.set(fid, handles);
    }
  }

  /** The oldest open of that object, which is no open any more; never one of `but`. */
  takeOldest(fid: Fid, but: ReadonlySet<OpenHandle>): HeldOpen | undefined {
    const held = this.#byFid.get(fid);
    if (held === undefined) return undefined;
    const handles = typeof held === 'number' ? [held] : held;
    const handle = handles.find((one) => !but.has(one));
    return handle === undefined ? undefined : this.take(handle);
  }

  take(handle: OpenHandle): HeldOpen | undefined {
    const open = this.#byHandle.get(handle);
    if (open === undefined) return undefined;
    this.#byHandle.delete(handle);
    const held = this.#byFid.get(open.fid);
    if (typeof held !== 'object') this.#byFid.delete(open.fid);
    else {
      held.splice(held.indexOf(handle), 1);
      const [only] = held;
      if (held.length === 1 && only !== undefined) this.#byFid.set(open.fid, only);
    }
    return open;
  }

  /** All of them, which are none any more. */
  *takeAll(): Generator<HeldOpen> {
    const all = [...this.#byHandle.values()];
    this.#byHandle.clear();
    this.#byFid.clear();
    yield* all;
  }
}
