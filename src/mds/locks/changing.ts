/** Which objects the changes are about that wait or run. */
import type { Fid } from '../../base/fid.js';
import type { Admission } from './admission.js';

const NONE: ReadonlySet<Admission> = new Set();

export class Changing {
  readonly #byFid = new Map<Fid, Set<Admission>>();

  get any(): boolean {
    return this.#byFid.size > 0;
  }

  of(fid: Fid): ReadonlySet<Admission> {
    return this.#byFid.get(fid) ?? NONE;
  }

  /** It is about these now, and no others. */
  set(admission: Admission, fids: readonly Fid[]): void {
    this.delete(admission);
    admission.changing = fids;
    for (const fid of fids) {
      const changing = this.#byFid.get(fid);
      if (changing === undefined) this.#byFid.set(fid, new Set([admission]));
      else changing.add(admission);
    }
  }

  delete(admission: Admission): void {
    for (const fid of admission.changing) {
      const changing = this.#byFid.get(fid);
      changing?.delete(admission);
      if (changing?.size === 0) this.#byFid.delete(fid);
    }
    admission.changing = [];
  }
}
