/** What a test knows about the contents of one file: what is there, what ever was, and what fsync promised. */

interface Written {
  readonly offset: number;
  readonly length: number;
  readonly value: number;
}

/** A position whose byte fsync promises nothing about any more. */
const TOUCHED = -1;

export class FileHistory {
  /** The contents that every reader must see now. */
  contents = new Uint8Array(0);
  readonly #writes: Written[] = [];
  #synced: Int16Array | undefined;
  #syncedSize: number | undefined;

  get size(): number {
    return this.contents.byteLength;
  }

  write(offset: number, length: number, value: number): void {
    this.#writes.push({ offset, length, value });
    const grown = new Uint8Array(Math.max(this.size, offset + length));
    grown.set(this.contents);
    grown.fill(value, offset, offset + length);
    this.#synced?.fill(TOUCHED, offset, offset + length);
    this.#sizeMayChange(grown.byteLength);
    this.contents = grown;
  }

  truncate(size: number): void {
    const cut = new Uint8Array(size);
    cut.set(this.contents.subarray(0, size));
    this.#synced?.fill(TOUCHED, size);
    this.#sizeMayChange(size);
    this.contents = cut;
  }

  fsync(): void {
    this.#synced = Int16Array.from(this.contents);
    this.#syncedSize = this.size;
  }

  get promised(): boolean {
    return this.#synced !== undefined;
  }

  #sizeMayChange(size: number): void {
    if (size !== this.size) this.#syncedSize = undefined;
  }

  /** What is wrong with the contents found after a crash, or undefined. They are the contents from now on. */
  crashed(found: Uint8Array): string | undefined {
    const problem = this.#foreignByte(found) ?? this.#brokenPromise(found);
    this.contents = Uint8Array.from(found);
    this.#synced = undefined;
    this.#syncedSize = undefined;
    return problem;
  }

  #foreignByte(found: Uint8Array): string | undefined {
    for (let at = 0; at < found.byteLength; at++) {
      const byte = found[at] ?? 0;
      if (byte === 0 || byte === this.contents[at]) continue;
      const known = this.#writes.some(
        ({ offset, length, value }) => value === byte && at >= offset && at < offset + length,
      );
      if (!known) return `byte ${at} is ${byte}, which nobody wrote there`;
    }
    return undefined;
  }

  #brokenPromise(found: Uint8Array): string | undefined {
    const synced = this.#synced;
    if (synced === undefined) return undefined;
    if (this.#syncedSize !== undefined && this.#syncedSize !== found.byteLength) {
      return `size ${found.byteLength} instead of the ${this.#syncedSize} that fsync promised`;
    }
    for (let at = 0; at < synced.length; at++) {
      const promised = synced[at] ?? TOUCHED;
      if (promised === TOUCHED || promised === found[at]) continue;
      return `byte ${at} is ${found[at]} instead of the ${promised} that fsync promised`;
    }
    return undefined;
  }
}
