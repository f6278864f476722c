/**
 * What a clone stream consists of. FORMAT.md has the bytes.
 *
 *     header  { entries contents* }*  commit   { records contents* commit }*  end
 *             `------ a baseline ----------'   `---- then the changes ------'
 *
 * A commit closes what came since the one before it: a receiver applies all of that or
 * nothing. In a baseline, whose end is the only commit, it may apply as it goes.
 */
import type { Fid } from '../../base/fid.js';
import type { LogPlace } from '../../rpc/baseline.js';

/** Where a stream comes from and what it may contain. */
export interface StreamHeader {
  readonly version: number;
  /** Identity of the source, as hexadecimal digits. */
  readonly filesystem: string;
  readonly feed: { readonly id: number; readonly name: string };
  /** `baseline`: a baseline comes first. */
  readonly kind: 'baseline' | 'records';
  /** Of kind `records`: where it begins. */
  readonly from: LogPlace | undefined;
  /** Where the feed can be acknowledged, for a receiver on the same boot of the same machine. */
  readonly origin: { readonly bootId: string; readonly directory: string; readonly host: string };
  /** Nanoseconds since the epoch, decimal. */
  readonly time: string;
}

/** Contents of a regular file at [offset, offset + length), at least as new as what they belong to. */
export type Contents =
  | {
      readonly kind: 'data';
      readonly fid: Fid;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'hole'; readonly fid: Fid; readonly offset: number; readonly length: number }
  /** The file is not there any more; a record to come says so. */
  | { readonly kind: 'gone'; readonly fid: Fid };

/** What precedes it is whole. */
export interface Commit {
  readonly kind: 'commit';
  /** Where the one before it ended, or the stream began; undefined: it closes a baseline. */
  readonly from: LogPlace | undefined;
  readonly to: LogPlace;
  /** Of the last change in it. */
  readonly transno: number;
  /** When that was made: nanoseconds since the epoch, decimal. */
  readonly time: string;
}

export type Frame =
  | { readonly kind: 'header'; readonly header: StreamHeader }
  /** Whole entries of rpc/baseline-entry.ts. */
  | { readonly kind: 'entries'; readonly bytes: Uint8Array }
  /** Whole records of feed/record-codec.ts. */
  | { readonly kind: 'records'; readonly bytes: Uint8Array }
  | Contents
  | Commit
  /** Nothing new: how far the source's log reached, for whoever shows the lag. */
  | { readonly kind: 'idle'; readonly end: LogPlace; readonly time: string }
  | { readonly kind: 'end' };
