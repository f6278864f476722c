/** Whose eyes a watch has: which records it takes, and what it says of them. */
import type { Fid } from '../base/fid.js';
import { ROOT_FID } from '../base/fid.js';
import type { Timespec } from '../base/time.js';
import { renderNdjson } from '../feed/encodings/ndjson.js';
import type { Filter } from '../feed/filter.js';
import type { ChangeHead } from '../feed/log.js';
import type { FeedRecord, LogOffset, RecordBody, RecordIndex, Transno } from '../feed/record.js';
import type { LinePlace } from './watch-line.js';
import type { QueuedRecord, Verdict } from './watch-queue.js';

/** A range of records that nobody read in time. */
export interface Loss {
  readonly firstIndex: RecordIndex;
  readonly lastIndex: RecordIndex;
  /** Where the last of them stands. */
  readonly offset: LogOffset;
  /** How many of the range the watch had taken. */
  readonly records: number;
}

/** `lost`: it may have to be shown, and nobody knows any more. */
export type Judgement = 'shown' | 'hidden' | 'lost';

export interface ShownLine {
  readonly text: string;
  /** The record with what of it the line shows: judged once more if the line has to wait. */
  readonly of: QueuedRecord;
}

export interface WatchView {
  /** FsError(EPERM) for a filter that this view must not answer. */
  checkFilter(filter: Filter): void;
  /** Undefined: the watch does not take the record. Right after the change. */
  judge(filter: Filter, change: ChangeHead, body: RecordBody): Verdict | undefined;
  /** Whether anything of a record may be shown, now; asked before the record is read. */
  judgeNow(queued: QueuedRecord): Judgement;
  /** Lines of a record, `at` for the first; none if nothing of it may be shown any more. */
  lines(filter: Filter, queued: QueuedRecord, record: FeedRecord, at: LinePlace): ShownLine[];
  lossLine(loss: Loss, now: Timespec, at: LinePlace): string;
}

export type Passes = (filter: Filter, change: ChangeHead, body: RecordBody) => boolean;

const NO_PARENTS: readonly Fid[] = [];
const TAKEN: Verdict = { flags: 0, parents: NO_PARENTS };
const NOBODY = { uid: 0, gid: 0, pid: 0, nid: '0@lo', jobid: '' };

/** Root and whoever mounted: every record as it is. */
export class PrivilegedView implements WatchView {
  readonly #passes: Passes;

  /** `passes`: judges by all names that objects have. */
  constructor(passes: Passes) {
    this.#passes = passes;
  }

  checkFilter(): void {}

  judge(filter: Filter, change: ChangeHead, body: RecordBody): Verdict | undefined {
    return this.#passes(filter, change, body) ? TAKEN : undefined;
  }

  judgeNow(): Judgement {
    return 'shown';
  }

  lines(_filter: Filter, queued: QueuedRecord, record: FeedRecord): ShownLine[] {
    return [{ text: renderNdjson(record, queued.offset), of: queued }];
  }

  /** With the exact range and count; nobody counted the bytes, so it says 0. */
  lossLine({ firstIndex, lastIndex, offset, records }: Loss, time: Timespec): string {
    const lost = { firstIndex, lastIndex, records, bytes: 0, reason: 'not read in time' };
    const head = { index: lastIndex, transno: 0 as Transno, time, fid: ROOT_FID, ...NOBODY };
    return renderNdjson({ ...head, op: 'lost', lost }, offset);
  }
}
