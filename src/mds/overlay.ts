/**
 * Uncommitted values of a table whose keys have two parts (an object and
 * something of it), over the committed ones. null stands for a removal.
 */
import type { Fid } from '../base/fid.js';

export class Overlay<Sub, Value> {
  readonly #values = new Map<Fid, Map<Sub, Value | null>>();

  get(fid: Fid, sub: Sub): Value | null | undefined {
    return this.#values.get(fid)?.get(sub);
  }

  set(fid: Fid, sub: Sub, value: Value | null): void {
    let values = this.#values.get(fid);
    if (values === undefined) {
      values = new Map();
      this.#values.set(fid, values);
    }
    values.set(sub, value);
  }

  drop(fid: Fid): void {
    this.#values.delete(fid);
  }

  of(fid: Fid): ReadonlyMap<Sub, Value | null> | undefined {
    return this.#values.get(fid);
  }

  forEach(visit: (fid: Fid, sub: Sub, value: Value | null) => void): void {
    for (const [fid, values] of this.#values) {
      for (const [sub, value] of values) visit(fid, sub, value);
    }
  }

  clear(): void {
    this.#values.clear();
  }
}
