/**
 * The counters of table `meta`, from what the rest of the store tells. What cannot be
 * seen any more (an object that was removed, a record that was freed) had numbers too: a
 * counter may skip and must not go back, so it is put some way above.
 *
 * Everything here is inside a write transaction, and reads past what is damaged.
 */
import { type Fid, isControlFid, nextFid } from '../../base/fid.js';
import { BLOCK_HEAD_BYTES, decodeBlockHead } from '../../feed/block.js';
import { decodeRange } from '../../feed/cancel-row.js';
import type { Position } from '../../feed/position.js';
import { RecordReader } from '../../feed/record-codec.js';
import { fidOfKey, logKey, offsetOfCancelKey, partsOfLogKey } from '../../store/keys.js';
import type { Tables } from '../../store/store.js';
import type { Table } from '../../store/table.js';
import { isExactKey } from './exact-key.js';
import { COUNTER_DISTANCE } from './limits.js';
import type { CounterName } from './mend.js';

/** Feed ids are at the start of these tables' keys; FIDs of those. */
const FEED_TABLES = ['feed', 'cancel', 'pass'] as const;
const FID_TABLES = ['inode', 'orphan', 'inline', 'xattr', 'object'] as const;

export function mendCounter(tables: Tables, name: CounterName): void {
  tables.meta.put(Buffer.from(name, 'latin1'), VALUES[name](tables));
}

const VALUES: Readonly<Record<CounterName, (tables: Tables) => Buffer>> = {
  'fid.reserved': (tables) => u64(nextFid((lastFid(tables) + COUNTER_DISTANCE) as Fid)),
  stats: (tables) => u64(countInodes(tables.inode)),
  transno: (tables) => u64(lastTransno(tables) + COUNTER_DISTANCE),
  'feed.next': (tables) => u32(lastFeed(tables) + 1),
  'log.end': logEnd,
};

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value), 0);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return bytes;
}

function countInodes(inodes: Table): number {
  let count = 0;
  for (const key of inodes.keys({})) if (isExactKey(key, 8, 0)) count++;
  return count;
}

/** Of every object that a table or a record names. */
function lastFid(tables: Tables): number {
  let last = 0;
  const saw = (fid: Fid): void => {
    if (fid > last && !isControlFid(fid)) last = fid;
  };
  for (const name of FID_TABLES) {
    for (const key of tables[name].keys({})) if (key.length >= 8) saw(fidOfKey(key) as Fid);
  }
  forEachRecord(tables.log, ({ fid }) => saw(fid));
  return last;
}

function lastTransno(tables: Tables): number {
  let last = 0;
  forEachRecord(tables.log, ({ transno }) => {
    last = Math.max(last, transno);
  });
  return last;
}

function lastFeed(tables: Tables): number {
  let last = 0;
  for (const name of FEED_TABLES) {
    for (const key of tables[name].keys({ reverse: true, limit: 1 })) {
      if (key.length >= 4) last = Math.max(last, key.readUInt32BE(0));
    }
  }
  return last;
}

type Seen = ReturnType<RecordReader['decode']>['record'];

/** Up to the first damaged one of each block. */
function forEachRecord(log: Table, saw: (record: Seen) => void): void {
  for (const { raw } of log.entriesRaw({})) {
    const records = raw.value.subarray(BLOCK_HEAD_BYTES);
    const reader = new RecordReader(records);
    try {
      for (let at = 0; at < records.length; ) {
        const { record, size } = reader.decode(at);
        saw(record);
        at += size;
      }
    } catch {
      // Whatever it was, the distance allows for it.
    }
  }
}

const END_BYTES = 40;
const EPOCH_AT = 36;

/** Behind the last block, and behind all that a feed knows of. The rest of it stays as it was. */
function logEnd(tables: Tables): Buffer {
  const raw = tables.meta.getRaw(Buffer.from('log.end', 'latin1'));
  const whole = raw?.intact === true && raw.value.length === END_BYTES;
  const bytes = whole ? Buffer.from(raw.value) : Buffer.alloc(END_BYTES);
  if (!whole) bytes.writeUInt32LE(lastEpoch(tables.log), EPOCH_AT);
  const epoch = bytes.readUInt32LE(EPOCH_AT);
  raise(bytes, { offset: 0, index: 1, text: 0 });
  for (const { start, end } of whole ? [] : rangesOf(tables, epoch)) {
    raise(bytes, start);
    raise(bytes, end);
  }
  const last = lastBlock(tables.log, epoch);
  if (last !== undefined) {
    // Nothing was logged behind it: so that is where the log ends, in all coordinates.
    if (last.end.offset >= bytes.readBigUInt64LE(0)) bytes.fill(0, 0, 24);
    raise(bytes, last.end);
    if (!whole) {
      bytes.writeBigInt64LE(BigInt(last.time.sec), 24);
      bytes.writeUInt32LE(last.time.nsec, 32);
    }
  }
  return bytes;
}

type Place = { readonly [Coordinate in keyof Position]: number };

function raise(bytes: Buffer, { offset, index, text }: Place): void {
  for (const [at, value] of [offset, index, text].entries()) {
    const known = bytes.readBigUInt64LE(8 * at);
    if (BigInt(value) > known) bytes.writeBigUInt64LE(BigInt(value), 8 * at);
  }
}

function lastEpoch(log: Table): number {
  for (const key of log.keys({ reverse: true, limit: 1 })) {
    if (key.length === 12) return partsOfLogKey(key).epoch;
  }
  return 0;
}

function lastBlock(log: Table, epoch: number): ReturnType<typeof decodeBlockHead> | undefined {
  const options = {
    start: Buffer.from(logKey(epoch + 1, 0)),
    end: Buffer.from(logKey(epoch, 0)),
    reverse: true,
  };
  for (const { key, raw } of log.entriesRaw(options)) {
    try {
      return decodeBlockHead(partsOfLogKey(key).offset, raw.value);
    } catch {
      // The one before it says less, and is no lie.
    }
  }
  return undefined;
}

/** What the feeds know of the log: where they start, and what they have cancelled. */
function* rangesOf(tables: Tables, epoch: number): Generator<{ start: Place; end: Place }> {
  for (const { raw } of tables.feed.entriesRaw({})) {
    const start = startOf(raw.value);
    if (start !== undefined && start.epoch === epoch) yield { start, end: start };
  }
  for (const { key, raw } of tables.cancel.entriesRaw({})) {
    if (key.length !== 16 || key.readUInt32BE(4) !== epoch || !raw.intact) continue;
    try {
      yield decodeRange(offsetOfCancelKey(key), raw.value);
    } catch {
      // Has a finding of its own.
    }
  }
}

function startOf(value: Buffer): (Place & { readonly epoch: number }) | undefined {
  try {
    const { start } = JSON.parse(value.toString('utf8')) as {
      start?: Partial<Place & { epoch: number }>;
    };
    const { offset, index, text, epoch = 0 } = start ?? {};
    if (offset === undefined || index === undefined || text === undefined) return undefined;
    return [offset, index, text].every(Number.isSafeInteger)
      ? { offset, index, text, epoch }
      : undefined;
  } catch {
    return undefined;
  }
}
