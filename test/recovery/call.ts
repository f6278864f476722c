/** Calls of a mount to the server, as a test sees them. */
import { type Errno, errnoName } from '../../src/base/errno.js';
import type { Fid } from '../../src/base/fid.js';
import type { Method, Reint, ResultOf } from '../../src/rpc/messages.js';

/** A call and what became of it. */
export class Call<M extends Method = Method> {
  readonly method: M;
  errno: Errno | 0 | undefined;
  result: ResultOf<M> | undefined;
  cancel: () => void = () => {};

  constructor(method: M) {
    this.method = method;
  }

  /** The errno's name, `ok`, or `pending`. */
  get outcome(): string {
    if (this.errno === undefined) return 'pending';
    return this.errno === 0 ? 'ok' : errnoName(this.errno);
  }

  /** Of one that succeeded. */
  get value(): ResultOf<M> {
    if (this.errno !== 0) throw new Error(`${this.method}: ${this.outcome}`);
    return this.result as ResultOf<M>;
  }
}

/** A change that was answered with success, in the order of the answers. */
export interface Done {
  readonly change: Reint;
  readonly transno: number;
  readonly fid: Fid;
}
