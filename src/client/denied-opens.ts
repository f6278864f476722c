/**
 * Opens that the kernel refuses by itself. With default_permissions the server never sees
 * them; but before it gives up the kernel asks for the attributes of whatever refused,
 * without a file handle and in the caller's context (fuse_permission()). The caller waits
 * for them, so /proc tells which system call it is in, and what it may do.
 *
 * It asks, too, where it has forgotten the attributes, and then the permission may be
 * there. That leaves a doubt only for directories: whether one is passed through or opened,
 * the registers do not say. Such a doubt is counted, never guessed away.
 * native-notes/denied-opens.md has the observations behind this.
 */
import { Errno } from '../base/errno.js';
import { type Fid, ROOT_FID } from '../base/fid.js';
import { isDirectory } from '../base/mode.js';
import type { FileName } from '../base/name.js';
import {
  MAY_EXECUTE,
  MAY_READ,
  MAY_WRITE,
  mayAccess,
  type PermissionEntry,
} from '../base/permission.js';
import { ACCESS_ACL } from '../base/xattr-name.js';
import type { Caller } from '../fuse/api.js';
import type { Attributes, Connection } from '../rpc/messages.js';
import { FORGOTTEN_MAX } from './limits.js';
import type { SystemCall } from './system-call.js';
import {
  CAP_DAC_OVERRIDE,
  CAP_DAC_READ_SEARCH,
  type IdRange,
  type Subject,
  type ThreadState,
} from './thread-state.js';

const O_ACCMODE = 0o3;
const O_WRONLY = 0o1;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
const O_PATH = 0o10000000;
const O_TMPFILE = 0o20000000;
/** Linux's own mark of an open that is for running the file. */
export const FMODE_EXEC = 0x20;

const S_IXUGO = 0o111;

/** Of a directory that gets a new entry. */
const MAY_MAKE = MAY_WRITE | MAY_EXECUTE;

/** A caller that has no rights but those of its ids. */
const NO_MORE = { groups: [], capabilities: 0, uids: [], gids: [] } as const;

/** An open that is being refused. */
export interface DeniedOpen {
  readonly errno: Errno;
  /** Undefined where they are not known. */
  readonly flags: number | undefined;
  /** It is refused only if it would have to make the file: see undecided-creations.ts. */
  readonly ifMissing: boolean;
}

/** What may be a denied open and cannot be told for sure. */
export type Doubt =
  /** Its caller may not be looked at, or is in no system call that says what it opens. */
  | 'unreadable'
  /** It acts with other rights than its own, or what it wants of a directory is not clear. */
  | 'unclear';

/** An object with its permissions. */
interface Guarded {
  readonly attributes: Attributes;
  readonly acl: readonly PermissionEntry[] | undefined;
}

type OpeningCall = SystemCall & { readonly kind: 'open' | 'exec' };

export class DeniedOpens {
  readonly #mds: Connection;
  readonly #threads: ThreadState;
  readonly #onDoubt: (doubt: Doubt) => void;
  /** Directories whose attributes the kernel may not have; undefined if there are too many. */
  #forgotten: Set<Fid> | undefined = new Set([ROOT_FID]);

  constructor(mds: Connection, threads: ThreadState, onDoubt: (doubt: Doubt) => void) {
    this.#mds = mds;
    this.#threads = threads;
    this.#onDoubt = onDoubt;
  }

  /** The kernel drops what it knows of the object. */
  forgets(fid: Fid): void {
    if (this.#forgotten === undefined) return;
    this.#forgotten.add(fid);
    if (this.#forgotten.size > FORGOTTEN_MAX) this.#forgotten = undefined;
  }

  /** It asks for attributes again and again: from now on there is a doubt where there was none. */
  forgetsAll(): void {
    this.#forgotten = undefined;
  }

  /** It is about to get these attributes. */
  learns(fid: Fid): void {
    this.#forgotten?.delete(fid);
  }

  /**
   * The kernel asks for these attributes, and its caller waits: calls back whether that is
   * because an open is refused. To be called before {@link learns}, and before the answer.
   */
  asked(
    attributes: Attributes,
    caller: Caller,
    next: (denied: DeniedOpen | undefined) => void,
  ): void {
    const call = this.#threads.systemCall(caller.pid);
    if (call !== undefined && call.kind !== 'open' && call.kind !== 'exec') return next(undefined);
    const known = this.#threads.subject(caller.pid);
    this.#acl(attributes.fid, (acl) =>
      next(this.#denied({ attributes, acl }, caller, call, known)),
    );
  }

  #denied(
    { attributes, acl }: Guarded,
    caller: Caller,
    call: OpeningCall | undefined,
    known: Subject | undefined,
  ): DeniedOpen | undefined {
    const subject = known ?? { ...NO_MORE, uid: caller.uid, gid: caller.gid };
    const isRefused = (mask: number): boolean => !permits(attributes, acl, subject, mask);
    if (call === undefined || known === undefined) {
      const possible = isDirectory(attributes.mode) ? MAY_READ | MAY_EXECUTE : MAY_READ | MAY_WRITE;
      return isRefused(possible) ? this.#doubt('unreadable') : undefined;
    }
    const wanted = wantedOf(call, attributes.mode);
    const refused = wanted.filter(isRefused);
    if (refused.length === 0) return undefined;
    if (subject.uid !== caller.uid || subject.gid !== caller.gid) return this.#doubt('unclear');
    if (refused.length < wanted.length && !this.#isKnown(attributes)) return this.#doubt('unclear');
    const flags = call.kind === 'exec' ? FMODE_EXEC : call.flags;
    const makesFile = ((flags ?? 0) & O_TMPFILE) === 0 && refused.includes(MAY_MAKE);
    return { errno: Errno.EACCES, flags, ifMissing: makesFile && !refused.includes(MAY_EXECUTE) };
  }

  /** The kernel has right attributes, and asks only because they refuse something. */
  #isKnown({ fid, mode }: Attributes): boolean {
    return isDirectory(mode) && this.#forgotten?.has(fid) === false;
  }

  #doubt(doubt: Doubt): undefined {
    this.#onDoubt(doubt);
  }

  #acl(fid: Fid, next: (acl: readonly PermissionEntry[] | undefined) => void): void {
    this.#mds.call('getxattr', { fid, name: ACCESS_ACL as FileName }, (_errno, value) =>
      next(value && entriesOf(value)),
    );
  }
}

/**
 * The permissions, each of which the call may be about to check of an object with this
 * mode: of a file what it is opened for; of a directory that it is searched on the way,
 * opened itself, or gets a new entry.
 */
export function wantedOf(call: SystemCall, mode: number): number[] {
  if (call.kind === 'exec') return [MAY_EXECUTE];
  if (call.kind !== 'open') return [];
  const { flags } = call;
  if (!isDirectory(mode)) {
    if (flags === undefined) return [MAY_READ, MAY_WRITE];
    return (flags & O_PATH) !== 0 ? [] : [accessOf(flags)];
  }
  const wanted = [MAY_EXECUTE];
  const isPath = flags !== undefined && (flags & O_PATH) !== 0;
  // What is to be written, or made, is no directory: that fails for other reasons.
  const isOnlyRead = flags === undefined || (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) === 0;
  if (isOnlyRead && !isPath) wanted.push(MAY_READ);
  const makes = flags === undefined || (flags & (O_CREAT | O_TMPFILE)) !== 0;
  if (makes && !isPath) wanted.push(MAY_MAKE);
  return wanted;
}

function accessOf(flags: number): number {
  const mode = flags & O_ACCMODE;
  const writes = mode !== 0 || (flags & O_TRUNC) !== 0;
  return (mode === O_WRONLY ? 0 : MAY_READ) | (writes ? MAY_WRITE : 0);
}

/** {@link mayAccess}, and what capabilities add to it (generic_permission()). */
export function permits(
  object: Pick<Attributes, 'mode' | 'uid' | 'gid'>,
  acl: readonly PermissionEntry[] | undefined,
  subject: Subject,
  mask: number,
): boolean {
  if (mayAccess(object, acl, subject, mask)) return true;
  const { capabilities, uids, gids } = subject;
  if (capabilities === 0 || !has(uids, object.uid) || !has(gids, object.gid)) return false;
  const searches = (capabilities & CAP_DAC_READ_SEARCH) !== 0;
  const overrides = (capabilities & CAP_DAC_OVERRIDE) !== 0;
  if (isDirectory(object.mode)) return overrides || (searches && (mask & MAY_WRITE) === 0);
  if (searches && mask === MAY_READ) return true;
  return overrides && ((mask & MAY_EXECUTE) === 0 || (object.mode & S_IXUGO) !== 0);
}

function has(ranges: readonly IdRange[], id: number): boolean {
  return ranges.some(({ from, count }) => id >= from && id - from < count);
}

/** The entries of a stored, and so valid, ACL: a version (u32), then tag u16, permissions u16, id u32. */
function entriesOf(value: Uint8Array): PermissionEntry[] {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const entries: PermissionEntry[] = [];
  for (let at = 4; at + 8 <= value.byteLength; at += 8) {
    entries.push({
      tag: view.getUint16(at, true),
      permissions: view.getUint16(at + 2, true),
      id: view.getUint32(at + 4, true),
    });
  }
  return entries;
}
