/**
 * Requests and results where client and server share no memory. They are those of messages.ts,
 * but for the requests that name a place for their answer: over a socket such a request tells
 * how much room there is, and what would have been put there comes with the result.
 */
import type { Fid } from '../base/fid.js';
import type { ChangelogChunk, ChangelogRead } from './changelog.js';
import type { FeedChunk, FeedFile } from './feeds.js';
import type { DirectoryEntry, Method, RequestOf, ResultOf } from './messages.js';
import type { Watcher } from './watch.js';

/** Bytes that the answer may bring. */
interface Room {
  readonly room: number;
}

interface Brought {
  readonly bytes: Uint8Array;
}

interface PlacedRequests {
  readdir: {
    readonly fid: Fid;
    readonly cookie: number;
    readonly attributes: boolean;
    /** Entries that the answer may bring. */
    readonly entries: number;
  };
  feedNext: FeedFile & Room & { readonly cursor: number };
  feedAt: FeedFile & Room & { readonly offset: number };
  changelogNext: Omit<ChangelogRead, 'into'> & Room;
  watchNext: Room & { readonly id: number; readonly by: Watcher };
  baselineNext: Room & { readonly id: number };
}

interface PlacedResults {
  /** `more`: the directory goes on after the last entry. */
  readdir: { readonly entries: readonly DirectoryEntry[]; readonly more: boolean };
  feedNext: Omit<FeedChunk, 'length'> & Brought;
  feedAt: Omit<FeedChunk, 'length'> & Brought;
  changelogNext: Omit<ChangelogChunk, 'length'> & Brought;
  watchNext: Brought;
  baselineNext: Brought;
}

/** Methods whose requests name a place for the answer. */
export type PlacedMethod = keyof PlacedRequests;

export type RemoteRequest<M extends Method> = M extends PlacedMethod
  ? PlacedRequests[M]
  : RequestOf<M>;

export type RemoteResult<M extends Method> = M extends PlacedMethod
  ? PlacedResults[M]
  : ResultOf<M>;
