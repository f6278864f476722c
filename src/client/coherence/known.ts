/**
 * What answers have told of objects beside what was asked: so that the kernel's questions about
 * it need no call. It counts for as long as the object may be kept (rpc/grants.ts): who has the
 * lock hears of every change by another, and changes of its own are told of here, answer by
 * answer, in the order in which the server made them.
 *
 * After each change in a directory the kernel asks for the directory's attributes again.
 */
import { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { CAPABILITY } from '../../base/xattr-name.js';
import type { Attributes, Method, RequestOf, ResultOf } from '../../rpc/messages.js';
import { KNOWN_MAX } from './limits.js';

type Told = {
  [M in Method]: { method: M; request: RequestOf<M>; result: ResultOf<M> | undefined };
}[Method];

export class Known {
  readonly #mayKeep: (fid: Fid) => boolean;
  readonly #attributes = new Map<Fid, Attributes>();
  readonly #plain = new Set<Fid>();

  constructor(mayKeep: (fid: Fid) => boolean) {
    this.#mayKeep = mayKeep;
  }

  attributes(fid: Fid): Attributes | undefined {
    return this.#attributes.get(fid);
  }

  hasNoCapability(fid: Fid): boolean {
    return this.#plain.has(fid);
  }

  /** An answer came, and what it lets be kept may be. */
  told<M extends Method>(
    method: M,
    request: RequestOf<M>,
    errno: Errno | 0,
    result: ResultOf<M> | undefined,
  ): void {
    const told = { method, request, result } as Told;
    if (told.method === 'accessed') this.#attributes.delete(told.request.fid);
    else if (told.method === 'reint') this.#changed(told.request, told.result);
    else if (told.method === 'getxattr' && errno === Errno.ENODATA) {
      if (told.request.name === CAPABILITY) this.#isPlain(told.request.fid);
    }
  }

  /** Others may change it. */
  forget(fid: Fid): void {
    this.#attributes.delete(fid);
    this.#plain.delete(fid);
  }

  clear(): void {
    this.#attributes.clear();
    this.#plain.clear();
  }

  #changed({ change }: RequestOf<'reint'>, result: ResultOf<'reint'> | undefined): void {
    // It may have been made all the same, by an answer that was lost.
    if ('parent' in change) this.#attributes.delete(change.parent);
    if (change.op === 'rename') this.#attributes.clear();
    if ('fid' in change) this.#attributes.delete(change.fid);
    if (change.op === 'setxattr') this.#plain.delete(change.fid);
    if (result === undefined) return;
    const { fid } = result.attributes;
    this.#attributes.delete(fid);
    if (change.op === 'create') this.#isPlain(fid);
    for (const parent of result.parents ?? []) {
      if (!this.#mayKeep(parent.fid)) continue;
      if (this.#attributes.size >= KNOWN_MAX) this.#attributes.clear();
      this.#attributes.set(parent.fid, parent);
    }
  }

  #isPlain(fid: Fid): void {
    if (!this.#mayKeep(fid)) return;
    if (this.#plain.size >= KNOWN_MAX) this.#plain.clear();
    this.#plain.add(fid);
  }
}
