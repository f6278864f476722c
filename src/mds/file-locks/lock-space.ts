/** Who has locked what in one file, in one of the two worlds that do not see each other: flock(2), fcntl(2). */
import type { Errno } from '../../base/errno.js';
import {
  changedRanges,
  conflicting,
  type LockChange,
  type LockedRange,
  type LockedRanges,
} from '../../rpc/file-lock-ranges.js';
import type { FileLockWanted } from '../../rpc/messages.js';
import type { ClientId } from '../../rpc/session.js';

/** An owner as the server tells them apart: two clients' kernels may name theirs alike. */
export type OwnerKey = string & { readonly lockOwner: unique symbol };

export function ownerKey(by: ClientId, owner: bigint): OwnerKey {
  return `${by}:${owner}` as OwnerKey;
}

export interface Holder {
  readonly key: OwnerKey;
  readonly by: ClientId;
  readonly owner: bigint;
  ranges: LockedRanges;
}

/** A call that waits. */
export interface LockWait {
  readonly key: OwnerKey;
  readonly by: ClientId;
  readonly space: LockSpace;
  readonly wanted: FileLockWanted;
  readonly done: (errno: Errno | 0) => void;
}

export class LockSpace {
  readonly #holders = new Map<OwnerKey, Holder>();
  /** In the order in which they came. */
  waits: LockWait[] = [];
  /** Locked ranges, of all. */
  ranges = 0;

  get isEmpty(): boolean {
    return this.#holders.size === 0 && this.waits.length === 0;
  }

  holder(key: OwnerKey): Holder | undefined {
    return this.#holders.get(key);
  }

  has(by: ClientId): boolean {
    if (this.waits.some((wait) => wait.by === by)) return true;
    for (const holder of this.#holders.values()) if (holder.by === by) return true;
    return false;
  }

  /** What that owner would have after the call. */
  after(key: OwnerKey, change: LockChange): LockedRanges {
    return changedRanges(this.#holders.get(key)?.ranges ?? [], change);
  }

  put(by: ClientId, owner: bigint, ranges: LockedRanges): void {
    const key = ownerKey(by, owner);
    this.ranges += ranges.length - (this.#holders.get(key)?.ranges.length ?? 0);
    if (ranges.length === 0) this.#holders.delete(key);
    else this.#holders.set(key, { key, by, owner, ranges });
  }

  /** The first lock of another owner that stands in the way. */
  obstacle(key: OwnerKey, wanted: LockChange): { holder: Holder; range: LockedRange } | undefined {
    for (const holder of this.#holders.values()) {
      const range = holder.key === key ? undefined : conflicting(holder.ranges, wanted);
      if (range !== undefined) return { holder, range };
    }
    return undefined;
  }

  /** All owners that stand in the way, of those that are looked for. */
  blockers(
    key: OwnerKey,
    wanted: LockChange,
    isLookedFor: (owner: OwnerKey) => boolean,
  ): OwnerKey[] {
    const found: OwnerKey[] = [];
    for (const { key: owner, ranges } of this.#holders.values()) {
      if (owner === key || !isLookedFor(owner)) continue;
      if (conflicting(ranges, wanted) !== undefined) found.push(owner);
    }
    return found;
  }

  /** Who waits for something in one of these ranges, in the order of coming. */
  waitsIn(ranges: LockedRanges): LockWait[] {
    if (ranges.length === 0) return [];
    return this.waits.filter(({ wanted: { start, end } }) =>
      ranges.some((range) => range.start <= end && range.end >= start),
    );
  }

  /** What a client has here. */
  ofClient(by: ClientId): Holder[] {
    return [...this.#holders.values()].filter((holder) => holder.by === by);
  }
}
