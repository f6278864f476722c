/** One persistent feed: who it is, what it has cancelled, and its stored form. */

import { Errno, FsError } from '../base/errno.js';
import { type FileName, nameToText } from '../base/name.js';
import { type Timespec, timeFromNanoseconds, timeToNanoseconds } from '../base/time.js';
import { CancelSet } from './cancel-set.js';
import { FEED_NAME_BYTES_MAX } from './limits.js';
import { LOG_START, type Position } from './position.js';
import type { LogOffset, RecordIndex, TextOffset } from './record.js';

export class Feed {
  readonly id: number;
  readonly name: FileName;
  readonly created: Timespec;
  /** Where the log ended when the feed was made: its first record is the next one. */
  readonly start: Position;
  readonly cancelled = new CancelSet();
  lastRead: Timespec | undefined;
  /** Why the last write to a control file was refused. */
  lastError: string | null = null;

  constructor(id: number, name: FileName, created: Timespec, start: Position) {
    this.id = id;
    this.name = name;
    this.created = created;
    this.start = start;
    this.cancelled.add({ start: LOG_START, end: start });
  }

  encode(): Buffer {
    return Buffer.from(
      JSON.stringify({
        name: Buffer.from(this.name, 'latin1').toString('base64'),
        created: timeToNanoseconds(this.created),
        start: this.start,
        lastRead: this.lastRead === undefined ? null : timeToNanoseconds(this.lastRead),
      }),
    );
  }

  static decode(id: number, bytes: Buffer): Feed {
    const stored = JSON.parse(bytes.toString('utf8')) as StoredFeed;
    const { offset, index, text } = stored.start;
    const name = Buffer.from(stored.name, 'base64').toString('latin1') as FileName;
    const feed = new Feed(id, name, timeFromNanoseconds(stored.created), {
      offset: offset as LogOffset,
      index: index as RecordIndex,
      text: text as TextOffset,
    });
    if (stored.lastRead !== null) feed.lastRead = timeFromNanoseconds(stored.lastRead);
    return feed;
  }
}

interface StoredFeed {
  readonly name: string;
  readonly created: string;
  readonly start: { readonly offset: number; readonly index: number; readonly text: number };
  readonly lastRead: string | null;
}

/** FsError(EINVAL, ENAMETOOLONG) unless the name can be a feed's. */
export function checkFeedName(name: FileName): void {
  if (name.length > FEED_NAME_BYTES_MAX) {
    throw new FsError(Errno.ENAMETOOLONG, `a feed name has at most ${FEED_NAME_BYTES_MAX} bytes`);
  }
  for (let i = 0; i < name.length; i++) {
    const byte = name.charCodeAt(i);
    if (byte < 0x20 || byte === 0x7f || byte === 0x2f) {
      throw new FsError(Errno.EINVAL, 'a feed name has no control characters and no slash');
    }
  }
  if (nameToText(name) === undefined) {
    throw new FsError(Errno.EINVAL, 'a feed name is UTF-8 text');
  }
  if (name === '' || name === '.' || name === '..') {
    throw new FsError(Errno.EINVAL, 'not a name for a feed');
  }
}
