/**
 * Tells the metadata server who opens, closes and reads the attributes of what, while
 * somebody there asks for it. While nobody does, each of these costs a look at
 * {@link AccessRecords.active}.
 */
import type { Errno } from '../base/errno.js';
import { EventCounts } from '../base/event-counts.js';
import type { Fid } from '../base/fid.js';
import { isDirectory } from '../base/mode.js';
import type { Clock } from '../base/time.js';
import { isAclName } from '../base/xattr-name.js';
import type { Caller } from '../fuse/api.js';
import type { Attributes, Connection, Credentials } from '../rpc/messages.js';
import { AccessLimiter, type SingleAccess, type Told } from './access-limiter.js';
import { type DeniedOpen, DeniedOpens } from './denied-opens.js';
import { ThreadState } from './thread-state.js';
import { UndecidedCreations } from './undecided-creations.js';
import type { Callers } from './who.js';

/** What a client counts as events (`feedfs stats`). */
export const CLIENT_EVENTS = [
  /** Perhaps denied opens: the caller may not be looked at. */
  'denied_opens_unreadable',
  /** Perhaps denied opens: the caller's system call does not tell. */
  'denied_opens_unclear',
  /** Reads of attributes of which it is not known whether they are the kernel's own. */
  'getxattrs_unreadable',
  /** Accesses that were counted, and of which nobody could be told in the end. */
  'accesses_lost',
] as const;

export type ClientEvent = (typeof CLIENT_EVENTS)[number];

/** Attributes that the kernel reads also for itself: for the program in an exec, say, or as overlayfs. */
const KERNEL_PREFIXES = ['security.', 'trusted.overlay.', 'user.overlay.'];

/** An open that was told of, for its close. */
type Opened = Pick<SingleAccess, 'who' | 'fid' | 'flags' | 'directory'>;

export interface AccessRecordsOptions {
  readonly mds: Connection;
  readonly clock: Clock;
  readonly callers: Callers;
  readonly threads?: ThreadState;
}

export class AccessRecords {
  readonly events = new EventCounts<ClientEvent>(CLIENT_EVENTS);
  readonly denied: DeniedOpens;
  readonly #clock: Clock;
  readonly #callers: Callers;
  readonly #threads: ThreadState;
  readonly #limiter: AccessLimiter;
  readonly #creations: UndecidedCreations;
  /** By file handle: bounded by what is open. */
  readonly #opens = new Map<number, Opened>();
  #active = false;

  constructor({ mds, clock, callers, threads = new ThreadState() }: AccessRecordsOptions) {
    this.#clock = clock;
    this.#callers = callers;
    this.#threads = threads;
    this.denied = new DeniedOpens(mds, threads, (doubt) =>
      this.events.count(`denied_opens_${doubt}`),
    );
    this.#limiter = new AccessLimiter({
      tell: (report, told) => mds.call('access', report, (errno) => told(errno)),
      lost: (accesses) => this.events.count('accesses_lost', accesses),
    });
    this.#creations = new UndecidedCreations({
      threads,
      denied: (access) => this.#limit(access, () => {}),
      doubt: (opens) => this.events.count('denied_opens_unclear', opens),
    });
  }

  /** Somebody asks for access records. */
  get active(): boolean {
    return this.#active;
  }

  set active(active: boolean) {
    this.#active = active;
    if (active) return;
    // The server takes no more: what came before and was not told of has no record.
    this.#creations.drop();
    this.#limiter.drop();
    this.#opens.clear();
  }

  /** Some accesses are counted, and to be told of when their time has come. */
  get pending(): boolean {
    return this.#limiter.pending || this.#creations.pending;
  }

  tick(nowUs: number): void {
    this.#creations.tick(nowUs);
    this.#limiter.tick(nowUs);
  }

  /** Tells of everything that was counted. */
  settle(): void {
    this.#creations.end();
    this.#limiter.flush();
  }

  /** An open with that handle is about to be answered. ENOSPC: it must not be. */
  opened(fh: number, { fid, mode }: Attributes, flags: number, caller: Caller, told: Told): void {
    if (!this.#active) return told(0);
    this.#creations.wentOn(caller.pid);
    const who = this.#callers.credentials(caller);
    const open = { who, fid, flags, directory: isDirectory(mode) };
    this.#tell({ kind: 'open', errno: 0, ...open }, (errno) => {
      if (errno === 0 && this.#active) this.#opens.set(fh, open);
      told(errno);
    });
  }

  /** The last descriptor and mapping of an open are gone. */
  closed(fh: number): void {
    const open = this.#opens.get(fh);
    if (open === undefined) return;
    this.#opens.delete(fh);
    this.#tell({ kind: 'close', errno: 0, ...open }, () => {});
  }

  /** The value of an attribute is about to be handed out. ENOSPC: it must not be. */
  getxattr(fid: Fid, name: string, caller: Caller, told: Told): void {
    if (!this.#active || !this.#isRead(name, caller)) return told(0);
    const read = { who: this.#callers.credentials(caller), fid, name, flags: undefined };
    this.#tell({ kind: 'getxattr', errno: 0, directory: false, ...read }, told);
  }

  /** The kernel gets attributes that it asked for without an open file by `answer`, which is called once. */
  getattr(attributes: Attributes, caller: Caller, answer: () => void): void {
    if (!this.#active) {
      this.denied.learns(attributes.fid);
      return answer();
    }
    this.#creations.wentOn(caller.pid);
    this.denied.asked(attributes, caller, (open) => {
      if (open !== undefined) this.#denied(attributes, open, caller);
      this.denied.learns(attributes.fid);
      answer();
    });
  }

  /** A name is looked up in `parent`, and that comes to `errno`; the caller waits for the answer. */
  lookedUp(parent: Fid, errno: Errno | 0, caller: Caller): void {
    if (this.#creations.pending) this.#creations.lookedUp(caller.pid, parent, errno);
  }

  /**
   * Not of an ACL: that is part of an object's permissions, as its mode is, and the
   * kernel reads it for itself and keeps it.
   */
  #isRead(name: string, caller: Caller): boolean {
    if (isAclName(name)) return false;
    if (!KERNEL_PREFIXES.some((prefix) => name.startsWith(prefix))) return true;
    const call = this.#threads.systemCall(caller.pid);
    if (call === undefined) this.events.count('getxattrs_unreadable');
    return call?.kind === 'getxattr';
  }

  #denied({ fid, mode }: Attributes, open: DeniedOpen, caller: Caller): void {
    const who: Credentials = this.#callers.credentials(caller);
    const { errno, flags, ifMissing } = open;
    const directory = isDirectory(mode);
    const access: SingleAccess = { kind: 'denied', who, fid, flags, errno, directory };
    if (ifMissing) this.#creations.add(caller.pid, access, this.#clock.monotonicUs());
    else this.#tell(access, () => {});
  }

  #tell(access: SingleAccess, told: Told): void {
    if (this.#creations.pending) this.#creations.settleGone();
    this.#limit(access, told);
  }

  #limit(access: SingleAccess, told: Told): void {
    this.#limiter.access(access, this.#clock.monotonicUs(), told);
  }
}
