/** The messages of a session, from the client and from the server (session.ts says what they are for). */
import type { Errno } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import type { Method, Notice } from './messages.js';
import type { RemoteResult } from './remote.js';
import type {
  Capability,
  ClientId,
  KeyId,
  OpenHandle,
  OpenRecovery,
  Payload,
  Receipt,
  RecoveryStatus,
  RecoveryStep,
  ServerBoot,
  Slot,
  Xid,
} from './session.js';

export interface Hello {
  readonly kind: 'hello';
  readonly version: number;
  readonly client: ClientId;
  /** For people: host, mount point and pid. */
  readonly name: string;
  /** The server that it was connected to last; undefined the first time. */
  readonly boot: ServerBoot | undefined;
  readonly opens: OpenRecovery;
  /** The highest transno that it was told is on disk. */
  readonly committed: number;
}

/** Asks for nothing but the state, also in a recovery; the connection ends after the answer. */
export interface StatusAsked {
  readonly kind: 'status-asked';
  readonly version: number;
}

export interface Call {
  readonly kind: 'call';
  readonly xid: Xid;
  /** Of a mutation (isMutation), and of an open of a client that recovers by replay. */
  readonly slot: Slot | undefined;
  /** It may have been sent before. */
  readonly resent: boolean;
  readonly payload: Payload;
}

/** Nobody waits for that call any more; it may be answered all the same. */
export interface Cancel {
  readonly kind: 'cancel';
  readonly xid: Xid;
}

/** In a recovery: opens again, anonymously, what these allow. */
export interface ReopenAsked {
  readonly kind: 'reopen';
  readonly id: number;
  readonly opens: readonly Capability[];
}

/** In a recovery: a change (or, of an old client, an open) that the server made and may have lost. */
export interface Replay {
  readonly kind: 'replay';
  readonly xid: Xid;
  readonly slot: Slot;
  readonly payload: Payload;
  readonly receipt: Receipt;
}

export interface HeldFileLock {
  readonly fid: Fid;
  /** The kernel's, of the mount. */
  readonly owner: bigint;
  readonly flock: boolean;
  readonly exclusive: boolean;
  readonly start: number;
  /** Last byte; FILE_LOCK_END for all. */
  readonly end: number;
  readonly pid: number;
}

/** In a recovery: what the client's caches and its programs rely on. */
export interface LocksHeld {
  readonly kind: 'locks';
  readonly id: number;
  /** Objects whose state is cached. */
  readonly cached: readonly Fid[];
  /** Files that it alone changes. */
  readonly exclusive: readonly Fid[];
  readonly fileLocks: readonly HeldFileLock[];
}

/** The client has nothing more for that step of the recovery. */
export interface StepDone {
  readonly kind: 'step-done';
  readonly step: RecoveryStep;
}

/** What was cached under these is gone from the kernel, and what was not recorded is recorded. */
export interface RecallDone {
  readonly kind: 'recall-done';
  readonly id: number;
}

/** Sent in order, once for some FIDs that the kernel forgot: nothing is cached of them. */
export interface Released {
  readonly kind: 'released';
  readonly fids: readonly Fid[];
}

/** Renews capabilities: by the newest key, and for longer. */
export interface RenewAsked {
  readonly kind: 'renew';
  readonly id: number;
  readonly opens: readonly Capability[];
}

/** The mount ends in order: whatever the server keeps for the client goes. */
export interface Bye {
  readonly kind: 'bye';
}

export type ClientMessage =
  | Hello
  | StatusAsked
  | Call
  | Cancel
  | ReopenAsked
  | Replay
  | LocksHeld
  | StepDone
  | RecallDone
  | Released
  | RenewAsked
  | Bye;

/**
 * `new`: nothing is known of the client. `resumed`: the server is the one that it knows; what
 * was not answered is to be sent again. `recover`: another run of the server, which knows the
 * client: the steps follow. `evicted`: what the client had is gone; it is like a new one now.
 */
export type Outcome = 'new' | 'resumed' | 'recover' | 'evicted';

export interface Welcome {
  readonly kind: 'welcome';
  readonly version: number;
  readonly boot: ServerBoot;
  /** Identity of the filesystem, 32 hexadecimal digits. */
  readonly filesystem: string;
  readonly outcome: Outcome;
  /** What the notices would have told. */
  readonly state: {
    readonly recording: boolean;
    readonly accesses: boolean;
    readonly watchful: boolean;
    readonly replica: boolean;
    /** Ordinary users may have watches. */
    readonly userWatch: boolean;
  };
  /** The highest transno on disk. */
  readonly committed: number;
  /** Key that signs now: capabilities of an older one should be renewed. */
  readonly key: KeyId;
  /** Where the object files are, for a client on the same machine that may use them. */
  readonly objects: string | undefined;
}

/** No connection. With `retryMs` the client should try again, that much later. */
export interface Refused {
  readonly kind: 'refused';
  readonly errno: Errno;
  readonly reason: string;
  readonly retryMs: number | undefined;
}

export interface Answer<M extends Method = Method> {
  readonly kind: 'answer';
  readonly xid: Xid;
  /** Of the call. */
  readonly method: M;
  readonly errno: Errno | 0;
  readonly result: RemoteResult<M> | undefined;
  /** The highest transno on disk when it was sent. */
  readonly committed: number;
  /** Of a mutation that was made. */
  readonly receipt: Receipt | undefined;
  /** Of whatever it left open. */
  readonly capability: Capability | undefined;
  /** What grantsOf (grants.ts) names may be cached, but for these. */
  readonly uncached: readonly Fid[];
  /** Only this client changes that file until it is recalled. */
  readonly exclusive: Fid | undefined;
}

/** `failed`: these are not open again (ESTALE, EACCES): handles and why. */
export interface Reopened {
  readonly kind: 'reopened';
  readonly id: number;
  readonly failed: readonly { readonly handle: OpenHandle; readonly errno: Errno }[];
}

export interface LocksTaken {
  readonly kind: 'locks-taken';
  readonly id: number;
  /** Of each: those of `cached` and `exclusive` that are not, and of fileLocks the positions. */
  readonly lost: readonly Fid[];
  readonly lostFileLocks: readonly number[];
}

/** What a client may send now; `full` ends the recovery. */
export interface StepBegins {
  readonly kind: 'step';
  readonly step: RecoveryStep | 'full';
}

export interface Recall {
  readonly kind: 'recall';
  readonly id: number;
  readonly fids: readonly Fid[];
  /** `flush`: others want to read: record what is not, and go on caching. `drop`: others change it. */
  readonly want: 'flush' | 'drop';
}

export interface Renewed {
  readonly kind: 'renewed';
  readonly id: number;
  /** In the order of the request; undefined for what is not open. */
  readonly opens: readonly (Capability | undefined)[];
}

export interface Committed {
  readonly kind: 'committed';
  readonly transno: number;
}

export interface KeyChanged {
  readonly kind: 'key';
  readonly key: KeyId;
}

/** Everything that the client has cached may be wrong (another client's changes were lost). */
export interface DropAll {
  readonly kind: 'drop-all';
}

export interface Evicted {
  readonly kind: 'evicted';
  readonly reason: string;
}

export interface Noticed {
  readonly kind: 'notice';
  readonly notice: Notice;
}

export interface StatusTold {
  readonly kind: 'status';
  readonly status: RecoveryStatus;
}

export type ServerMessage =
  | Welcome
  | Refused
  | Answer
  | Reopened
  | LocksTaken
  | StepBegins
  | Recall
  | Renewed
  | Committed
  | KeyChanged
  | DropAll
  | Evicted
  | Noticed
  | StatusTold;
