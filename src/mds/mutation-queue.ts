/**
 * When a mutation may run: at once, unless too much is uncommitted, or it needs space that
 * is just being given back. Then it waits, and nothing that waits for the same is overtaken.
 */
import type { Answer, ReintRequest, ReintResult } from '../rpc/messages.js';
import type { GroupCommit } from '../store/group-commit.js';
import type { SpaceUse } from '../store/space-use.js';
import { answerLater } from './answer-later.js';
import { keptRequest } from './kept-request.js';
import type { Namespace } from './namespace.js';
import { spaceOf } from './reint/reint.js';

export class MutationQueue<Result extends ReintResult> {
  readonly #commit: GroupCommit;
  readonly #namespace: Namespace;
  readonly #reint: (request: ReintRequest) => Result;
  /** What waits until the uncommitted state is smaller, in order. */
  readonly #stalled: (() => void)[] = [];

  /** `reint` makes the change, or throws FsError. */
  constructor(commit: GroupCommit, namespace: Namespace, reint: (request: ReintRequest) => Result) {
    this.#commit = commit;
    this.#namespace = namespace;
    this.#reint = reint;
  }

  /** FsError, or its errno as the answer if it had to wait. */
  run(request: ReintRequest, answer: Answer<'reint'>): void {
    const waits = this.#commit.saturated || this.#stalled.length > 0;
    const use = spaceOf(this.#namespace, request.change);
    if (!waits && !this.#roomComes(use)) return answer(0, this.#reint(request));
    const kept = keptRequest(request);
    const later = (): void => answerLater(answer, () => this.#reint(kept));
    if (!waits) return this.#whenRoom(use, later);
    this.#stalled.push(later);
    // No flush will come after a failure: then they are refused like any other.
    this.#commit.whenFlushed((error) => {
      if (error !== undefined) this.resume();
    });
  }

  /** After all that waits; at once if nothing does. */
  after(work: () => void): void {
    if (this.#stalled.length > 0) this.#stalled.push(work);
    else work();
  }

  /** The uncommitted state is smaller now. */
  resume(): void {
    // What these lead to joins the end of the queue, and has its turn at once.
    while (this.#stalled.length > 0) this.#stalled.shift()?.();
  }

  /** What was deleted a moment ago gives its space back with one of the next flushes. */
  #roomComes(use: SpaceUse): boolean {
    return this.#namespace.givesSpaceBack && !this.#commit.admits(use);
  }

  /**
   * After the flush of a removal, or, if its object was let go of only meanwhile, after
   * the one that destroys it.
   */
  #whenRoom(use: SpaceUse, next: () => void): void {
    this.#commit.whenFlushed(() => {
      if (this.#roomComes(use)) this.#commit.whenFlushed(next);
      else next();
    });
  }
}
