/** Written byte ranges of one file: ascending, disjoint, merged where they touch. */
import type { WrittenExtent } from '../rpc/messages.js';

export class Extents {
  #list: { offset: number; length: number }[] = [];
  #bytes = 0;

  get list(): readonly WrittenExtent[] {
    return this.#list;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(offset: number, length: number): void {
    if (length === 0) return;
    const last = this.#list.at(-1);
    // Appending is the usual case, and rewriting the same place the next.
    if (last === undefined || offset > last.offset + last.length) {
      this.#list.push({ offset, length });
      this.#bytes += length;
      return;
    }
    if (offset === last.offset + last.length) {
      last.length += length;
      this.#bytes += length;
      return;
    }
    this.#merge(offset, length);
  }

  /** The ranges; if there are more than `count`, the last one spans all the rest. */
  atMost(count: number): readonly WrittenExtent[] {
    const first = this.#list[count - 1];
    const last = this.#list.at(-1);
    if (this.#list.length <= count || first === undefined || last === undefined) return this.#list;
    const { offset } = first;
    const rest = { offset, length: last.offset + last.length - offset };
    return [...this.#list.slice(0, count - 1), rest];
  }

  clear(): void {
    this.#list = [];
    this.#bytes = 0;
  }

  #merge(offset: number, length: number): void {
    let start = offset;
    let end = offset + length;
    const kept: { offset: number; length: number }[] = [];
    let place = 0;
    for (const extent of this.#list) {
      const extentEnd = extent.offset + extent.length;
      if (extentEnd < start) {
        kept.push(extent);
        place = kept.length;
      } else if (extent.offset > end) kept.push(extent);
      else {
        start = Math.min(start, extent.offset);
        end = Math.max(end, extentEnd);
      }
    }
    kept.splice(place, 0, { offset: start, length: end - start });
    this.#list = kept;
    this.#bytes = kept.reduce((sum, extent) => sum + extent.length, 0);
  }
}
