/**
 * Keeps the memory of a serving process bounded: every page of LMDB's map that was
 * ever read counts as resident until somebody else needs memory. Giving the mapping
 * back leaves the pages in the page cache, where they cost nobody anything.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { dropResidentPages } from './libc.js';
import { RESIDENT_BYTES_MAX } from './limits.js';

const PAGE_BYTES = 4_096;
const CHECK_US = 20_000;

export class ResidentLimit {
  readonly #path: string;
  #statm: number | undefined;
  readonly #buffer = Buffer.alloc(128);
  #checkedUs = Number.NEGATIVE_INFINITY;
  /** File-backed bytes right after the last drop: code and libraries, not the map. */
  #floor = 0;

  /** `path` is the mapped file. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Looks at most every 20 ms, and drops the map's pages if there are too many. */
  check(nowUs: number): void {
    if (nowUs - this.#checkedUs < CHECK_US) return;
    this.#checkedUs = nowUs;
    if (this.#fileBytes() - this.#floor < RESIDENT_BYTES_MAX) return;
    for (const { address, length } of mappings(this.#path)) dropResidentPages(address, length);
    this.#floor = this.#fileBytes();
  }

  close(): void {
    if (this.#statm !== undefined) closeSync(this.#statm);
    this.#statm = undefined;
  }

  /** Resident bytes that belong to files: third number of /proc/self/statm. */
  #fileBytes(): number {
    this.#statm ??= openSync('/proc/self/statm', 'r');
    const length = readSync(this.#statm, this.#buffer, 0, this.#buffer.length, 0);
    return Number(this.#buffer.toString('latin1', 0, length).split(' ')[2]) * PAGE_BYTES;
  }
}

function mappings(path: string): { address: bigint; length: number }[] {
  const found: { address: bigint; length: number }[] = [];
  for (const line of readFileSync('/proc/self/maps', 'latin1').split('\n')) {
    if (!line.endsWith(path)) continue;
    const [from, to] = (line.split(' ')[0] ?? '').split('-');
    const address = BigInt(`0x${from}`);
    found.push({ address, length: Number(BigInt(`0x${to}`) - address) });
  }
  return found;
}
