/**
 * What a client asks about feeds. Persistent ones are known by their id; each has files
 * that are read (its views) and files that are text.
 */
import type { FileName } from '../base/name.js';
import type { Timespec } from '../base/time.js';

/** The two views of a feed that are sparse files; each has coordinates of its own. */
export type FeedView = 'stream' | 'ndjson';

/** A feed's files of text; `info` is only read. */
export type FeedText = 'info' | FeedSetting;
export type FeedSetting = 'filter' | 'policy';

export interface FeedSummary {
  readonly id: number;
  readonly name: FileName;
}

export interface FeedStatus {
  readonly id: number;
  readonly size: number;
  /** Bytes owed in the view's coordinates. */
  readonly owed: number;
  readonly mtime: Timespec;
  readonly created: Timespec;
}

export interface FeedChunk {
  /** Bytes put into the request's buffer; 0 with `gone` at the end of a feed that ended. */
  readonly length: number;
  /** The reader's cursor after it. */
  readonly cursor: number;
  /** No more will come for this open: the feed ended, or this use of the offset space did. */
  readonly gone: boolean;
  /** A damaged record stood there: it is skipped, and is an EIO for the reader. */
  readonly damaged: boolean;
}

/** Where a feed's owed records begin and where the next one will be, in all coordinates. */
export interface FeedPlaces {
  /** Which use of the offset space the first of them is in. */
  readonly epoch: number;
  readonly firstOffset: number;
  readonly nextOffset: number;
  readonly firstIndex: number;
  readonly nextIndex: number;
  readonly firstText: number;
  readonly nextText: number;
}

/** One view of one feed, in one use of the offset space (`feedOpen` says in which). */
export interface FeedFile {
  readonly id: number;
  readonly view: FeedView;
  readonly epoch: number;
}

export interface FeedMethods {
  feedCreate: { request: { name: FileName }; result: FeedSummary };
  feedRemove: { request: { name: FileName }; result: undefined };
  feedLookup: { request: { name: FileName }; result: FeedSummary };
  feedList: { request: undefined; result: readonly FeedSummary[] };
  /**
   * A consumer opens one of the feed's views, which keeps it alive until the matching
   * close. EIDRM: the feed expired, its consumer has to resynchronise.
   */
  feedOpen: { request: { id: number }; result: { epoch: number } };
  feedClose: { request: { id: number }; result: undefined };
  /** As of an open that is in `epoch`; without one, as of an open that happens now. */
  feedStatus: {
    request: { id: number; view: FeedView; epoch?: number | undefined };
    result: FeedStatus;
  };
  feedPlaces: { request: { id: number }; result: FeedPlaces };
  feedText: { request: { id: number; file: FeedText }; result: string };
  /** Answers when it is on disk; EINVAL with the reason in `info` if it cannot be taken. */
  feedSetText: {
    request: { id: number; file: FeedSetting; text: string };
    result: undefined;
  };
  /**
   * FIFO read: the next owed bytes at or after `cursor`; EAGAIN when there are none.
   */
  feedNext: { request: FeedFile & { cursor: number; into: Uint8Array }; result: FeedChunk };
  /** Sparse-file read of exactly [offset, offset + into.length), up to the end; EAGAIN at the end. */
  feedAt: { request: FeedFile & { offset: number; into: Uint8Array }; result: FeedChunk };
  feedSeek: { request: FeedFile & { offset: number; whence: 'data' | 'hole' }; result: number };
  /** Is anything owed at or after the cursor? ENODEV when nothing more will come. */
  feedReady: { request: FeedFile & { cursor: number }; result: boolean };
  /** Cancels every record wholly inside the range; answers when that is on disk. */
  feedPunch: { request: FeedFile & { offset: number; length: number }; result: undefined };
  /** Whether readers or pollers wait: changes are then committed at once. */
  feedWatch: { request: { waiting: boolean }; result: undefined };
}
