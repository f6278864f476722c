/** Compares the contents of two files of the same size, both read at once. */
import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { type HolesOf, holesOf } from './holes.js';
import { CHUNK_BYTES } from './limits.js';

const read = promisify(fs.read);

/** Where two files begin to differ, in bytes; 'equal'; or which of them ended too early. */
export type ContentsResult = number | 'equal' | { readonly ended: 'a' | 'b' };

export class ContentsComparer {
  readonly #a = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  readonly #b = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  readonly #trustFuse: boolean;

  /** `trustFuse`: {@link holesOf}. */
  constructor(trustFuse: boolean) {
    this.#trustFuse = trustFuse;
  }

  /** Files of `size` bytes. `told` learns of bytes that were compared. Throws the error of read(2). */
  async compare(
    a: number,
    b: number,
    size: number,
    told: (bytes: number) => void,
  ): Promise<ContentsResult> {
    // What one read brings is read: asking for holes costs more.
    const isSmall = size <= CHUNK_BYTES;
    const holes = isSmall ? [] : [a, b].map((fd) => holesOf(fd, this.#trustFuse));
    for (let at = 0; at < size; ) {
      const from = nextData(holes, at, size);
      told(from - at);
      if (from >= size) break;
      const wanted = Math.min(CHUNK_BYTES, size - from);
      // Small files are many: a promise costs more than their contents.
      const [gotA, gotB] = isSmall
        ? [fill(a, this.#a, wanted, from), fill(b, this.#b, wanted, from)]
        : await Promise.all([
            fillLater(a, this.#a, wanted, from),
            fillLater(b, this.#b, wanted, from),
          ]);
      const got = Math.min(gotA, gotB);
      const different = firstDifference(this.#a, this.#b, got);
      told(got);
      if (different !== undefined) return from + different;
      if (got < wanted) return { ended: gotA <= gotB ? 'a' : 'b' };
      at = from + got;
    }
    return 'equal';
  }
}

/** Start of what is data in any of the files, at or after `at`: where all are a hole, they are equal. */
function nextData(holes: readonly HolesOf[], at: number, size: number): number {
  return holes.length === 0 ? at : Math.min(...holes.map((of) => of(at, size)));
}

/** Bytes read: fewer than wanted only at the end of the file. */
function fill(fd: number, into: Buffer, wanted: number, position: number): number {
  let got = 0;
  while (got < wanted) {
    const count = fs.readSync(fd, into, got, wanted - got, position + got);
    if (count === 0) break;
    got += count;
  }
  return got;
}

async function fillLater(
  fd: number,
  into: Buffer,
  wanted: number,
  position: number,
): Promise<number> {
  let got = 0;
  while (got < wanted) {
    const { bytesRead } = await read(fd, into, got, wanted - got, position + got);
    if (bytesRead === 0) break;
    got += bytesRead;
  }
  return got;
}

function firstDifference(a: Buffer, b: Buffer, length: number): number | undefined {
  if (a.compare(b, 0, length, 0, length) === 0) return undefined;
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return undefined;
}
