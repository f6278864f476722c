/** The descriptors of one feed through which its records are cancelled. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { fromNodeError } from './errors.js';
import { closeDescriptor, punchHole } from './feed-file.js';

export class Acknowledger {
  readonly #directory: string;
  /** By file. */
  readonly #fds = new Map<string, number>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Cancels what lies wholly in the range; resolves when that is on disk. FeedError with the errno. */
  async punch(
    name: string,
    { offset, length }: { readonly offset: number; readonly length: number },
  ): Promise<void> {
    const file = path.join(this.#directory, name);
    await punchHole(this.#descriptor(name, file), file, offset, length);
  }

  close(): void {
    for (const fd of this.#fds.values()) closeDescriptor(fd);
    this.#fds.clear();
  }

  #descriptor(name: string, file: string): number {
    const open = this.#fds.get(name);
    if (open !== undefined) return open;
    try {
      const fd = fs.openSync(file, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
      this.#fds.set(name, fd);
      return fd;
    } catch (error) {
      throw fromNodeError(error, file);
    }
  }
}
