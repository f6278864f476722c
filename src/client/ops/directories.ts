/** Listing directories. A cookie is the slot of the entry before it; 1 and 2 are `.` and `..`. */
import { Errno } from '../../base/errno.js';
import { type Fid, ROOT_FID } from '../../base/fid.js';
import type { EmptyReply, Entry, Handlers } from '../../fuse/api.js';
import { FOPEN_CACHE_DIR, FOPEN_KEEP_CACHE } from '../../fuse/wire/abi.js';
import { type ClientContext, fidOf } from '../context.js';
import type { Done } from '../recorder.js';
import { syncAll } from '../sync-all.js';
import { finish } from './namespace.js';

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
          if (refused === 0) return reply.open({ fh, flags: cacheFlags(context, kept) });
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
    readdir: ({ nodeId, fh, offset }, reply) => {
      const fid = fidOf(nodeId);
      listed(context, fid, fh);
      if (
        !withDots(context, fid, offset, (ino, cookie, name) => reply.add(ino, cookie, DT_DIR, name))
      ) {
        return reply.end();
      }
      const cookie = offset <= DOT_DOT_COOKIE ? 0 : offset;
      const request = {
        fid,
        cookie,
        attributes: false,
        each: (entry: { fid: Fid; cookie: number; type: number; name: string }) =>
          reply.add(entry.fid, entry.cookie, entry.type, entry.name),
      };
      mds.call('readdir', request, (errno) => (errno === 0 ? reply.end() : reply.error(errno)));
    },
    readdirplus: ({ nodeId, fh, offset }, reply) => {
      const fid = fidOf(nodeId);
      listed(context, fid, fh);
      const dots = withDots(context, fid, offset, (ino, cookie, name) =>
        reply.add(dotEntry(ino), cookie, name),
      );
      if (!dots) return reply.end();
      mds.call(
        'readdir',
        {
          fid,
          cookie: offset <= DOT_DOT_COOKIE ? 0 : offset,
          attributes: true,
          each: ({ attributes, cookie, name }) => {
            if (attributes === undefined) return true;
            const added = reply.add(replica.entry(fid, files.exact(attributes)), cookie, name);
            // It comes first in the next answer.
            if (!added) replica.forget([{ nodeId: attributes.fid, nlookup: 1 }]);
            return added;
          },
        },
        (errno) => (errno === 0 ? reply.end() : reply.error(errno)),
      );
    },
  };
}

function close({ mds, opens, accesses }: ClientContext, fh: number): void {
  const closed = opens.remove(fh);
  if (closed?.kind !== 'directory') return;
  mds.call('close', { fid: closed.fid }, () => {});
  accesses.closed(fh);
}

/** Of the root it is one of everything, for who must know that nothing is on its way. */
function fsyncdir(context: ClientContext, fid: Fid, reply: EmptyReply): void {
  const done: Done = (errno) => finish(errno, reply);
  if (fid === ROOT_FID) syncAll(context, done);
  else context.mds.call('sync', undefined, done);
}

/** The listing of a copy changes without the kernel's help. */
function cacheFlags({ replica }: ClientContext, kept: boolean): number {
  if (replica.active) return 0;
  return kept ? CACHED : FOPEN_CACHE_DIR;
}

function listed({ opens, accessTimes }: ClientContext, fid: Fid, fh: number): void {
  const open = opens.get(fh);
  if (open?.kind === 'directory') accessTimes.listed(fid, open.flags);
}

/** Adds `.` and `..` where the listing starts with them; false if the reply is full. */
function withDots(
  { mds }: ClientContext,
  fid: Fid,
  offset: number,
  add: (ino: number, cookie: number, name: string) => boolean,
): boolean {
  if (offset < DOT_COOKIE && !add(fid, DOT_COOKIE, '.')) return false;
  if (offset >= DOT_DOT_COOKIE) return true;
  let parent: number = ROOT_FID;
  mds.call('parent', { fid }, (_errno, found) => {
    parent = found ?? fid;
  });
  return add(parent, DOT_DOT_COOKIE, '..');
}

/** Entries of `.` and `..` carry no lookup. */
export function dotEntry(ino: number): Entry {
  const zero = { sec: 0, nsec: 0 };
  const attr = { ino, size: 0, blocks: 0, atime: zero, mtime: zero, ctime: zero };
  const rest = { mode: 0o040000, nlink: 1, uid: 0, gid: 0, rdev: 0, blksize: 0 };
  return { nodeId: 0, generation: 0, entryValidMs: 0, attrValidMs: 0, attr: { ...attr, ...rest } };
}
