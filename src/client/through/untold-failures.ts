/**
 * Writes that failed after they were answered. The first of a file is kept until a sync has
 * told it; of files that are not open any more one for all is kept, for whoever syncs everything.
 */
import type { Errno } from '../../base/errno.js';
import type { FileState } from '../file-state.js';

export class UntoldFailures {
  readonly #files = new Map<FileState, Errno>();
  #closed: Errno | 0 = 0;

  add(file: FileState, errno: Errno): void {
    if (!this.#files.has(file)) this.#files.set(file, errno);
  }

  /** That of the file: it is told now. */
  tell(file: FileState): Errno | 0 {
    const failure = this.#files.get(file) ?? 0;
    this.#files.delete(file);
    return failure;
  }

  /** The first of all. */
  tellAll(): Errno | 0 {
    const [first = this.#closed] = this.#files.values();
    this.#files.clear();
    this.#closed = 0;
    return first;
  }

  closed(file: FileState): void {
    this.#closed ||= this.tell(file);
  }
}
