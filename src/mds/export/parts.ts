/** The parts of a server of several clients, as they see each other; cli/ puts them together. */
import type { Errno, FsError } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import type { Timespec } from '../../base/time.js';
import type { Method, ReintResult, RequestOf, ResultOf } from '../../rpc/messages.js';
import type {
  Capability,
  ClientId,
  HeldFileLock,
  KeyId,
  OpenHandle,
  Payload,
  Receipt,
  RecoveryStatus,
  RecoveryStep,
  Slot,
  Xid,
} from '../../rpc/session.js';

/** Signs and checks (mds/keys). Throws nothing: a bad one is `false`, and is counted and logged by who asked. */
export interface KeyRing {
  /** The key that signs now. */
  readonly current: KeyId;
  /** Takes a new one when it is time. Called often. */
  tick(): void;
  capability(client: ClientId, open: Omit<Capability, 'key' | 'mac' | 'expires'>): Capability;
  /** Why it gives no right to this client; undefined if it does. */
  refusesCapability(client: ClientId, capability: Capability): string | undefined;
  receipt(
    client: ClientId,
    xid: Xid,
    payload: Payload,
    facts: Omit<Receipt, 'key' | 'mac'>,
  ): Receipt;
  refusesReceipt(
    client: ClientId,
    xid: Xid,
    payload: Payload,
    receipt: Receipt,
  ): string | undefined;
}

/**
 * Who may keep what (mds/locks). A client is known by its id here. Grants are those of
 * rpc/grants.ts; of files, one client may have an exclusive lock.
 */
export interface CacheLocks {
  /**
   * Runs `proceed` when no other client keeps what the request changes, and none has
   * exclusively what it looks at: at once where that is so.
   */
  admit<M extends Method>(
    by: ClientId,
    method: M,
    request: RequestOf<M>,
    proceed: () => void,
  ): void;
  /** Notes what an answer lets the client keep. */
  answered<M extends Method>(
    by: ClientId,
    method: M,
    request: RequestOf<M>,
    errno: Errno | 0,
    result: ResultOf<M> | undefined,
    entries: readonly Fid[],
  ): { readonly uncached: readonly Fid[]; readonly exclusive: Fid | undefined };
  recallDone(by: ClientId, id: number): void;
  released(by: ClientId, fids: readonly Fid[]): void;
  holds(client: ClientId, fid: Fid): 'no' | 'shared' | 'exclusive';
  /** In a recovery; returns those that it does not get. */
  restore(by: ClientId, cached: readonly Fid[], exclusive: readonly Fid[]): readonly Fid[];
  /** The client is gone for good: what waits for it goes on. */
  dropped(by: ClientId): void;
  /** Evicts whoever has not answered a recall in time. */
  tick(nowUs: number): void;
}

/** What the locks need of the exports. */
export interface RecallTarget {
  /** Sends it, now or when the client is back. */
  recall(to: ClientId, id: number, fids: readonly Fid[], want: 'flush' | 'drop'): void;
  evict(client: ClientId, reason: string): void;
}

/** Locks of programs (mds/file-locks). */
export interface FileLocks {
  restore(by: ClientId, locks: readonly HeldFileLock[]): readonly number[];
  dropped(by: ClientId): void;
}

/** A client as the store knows it: it may have been connected when the server was killed. */
export interface KnownClient {
  readonly client: ClientId;
  readonly name: string;
  /** Who it must prove to be: `uid:0`, `cert:SHA-256`, `local`. */
  readonly identity: string;
  /** It was not reached yet: it may keep what changes made that are lost. */
  readonly stale?: boolean;
}

/** What was answered in a slot, as the store has it: all that it takes to answer again. */
export interface SlotRow {
  readonly xid: Xid;
  /** Of the request (asked-digest.ts). */
  readonly asked: Uint8Array;
  readonly result: ReintResult;
  /** Of what it left open, and for whom. */
  readonly handle: OpenHandle | undefined;
  readonly uid: number;
}

/** What the recovery needs of the exports and of the server (mds/recovery). */
export interface RecoveryTarget {
  readonly nowUs: () => number;
  readonly wallClock: () => Timespec;
  /** Sends it to a client that is connected. */
  step(client: ClientId, step: RecoveryStep | 'full'): void;
  /** Makes a change again; FsError, or its answer's errno. */
  replay(client: ClientId, item: ReplayItem): Errno | 0;
  /** The client lost what it had; others keep nothing that its lost changes made. */
  evict(client: ClientId, reason: string): void;
  /** Whatever is cached of changes that are lost must go. */
  dropAll(): void;
  /** Calls back once all that was changed is on disk, or cannot be brought there now. */
  whenFlushed(settled: (error: FsError | undefined) => void): void;
  /** No client is missing any more: now orphans that nobody has open, and contents that nobody will record, may go. */
  destroyOrphans(): void;
}

export interface ReplayItem {
  readonly xid: Xid;
  readonly slot: Slot;
  readonly payload: Payload;
  readonly receipt: Receipt;
}

/** The steps of a recovery (mds/recovery/coordinator.ts). */
export interface RecoveryCoordinator {
  readonly running: boolean;
  /** New clients wait while it runs. */
  knows(client: ClientId): boolean;
  connected(client: ClientId): void;
  disconnected(client: ClientId): void;
  /** FsError where the step does not allow it now. */
  reopening(client: ClientId, count: number): void;
  replay(client: ClientId, item: ReplayItem, done: (errno: Errno | 0) => void): void;
  locking(client: ClientId): void;
  stepDone(client: ClientId, step: RecoveryStep): void;
  /** It ended in order, or was evicted for another reason. */
  gone(client: ClientId): void;
  tick(nowUs: number): void;
  /** In microseconds, when tick has something to do. */
  dueInUs(nowUs: number): number | undefined;
  status(): Omit<RecoveryStatus, 'boot' | 'committed' | 'last'>;
}

/** An open that the server keeps for a client. */
export interface HeldOpen {
  readonly handle: OpenHandle;
  readonly fid: Fid;
  readonly rights: 'read' | 'write';
  readonly uid: number;
}
