/** Listing directories. A cookie is the slot of the entry before it; 1 and 2 are `.` and `..`. */
import { Errno } from '../../base/errno.js';
import { type Fid, ROOT_FID } from '../../base/fid.js';
import type { EmptyReply, Entry, Handlers, Reply } from '../../fuse/api.js';
import { FOPEN_CACHE_DIR, FOPEN_KEEP_CACHE } from '../../fuse/wire/abi.js';
import type { DirectoryEntry } from '../../rpc/messages.js';
import { type ClientContext, fidOf } from '../context.js';
import type { Done } from '../recorder.js';
import { syncAll } from '../sync-all.js';
import { entryOf } from '../validity.js';
import { finish } from './namespace.js';

type DirectoryEnd = Reply & { end(): void };
type DirectoryHandlers = Required<
  Pick<Handlers, 'opendir' | 'readdir' | 'readdirplus' | 'releasedir' | 'fsyncdir'>
>;

/**
 * The kernel keeps listings until the directory changes, which only happens through it.
 * What changes in a listing without the directory is `..`: see stale-listings.ts.
 */
const CACHED = FOPEN_CACHE_DIR | FOPEN_KEEP_CACHE;

export const DOT_COOKIE = 1;
export const DOT_DOT_COOKIE = 2;
export const DT_DIR = 4;

/** Of an entry in the reply, without its name: with attributes it is a struct fuse_direntplus. */
const ENTRY_BYTES = 24;
const ENTRY_PLUS_BYTES = 152;

export function directoryOperations(context: ClientContext): DirectoryHandlers {
  const { mds, opens, files, accessTimes, accesses, listings, replica } = context;
  return {
    opendir: ({ nodeId, flags, caller }, reply) => {
      const fid = fidOf(nodeId);
      mds.call('open', { fid }, (errno, opened) => {
        if (opened === undefined) return reply.error(errno === 0 ? Errno.EIO : errno);
        const right = listings.opened(fid);
        const kept = accessTimes.openedDirectory(opened.attributes, flags) && right;
        const fh = opens.add({ kind: 'directory', fid, flags });
        accesses.opened(fh, opened.attributes, flags, caller, (refused) => {
          if (refused === 0) return reply.open({ fh, flags: cacheFlags(context, fid, kept) });
          close(context, fh);
          reply.error(refused);
        });
      });
    },
    releasedir: ({ fh }, reply) => {
      close(context, fh);
      reply.ok();
    },
    fsyncdir: ({ nodeId }, reply) => fsyncdir(context, fidOf(nodeId), reply),
    readdir: ({ nodeId, fh, offset, size }, reply) => {
      const fid = fidOf(nodeId);
      const add: Listing = {
        dot: (ino, cookie, name) => reply.add(ino, cookie, DT_DIR, name),
        entry: ({ fid: ino, cookie, type, name }) => reply.add(ino, cookie, type, name),
      };
      list(context, { fid, fh, offset, size, attributes: false }, add, reply);
    },
    readdirplus: ({ nodeId, fh, offset, size }, reply) => {
      const fid = fidOf(nodeId);
      const add: Listing = {
        dot: (ino, cookie, name) => reply.add(dotEntry(ino), cookie, name),
        entry: ({ attributes, cookie, name }) => {
          if (attributes === undefined) return true;
          const added = reply.add(entryOf(context, fid, files.exact(attributes)), cookie, name);
          // It comes first in the next answer.
          if (!added) replica.forget([{ nodeId: attributes.fid, nlookup: 1 }]);
          return added;
        },
      };
      list(context, { fid, fh, offset, size, attributes: true }, add, reply);
    },
  };
}

/** Adds to the reply; false if it is full. */
interface Listing {
  readonly dot: (ino: number, cookie: number, name: string) => boolean;
  readonly entry: (entry: DirectoryEntry) => boolean;
}

interface Listed {
  readonly fid: Fid;
  readonly fh: number;
  readonly offset: number;
  /** Bytes that the reply has room for. */
  readonly size: number;
  readonly attributes: boolean;
}

/** Nothing else may be answered between the first entry of a reply and its end. */
function list(context: ClientContext, listed: Listed, add: Listing, reply: DirectoryEnd): void {
  const { mds } = context;
  const { fid, fh, offset, attributes } = listed;
  accessed(context, fid, fh);
  const cookie = offset <= DOT_DOT_COOKIE ? 0 : offset;
  const end: Done = (errno) => {
    if (errno === 0) reply.end();
    else reply.error(errno);
    givenListing(context, fid);
  };
  whenParentKnown(context, fid, offset, (parent) => {
    const withDots = (): boolean =>
      (offset >= DOT_COOKIE || add.dot(fid, DOT_COOKIE, '.')) &&
      (offset >= DOT_DOT_COOKIE || add.dot(parent, DOT_DOT_COOKIE, '..'));
    if (mds.direct !== true) {
      const found = new FoundEntries(listed);
      const each = (entry: DirectoryEntry): boolean => found.take(entry);
      return mds.call('readdir', { fid, cookie, attributes, each }, (errno) => {
        if (errno === 0 && withDots()) found.entries.every(add.entry);
        end(errno);
      });
    }
    if (!withDots()) return end(0);
    mds.call('readdir', { fid, cookie, attributes, each: add.entry }, end);
  });
}

/** Entries that came one by one, and are answered at once. */
class FoundEntries {
  readonly entries: DirectoryEntry[] = [];
  #room: number;
  readonly #each: number;

  constructor({ size, attributes }: Listed) {
    this.#room = size;
    this.#each = attributes ? ENTRY_PLUS_BYTES : ENTRY_BYTES;
  }

  /** More than fit into the reply are of no use. */
  take(entry: DirectoryEntry): boolean {
    if (this.#room < 0) return false;
    this.#room -= this.#each + entry.name.length;
    this.entries.push(entry);
    return true;
  }
}

function close({ mds, opens, accesses }: ClientContext, fh: number): void {
  const isLost = opens.isLost(fh);
  const closed = opens.remove(fh);
  if (closed?.kind !== 'directory') return;
  if (!isLost) mds.call('close', { fid: closed.fid }, () => {});
  accesses.closed(fh);
}

/** Of the root it is one of everything, for who must know that nothing is on its way. */
function fsyncdir(context: ClientContext, fid: Fid, reply: EmptyReply): void {
  const done: Done = (errno) => finish(errno, reply);
  if (fid === ROOT_FID) syncAll(context, done);
  else context.mds.call('sync', undefined, done);
}

/** The listing of a copy changes without the kernel's help; others' changes the kernel is told of. */
function cacheFlags({ replica, coherence }: ClientContext, fid: Fid, kept: boolean): number {
  if (replica.active || !coherence.mayCacheNames(fid)) return 0;
  return kept ? CACHED : FOPEN_CACHE_DIR;
}

/** What the kernel may have kept of it while it may not. */
function givenListing({ coherence, listings }: ClientContext, fid: Fid): void {
  if (!coherence.shared || coherence.mayCache(fid)) return;
  listings.moved(fid);
  coherence.pagesGiven(fid);
}

function accessed({ opens, accessTimes }: ClientContext, fid: Fid, fh: number): void {
  const open = opens.get(fh);
  if (open?.kind === 'directory') accessTimes.listed(fid, open.flags);
}

/** Calls back with what `..` is, where the listing starts with it. */
function whenParentKnown(
  { mds }: ClientContext,
  fid: Fid,
  offset: number,
  next: (parent: Fid) => void,
): void {
  if (offset >= DOT_DOT_COOKIE) return next(fid);
  mds.call('parent', { fid }, (_errno, found) => next(found ?? fid));
}

/** Entries of `.` and `..` carry no lookup. */
export function dotEntry(ino: number): Entry {
  const zero = { sec: 0, nsec: 0 };
  const attr = { ino, size: 0, blocks: 0, atime: zero, mtime: zero, ctime: zero };
  const rest = { mode: 0o040000, nlink: 1, uid: 0, gid: 0, rdev: 0, blksize: 0 };
  return { nodeId: 0, generation: 0, entryValidMs: 0, attrValidMs: 0, attr: { ...attr, ...rest } };
}
