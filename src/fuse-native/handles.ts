/** What is open, by the small numbers that pass through libfuse. */
import { Errno, FsError } from '../base/errno.js';
import { HANDLES_MAX } from './limits.js';

export interface Handle {
  /** The handler's own file handle. */
  readonly fh: number;
  readonly nodeId: number;
  readonly flags: number;
}

export class Handles {
  readonly #handles = new Map<number, Handle>();
  readonly #free: number[] = [];

  /** FsError(ENFILE) if there are as many as numbers. */
  add(handle: Handle): number {
    const id = this.#free.pop() ?? this.#handles.size + 1;
    if (id > HANDLES_MAX) throw new FsError(Errno.ENFILE, 'too many open files');
    this.#handles.set(id, handle);
    return id;
  }

  get(id: number): Handle | undefined {
    return this.#handles.get(id);
  }

  remove(id: number): Handle | undefined {
    const handle = this.#handles.get(id);
    if (this.#handles.delete(id)) this.#free.push(id);
    return handle;
  }

  isOpen(nodeId: number): boolean {
    for (const handle of this.#handles.values()) if (handle.nodeId === nodeId) return true;
    return false;
  }
}
