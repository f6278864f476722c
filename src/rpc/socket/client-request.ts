/**
 * A request as it is sent, and its answer put where the request wants it. A listing may take
 * several calls.
 */
import type { Errno } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import type { DirectoryEntry, Method, RequestOf, ResultOf } from '../messages.js';
import type { PlacedMethod, RemoteRequest, RemoteResult } from '../remote.js';
import type { Payload } from '../session.js';
import { READDIR_ENTRIES_FIRST, READDIR_ENTRIES_MAX, ROOM_MAX } from './limits.js';
import { encodePayload } from './payload.js';
import { WireError } from './wire-error.js';

/** What an answer led to. */
export interface Taken<M extends Method> {
  readonly result: ResultOf<M> | undefined;
  /** Objects of which a readdir brought the attributes (grants.ts). */
  readonly entries: readonly Fid[];
  /** To be sent next, as a call of its own, whose answer is taken too; undefined: it is done. */
  readonly again: Payload<M> | undefined;
}

export interface ClientRequest<M extends Method> {
  readonly payload: Payload<M>;
  /** WireError: the answer is more than was asked for. */
  take(errno: Errno | 0, result: RemoteResult<M> | undefined): Taken<M>;
}

type Placed = { [M in PlacedMethod]: { method: M; request: RequestOf<M> } }[PlacedMethod];

const NO_ENTRIES: readonly Fid[] = [];

/** WireError if the request cannot be said. */
export function clientRequest<M extends Method>(
  method: M,
  request: RequestOf<M>,
): ClientRequest<M> {
  const placed = placedRequest({ method, request } as unknown as Placed);
  if (placed !== undefined) return placed as unknown as ClientRequest<M>;
  return { payload: encodePayload(method, request as RemoteRequest<M>), take: takeAsIs };
}

function takeAsIs<M extends Method>(
  _errno: Errno | 0,
  result: RemoteResult<M> | undefined,
): Taken<M> {
  return { result: result as ResultOf<M> | undefined, entries: NO_ENTRIES, again: undefined };
}

function placedRequest(asked: Placed): object | undefined {
  switch (asked.method) {
    case 'readdir':
      return listing(asked.request);
    case 'feedNext':
    case 'feedAt':
    case 'changelogNext':
    case 'watchNext':
    case 'baselineNext': {
      const { into, ...rest } = asked.request;
      const request = { ...rest, room: Math.min(into.length, ROOM_MAX) };
      const payload = encodePayload(asked.method, request as RemoteRequest<typeof asked.method>);
      return { payload, take: takeInto(into) };
    }
    default:
      return undefined;
  }
}

function takeInto(into: Uint8Array) {
  return (_errno: Errno | 0, brought: { bytes: Uint8Array } | undefined): object => {
    if (brought === undefined) return { result: undefined, entries: NO_ENTRIES, again: undefined };
    const { bytes, ...rest } = brought;
    if (bytes.length > into.length) throw new WireError('an answer has no room for its bytes');
    into.set(bytes);
    return { result: { ...rest, length: bytes.length }, entries: NO_ENTRIES, again: undefined };
  };
}

function listing({
  fid,
  cookie,
  attributes,
  each,
}: RequestOf<'readdir'>): ClientRequest<'readdir'> {
  const ask = (after: number, entries: number): Payload<'readdir'> =>
    encodePayload('readdir', { fid, cookie: after, attributes, entries });
  return {
    payload: ask(cookie, READDIR_ENTRIES_FIRST),
    take(_errno, listed) {
      const entries = listed?.entries ?? [];
      const wanted = giveAll(entries, each);
      const last = entries.at(-1);
      return {
        result: undefined,
        entries: attributes ? entries.map((entry) => entry.fid) : NO_ENTRIES,
        // A server that says `more` and brings nothing would be asked for ever.
        again:
          wanted && listed?.more === true && last !== undefined
            ? ask(last.cookie, READDIR_ENTRIES_MAX)
            : undefined,
      };
    },
  };
}

/** Whether each of them was taken. */
function giveAll(
  entries: readonly DirectoryEntry[],
  each: (entry: DirectoryEntry) => boolean,
): boolean {
  return entries.every(each);
}
