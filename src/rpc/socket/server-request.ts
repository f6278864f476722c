/**
 * A request as the server's methods want it, with a place for the answer where they fill one,
 * and their result as it is sent. The places are made here,
 * not while a message is read.
 */
import { Errno, FsError } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import type { DirectoryEntry, Method, RequestOf, ResultOf } from '../messages.js';
import type { PlacedMethod, RemoteRequest, RemoteResult } from '../remote.js';
import type { Payload } from '../session.js';
import { READDIR_BYTES_MAX } from './limits.js';

export interface ServerRequest<M extends Method> {
  /** For the method. */
  readonly request: RequestOf<M>;
  /** The result as it is sent. Attributes in it may be the server's own: send or encode it at once. */
  finish(result: ResultOf<M>): RemoteResult<M>;
  /** Objects of which a readdir gives the attributes; none of other methods. */
  entries(): readonly Fid[];
}

type Placed = { [M in PlacedMethod]: { method: M; request: RemoteRequest<M> } }[PlacedMethod];

const none = (): readonly Fid[] => [];

export function serverRequest<M extends Method>({ method, request }: Payload<M>): ServerRequest<M> {
  const asked = { method, request } as unknown as Placed;
  return (placed(asked) ?? {
    request: request as RequestOf<M>,
    finish: asItIs<M>,
    entries: none,
  }) as ServerRequest<M>;
}

function asItIs<M extends Method>(result: ResultOf<M>): RemoteResult<M> {
  return result as RemoteResult<M>;
}

function placed(asked: Placed): object | undefined {
  switch (asked.method) {
    case 'readdir':
      return listing(asked.request);
    case 'feedNext':
    case 'feedAt':
    case 'changelogNext':
    case 'watchNext':
    case 'baselineNext': {
      const { room, ...request } = asked.request;
      const into = Buffer.allocUnsafe(room);
      const finish = ({ length, ...rest }: { length: number }): object => {
        if (length > room) throw new FsError(Errno.EIO, `${asked.method} gave more than it may`);
        const brought = into.subarray(0, length);
        // It may be kept: not all of the room with it.
        return { ...rest, bytes: length * 2 < room ? Buffer.from(brought) : brought };
      };
      return { request: { ...request, into }, finish, entries: none };
    }
    default:
      return undefined;
  }
}

/** Bytes of an entry in a message, at most, beside its name: with attributes, and without. */
const ENTRY_BYTES = 128;
const BARE_ENTRY_BYTES = 32;

function listing({ fid, cookie, attributes, entries: max }: RemoteRequest<'readdir'>): object {
  const entries: DirectoryEntry[] = [];
  let more = false;
  let bytes = 0;
  const each = (entry: DirectoryEntry): boolean => {
    if (entries.length >= max || bytes >= READDIR_BYTES_MAX) {
      more = true;
      return false;
    }
    bytes += entry.name.length + (attributes ? ENTRY_BYTES : BARE_ENTRY_BYTES);
    entries.push(kept(entry));
    return true;
  };
  return {
    request: { fid, cookie, attributes, each },
    finish: (): RemoteResult<'readdir'> => ({ entries, more }),
    entries: () => (attributes ? entries.map((entry) => entry.fid) : []),
  };
}

/** The server goes on to use its attributes for the next entry. */
function kept(entry: DirectoryEntry): DirectoryEntry {
  const { name, fid, type, cookie, attributes: of } = entry;
  if (of === undefined) return { name, fid, type, cookie, attributes: undefined };
  const { mode, nlink, uid, gid, rdev, size, blocks, atime, mtime, ctime, layout, generation } = of;
  // biome-ignore format: two lines
  const attributes = {
    fid: of.fid, mode, nlink, uid, gid, rdev, size, blocks, atime, mtime, ctime, layout, generation,
  };
  return { name, fid, type, cookie, attributes };
}
