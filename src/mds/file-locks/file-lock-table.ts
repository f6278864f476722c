/**
 * Locks that programs take on files, by flock(2) and fcntl(2), across mounts.
 *
 * Who waits is served in the order of coming, as far as nothing stands in its way; like a
 * kernel's own, a lock that nothing held stands in the way of is given although others wait.
 * A wait of fcntl's that closes a circle of owners that wait for each other is an EDEADLK.
 *
 * Whoever gives something back pays for those that wait in these ranges, and nobody else: the
 * rest has the same in its way as before.
 *
 * Invariants
 * - Two owners never hold conflicting ranges.
 * - Every call is answered once; what waits has something held in its way.
 */
import { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import {
  type LockedRange,
  type LockedRanges,
  rangesGivenBack,
} from '../../rpc/file-lock-ranges.js';
import type { FileLockWanted, RequestOf } from '../../rpc/messages.js';
import type { ClientId, HeldFileLock } from '../../rpc/session.js';
import type { FileLocks } from '../export/parts.js';
import { CIRCLE_OWNERS_MAX, FILE_LOCK_LIMITS, type FileLockLimits } from './limits.js';
import { LockSpace, type LockWait, type OwnerKey, ownerKey } from './lock-space.js';

type Done = (errno: Errno | 0) => void;

interface Taken {
  readonly errno: Errno | 0;
  /** Ranges of which others may have more than before. */
  readonly givenBack: LockedRanges;
}

/** What is known of a client that has or wants locks. */
interface LockClient {
  ranges: number;
  waits: number;
  readonly spaces: Set<LockSpace>;
}

export class FileLockTable implements FileLocks {
  readonly #limits: FileLockLimits;
  readonly #posix = new Map<Fid, LockSpace>();
  readonly #flock = new Map<Fid, LockSpace>();
  readonly #clients = new Map<ClientId, LockClient>();
  /** Waits of fcntl's, by who waits: an owner has as many as it has threads. */
  readonly #waiting = new Map<OwnerKey, Set<LockWait>>();

  constructor(limits: FileLockLimits = FILE_LOCK_LIMITS) {
    this.#limits = limits;
  }

  /** Files in which something is locked or waited for: 0 when all is given back. */
  get files(): number {
    return this.#posix.size + this.#flock.size;
  }

  /** The first lock in the way of what is wanted; type `none` if nothing is. */
  test(by: ClientId, wanted: FileLockWanted): FileLockWanted {
    const space = this.#worldOf(wanted).get(wanted.fid);
    const found = space?.obstacle(ownerKey(by, wanted.owner), wanted);
    if (found === undefined) return { ...wanted, type: 'none' };
    const { start, end, exclusive, pid } = found.range;
    const type = exclusive ? 'exclusive' : 'shared';
    // Processes of another machine, or of another PID namespace, have no number here.
    return { ...wanted, type, start, end, pid: found.holder.by === by ? pid : 0 };
  }

  /**
   * Takes or gives back. Calls `done` at once or, with `wait`, when it has it: EAGAIN,
   * EDEADLK, ENOLCK, EINVAL for a range that ends before it starts. The function that it
   * returns ends a wait, with EINTR; it does nothing to what does not wait.
   */
  lock(by: ClientId, request: RequestOf<'fileLock'>, done: Done): () => void {
    const { wait, ...wanted } = request;
    if (wanted.start < 0 || wanted.end < wanted.start) {
      done(Errno.EINVAL);
      return () => {};
    }
    const space = this.#spaceOf(wanted);
    const key = ownerKey(by, wanted.owner);
    // As flock(2) says: the lock that it has is given back first, whatever comes of the new one.
    if (wanted.flock && this.#isConversion(space, key, wanted)) {
      this.#serve(space, this.#put(by, wanted.owner, space, []));
    }
    if (space.obstacle(key, wanted) === undefined) {
      const { errno, givenBack } = this.#take(by, space, wanted);
      done(errno);
      this.#serve(space, givenBack, key);
      this.#tidy(wanted, space);
      return () => {};
    }
    const waiting: LockWait = { key, by, space, wanted, done };
    const refusal = wait ? this.#refusesWait(waiting) : Errno.EAGAIN;
    if (refusal !== undefined) {
      done(refusal);
      this.#tidy(wanted, space);
      return () => {};
    }
    this.#await(waiting);
    return () => {
      if (!space.waits.includes(waiting)) return;
      this.#unwait(waiting);
      done(Errno.EINTR);
      this.#tidy(wanted, space);
    };
  }

  /** The owner is gone: all its locks on the file, and what it waits for there. */
  release(by: ClientId, { fid, owner, flock }: RequestOf<'fileLockRelease'>): void {
    const space = this.#worldOf({ flock }).get(fid);
    if (space === undefined) return;
    const key = ownerKey(by, owner);
    for (const wait of space.waits.filter((one) => one.key === key)) {
      this.#unwait(wait);
      wait.done(Errno.EINTR);
    }
    this.#serve(space, this.#put(by, owner, space, []));
    this.#tidy({ fid, flock }, space);
  }

  /** What a client says it has, in a recovery: positions of those that it does not get. */
  restore(by: ClientId, locks: readonly HeldFileLock[]): readonly number[] {
    const lost: number[] = [];
    for (const [position, { exclusive, ...range }] of locks.entries()) {
      const wanted = { ...range, type: exclusive ? 'exclusive' : 'shared', wait: false } as const;
      this.lock(by, wanted, (errno) => {
        if (errno !== 0) lost.push(position);
      });
    }
    return lost;
  }

  /** The client is gone for good: its locks are free, and nobody hears of its waits. */
  dropped(by: ClientId): void {
    const client = this.#clients.get(by);
    if (client === undefined) return;
    const spaces = [...client.spaces];
    const givenBack = spaces.map((space) => {
      for (const wait of space.waits.filter((one) => one.by === by)) this.#unwait(wait);
      return space.ofClient(by).flatMap(({ owner }) => this.#put(by, owner, space, []));
    });
    for (const [i, space] of spaces.entries()) this.#serve(space, givenBack[i] ?? []);
    this.#clients.delete(by);
    for (const world of [this.#posix, this.#flock]) {
      for (const [fid, space] of world) if (space.isEmpty) world.delete(fid);
    }
  }

  #worldOf({ flock }: { readonly flock: boolean }): Map<Fid, LockSpace> {
    return flock ? this.#flock : this.#posix;
  }

  #spaceOf(wanted: FileLockWanted): LockSpace {
    const world = this.#worldOf(wanted);
    let space = world.get(wanted.fid);
    if (space === undefined) {
      space = new LockSpace();
      world.set(wanted.fid, space);
    }
    return space;
  }

  #tidy({ fid, flock }: { fid: Fid; flock: boolean }, space: LockSpace): void {
    const world = this.#worldOf({ flock });
    if (space.isEmpty && world.get(fid) === space) world.delete(fid);
  }

  #isConversion(space: LockSpace, key: OwnerKey, { type }: FileLockWanted): boolean {
    const [has] = space.holder(key)?.ranges ?? [];
    return has !== undefined && type !== 'none' && has.exclusive !== (type === 'exclusive');
  }

  /** Nothing is in the way. ENOLCK beyond the limits, where nothing changes. */
  #take(by: ClientId, space: LockSpace, wanted: FileLockWanted): Taken {
    const key = ownerKey(by, wanted.owner);
    const before = space.holder(key)?.ranges.length ?? 0;
    const ranges = space.after(key, wanted);
    const more = ranges.length - before;
    const has = this.#clients.get(by)?.ranges ?? 0;
    const { clientRanges, fileRanges } = this.#limits;
    const tooMany = has + more > clientRanges || space.ranges + more > fileRanges;
    if (more > 0 && tooMany) return { errno: Errno.ENOLCK, givenBack: [] };
    return { errno: 0, givenBack: this.#put(by, wanted.owner, space, ranges) };
  }

  /** All that the owner has from now on. What of it others may have that could not before. */
  #put(by: ClientId, owner: bigint, space: LockSpace, ranges: LockedRanges): LockedRanges {
    const client = this.#client(by);
    const before = space.holder(ownerKey(by, owner))?.ranges ?? [];
    client.ranges += ranges.length - before.length;
    space.put(by, owner, ranges);
    this.#note(by, client, space);
    return space.waits.length === 0 ? [] : rangesGivenBack(before, ranges);
  }

  #client(by: ClientId): LockClient {
    let client = this.#clients.get(by);
    if (client === undefined) {
      client = { ranges: 0, waits: 0, spaces: new Set() };
      this.#clients.set(by, client);
    }
    return client;
  }

  /** Whether the client has anything to do with that file. */
  #note(by: ClientId, client: LockClient, space: LockSpace): void {
    if (space.has(by)) client.spaces.add(space);
    else client.spaces.delete(space);
    if (client.spaces.size === 0) this.#clients.delete(by);
  }

  #refusesWait(waiting: LockWait): Errno | undefined {
    const { clientWaits, fileWaits } = this.#limits;
    const waits = this.#clients.get(waiting.by)?.waits ?? 0;
    if (waits >= clientWaits || waiting.space.waits.length >= fileWaits) return Errno.ENOLCK;
    return this.#isDeadlock(waiting) ? Errno.EDEADLK : undefined;
  }

  /** Whether somebody that stands in the way waits, over others or not, for who wants to wait. */
  #isDeadlock({ key, space, wanted }: LockWait): boolean {
    if (wanted.flock) return false;
    // Whoever waits for nothing ends every chain.
    if (this.#waiting.size === 0) return false;
    const seen = new Set<OwnerKey>();
    const isNew = (owner: OwnerKey): boolean =>
      owner === key || (this.#waiting.has(owner) && !seen.has(owner));
    const next = space.blockers(key, wanted, isNew);
    for (let owner = next.shift(); owner !== undefined; owner = next.shift()) {
      if (owner === key) return true;
      if (seen.has(owner)) continue;
      if (seen.size === CIRCLE_OWNERS_MAX) return false;
      seen.add(owner);
      for (const wait of this.#waiting.get(owner) ?? []) {
        next.push(...wait.space.blockers(owner, wait.wanted, isNew));
      }
    }
    return false;
  }

  #await(waiting: LockWait): void {
    const { by, key, space, wanted } = waiting;
    space.waits.push(waiting);
    const client = this.#client(by);
    client.waits++;
    client.spaces.add(space);
    if (wanted.flock) return;
    const waits = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waits.add(waiting));
  }

  #unwait(waiting: LockWait): void {
    const { by, key, space } = waiting;
    space.waits = space.waits.filter((one) => one !== waiting);
    const client = this.#client(by);
    client.waits--;
    this.#note(by, client, space);
    const waits = this.#waiting.get(key);
    waits?.delete(waiting);
    if (waits?.size === 0) this.#waiting.delete(key);
  }

  /**
   * Something was given back: those that it was in the way of, in their order. `taker` has just
   * got something.
   */
  #serve(space: LockSpace, givenBack: LockedRanges, taker?: OwnerKey): void {
    const takers = new Set(taker === undefined ? [] : [taker]);
    // Whoever takes less than it had gives back itself.
    for (let ranges = givenBack; ranges.length > 0; ) {
      const more: LockedRange[] = [];
      for (const waiting of space.waitsIn(ranges)) {
        const { key, by, wanted, done } = waiting;
        if (!space.waits.includes(waiting) || space.obstacle(key, wanted) !== undefined) continue;
        this.#unwait(waiting);
        const taken = this.#take(by, space, wanted);
        more.push(...taken.givenBack);
        takers.add(key);
        done(taken.errno);
      }
      ranges = more;
    }
    for (const key of takers) this.#breakCircles(key);
  }

  /** What was in the way of others is this owner's now, who may wait for them with another thread. */
  #breakCircles(key: OwnerKey): void {
    for (const waiting of [...(this.#waiting.get(key) ?? [])]) {
      if (!this.#isDeadlock(waiting)) continue;
      this.#unwait(waiting);
      waiting.done(Errno.EDEADLK);
    }
  }
}
