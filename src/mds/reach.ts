/**
 * Which directories somebody may list: search permission on every directory from the root
 * down to it, and read permission on itself. Where something cannot be read or understood
 * the answer is no.
 */
import { type Fid, ROOT_FID } from '../base/fid.js';
import { isDirectory } from '../base/mode.js';
import { type Identity, MAY_EXECUTE, MAY_READ, mayAccess, S_IRWXG } from '../base/permission.js';
import { ACCESS_ACL } from '../base/xattr-name.js';
import { type Acl, decodeAcl } from './acl.js';
import { ifReadable } from './ancestry.js';
import type { Inode } from './inode.js';
import { REACH_CACHE_ENTRIES, REACH_DEPTH_MAX } from './limits.js';
import type { Namespace } from './namespace.js';

/** What somebody may do in a directory. */
const NOTHING = 0;
const ENTER = 1;
const LIST = 2;

/** Of a directory, with all that is above it. */
interface Known {
  readonly rights: number;
  /** Directories above it, if it can be entered or listed. */
  readonly depth: number;
}

/** What a directory's own mode, owner and ACL say; holds while it is this object and has not changed. */
interface Own {
  readonly inode: Inode;
  readonly changes: number;
  readonly rights: number;
}

const NOWHERE: Known = { rights: NOTHING, depth: 0 };
/** As what is above the root. */
const ABOVE_ROOT: Known = { rights: ENTER, depth: -1 };

export class Reach {
  readonly who: Identity;
  readonly #namespace: Namespace;
  /** What was found out since permissions last changed anywhere. */
  readonly #known = new Map<Fid, Known>();
  /** Stays when they change elsewhere: then the way up is walked again, and nothing more. */
  readonly #own = new Map<Fid, Own>();
  #generation = -1;

  constructor(namespace: Namespace, who: Identity) {
    this.#namespace = namespace;
    this.who = who;
  }

  /** Whether the entries of a directory may be seen, now. */
  mayList(directory: Fid): boolean {
    const { permissionChanges } = this.#namespace;
    if (this.#generation !== permissionChanges) {
      this.#known.clear();
      this.#generation = permissionChanges;
    }
    const { rights } = this.#known.get(directory) ?? this.#findOut(directory);
    return (rights & LIST) !== 0;
  }

  /** Whether the contents of an object may be read by whoever gets to it. */
  mayRead(fid: Fid): boolean {
    const inode = ifReadable(() => this.#namespace.inodes.get(fid), undefined);
    return inode !== undefined && this.#may(inode, this.#acl(inode), MAY_READ);
  }

  /** Walks up to the root or to what is known, and decides on the way down. */
  #findOut(directory: Fid): Known {
    const way: Inode[] = [];
    let above = NOWHERE;
    for (let at = directory; ; ) {
      const inode = ifReadable(() => this.#namespace.inodes.get(at), undefined);
      // A removed directory leads nowhere; a cycle, which only a damaged store has, ends here too.
      if (inode === undefined || !isDirectory(inode.mode) || inode.nlink === 0) break;
      // Only of the lowest it is known that it is too deep.
      if (way.length > REACH_DEPTH_MAX) return this.#remember(directory, NOWHERE);
      way.push(inode);
      if (at === ROOT_FID) {
        above = ABOVE_ROOT;
        break;
      }
      at = inode.parent as Fid;
      const known = this.#known.get(at);
      if (known !== undefined) {
        above = known;
        break;
      }
    }
    return this.#decide(directory, way, above);
  }

  /** `way`: from the directory asked for upwards; `above`: what holds for the parent of the last. */
  #decide(directory: Fid, way: readonly Inode[], above: Known): Known {
    let last = above;
    for (const inode of way.toReversed()) {
      const depth = last.depth + 1;
      const enters = (last.rights & ENTER) !== 0 && depth <= REACH_DEPTH_MAX;
      const rights = enters ? this.#ownRights(inode) : NOTHING;
      last = this.#remember(inode.fid, rights === NOTHING ? NOWHERE : { rights, depth });
    }
    return way.length === 0 ? this.#remember(directory, NOWHERE) : last;
  }

  #remember(directory: Fid, known: Known): Known {
    if (this.#known.size >= REACH_CACHE_ENTRIES) this.#known.clear();
    this.#known.set(directory, known);
    return known;
  }

  /** {@link ENTER}, and with it perhaps {@link LIST}. */
  #ownRights(inode: Inode): number {
    const before = this.#own.get(inode.fid);
    const changes = inode.permissionChanges;
    if (before?.inode === inode && before.changes === changes) return before.rights;
    const acl = this.#acl(inode);
    let rights = NOTHING;
    if (this.#may(inode, acl, MAY_EXECUTE)) {
      rights = this.#may(inode, acl, MAY_READ) ? ENTER | LIST : ENTER;
    }
    if (this.#own.size >= REACH_CACHE_ENTRIES) this.#own.clear();
    this.#own.set(inode.fid, { inode, changes, rights });
    return rights;
  }

  #may(inode: Inode, acl: Acl | undefined | 'unreadable', mask: number): boolean {
    return acl !== 'unreadable' && mayAccess(inode, acl, this.who, mask);
  }

  /** Only where it counts: not for the owner, nor where nobody named in it has a permission. */
  #acl(inode: Inode): Acl | undefined | 'unreadable' {
    const { fid, uid, mode, hasXattrs } = inode;
    if (!hasXattrs || uid === this.who.uid || (mode & S_IRWXG) === 0) return undefined;
    return ifReadable(() => {
      const value = this.#namespace.xattrs.get(fid, ACCESS_ACL);
      return value === undefined ? undefined : decodeAcl(value);
    }, 'unreadable');
  }
}
