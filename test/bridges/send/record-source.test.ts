/** Records in batches: whole transactions, at most so much, each exactly once, and what goes with them. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import {
  BATCH_RECORDS_MAX,
  CHUNK_BYTES,
  COMMIT_RECORD_BYTES_MAX,
  COMMIT_RECORDS_MAX,
} from '../../../src/bridges/send/limits.js';
import type { RecordBatch } from '../../../src/bridges/send/record-batch.js';
import { RecordSource } from '../../../src/bridges/send/record-source.js';
import { SendError } from '../../../src/bridges/send/send-error.js';
import type { FeedRecord } from '../../../src/feed/record.js';
import { decodeRecord } from '../../../src/feed/record-codec.js';
import {
  FakeLog,
  fidOf,
  long,
  lost,
  type Sketch,
  START_INDEX,
  startPlace,
  unlink,
  write,
} from './fake-log.js';

/** A batch whose bytes stay. */
interface Kept extends Omit<RecordBatch, 'parts'> {
  readonly bytes: Buffer;
  readonly partBytes: readonly number[];
}

async function nextKept(source: RecordSource): Promise<Kept | undefined> {
  const batch = await source.next();
  if (batch === undefined) return undefined;
  const { parts, ...rest } = batch;
  return { ...rest, bytes: Buffer.concat(parts), partBytes: parts.map(({ length }) => length) };
}

async function drain(source: RecordSource): Promise<Kept[]> {
  const batches: Kept[] = [];
  for (let next = await nextKept(source); next !== undefined; next = await nextKept(source)) {
    batches.push(next);
  }
  return batches;
}

function recordsOf(bytes: Buffer): FeedRecord[] {
  const records: FeedRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    const { record, size } = decodeRecord(bytes, at);
    records.push(record);
    at += size;
  }
  return records;
}

function transnosOf(bytes: Buffer): number[] {
  return recordsOf(bytes).map(({ transno }) => transno);
}

function indicesOf(bytes: Buffer): number[] {
  return recordsOf(bytes).map(({ index }) => index);
}

function file(transno: number): Sketch {
  return write(transno, fidOf(1), { offset: 0, length: 1 });
}

test('what is there makes one batch that says where it leads', async () => {
  const log = new FakeLog();
  const source = new RecordSource(log, startPlace());
  assert.is(await source.next(), undefined);
  const bytes = log.add(file(1), unlink(2, fidOf(9)));
  const batch = must(await nextKept(source), 'batch');
  assert.equal(batch.bytes, bytes);
  assert.equal(batch.to, log.end);
  assert.equal(
    [batch.records, indicesOf(batch.bytes)[0], batch.isGapless, batch.transno, batch.time],
    [2, START_INDEX, true, 2, '1700000000000000002'],
  );
  assert.is(await source.next(), undefined);
  source.close();
  assert.ok(log.closed);
});

test('records of other feeds between ours leave a gap in the indices, and nothing else', async () => {
  const log = new FakeLog();
  const source = new RecordSource(log, startPlace());
  log.skip(2, 160);
  const first = log.add(file(1));
  log.skip(3, 400);
  const second = log.add(file(2));
  const batch = must(await nextKept(source), 'batch');
  assert.equal(batch.bytes, Buffer.concat([first, second]));
  assert.equal([indicesOf(batch.bytes)[0], batch.isGapless], [START_INDEX + 2, false]);
  assert.equal(batch.to, log.end);
  log.add(file(3));
  assert.is(must(await nextKept(source), 'batch').isGapless, true);
});

test('any transactions, read in pieces of any size, are cut only between them', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(
      sizes,
      fc.integer({ min: 1, max: 5 }),
      fc.nat(1_000),
      async (counts, every, extra) => {
        const log = new FakeLog();
        // Cuts reads inside records; no record is longer.
        log.readBytes = 65_536 + 1_024 + 8 * extra;
        const expected: number[] = [];
        counts.forEach((count, transno) => {
          const records = Array.from({ length: count }, () =>
            transno % every === 0 ? long(transno, 60_000) : file(transno),
          );
          log.add(...records);
          expected.push(...records.map(() => transno));
        });
        const batches = await drain(new RecordSource(log, startPlace()));
        const lists = batches.map(({ bytes }) => transnosOf(bytes));
        assert.equal(lists.flat(), expected);
        for (const [i, list] of lists.entries()) {
          assert.is.not(list.at(-1), lists[i + 1]?.[0], 'a transaction is in two batches');
          assert.is(batches[i]?.records, list.length);
        }
        assert.equal(batches.at(-1)?.to, log.end);
      },
    ),
    { numRuns: 60 },
  );
});

test('a batch has a bounded number of records and bytes', async () => {
  const log = new FakeLog();
  log.add(...Array.from({ length: 3 * BATCH_RECORDS_MAX }, (_, i) => file(i)));
  const counts = (await drain(new RecordSource(log, startPlace()))).map(({ records }) => records);
  assert.ok(counts.length >= 3);
  // One more read may have been under way.
  assert.ok(Math.max(...counts) <= BATCH_RECORDS_MAX + 3_000, `${counts}`);
  const large = new FakeLog();
  large.add(...Array.from({ length: 100 }, (_, i) => long(i, 60_000)));
  for (const { partBytes } of await drain(new RecordSource(large, startPlace()))) {
    assert.is(partBytes.length, 1);
    assert.ok(must(partBytes[0], 'bytes') <= CHUNK_BYTES);
  }
});

test('one long transaction is in one batch, in frames of bounded length', async () => {
  const log = new FakeLog();
  log.add(file(1), ...Array.from({ length: 50 }, () => long(2, 60_000)), file(3));
  const batches = await drain(new RecordSource(log, startPlace()));
  const lists = batches.map(({ bytes }) => transnosOf(bytes));
  assert.equal(lists.flat(), [1, ...Array<number>(50).fill(2), 3]);
  const parts = batches.flatMap(({ partBytes }) => partBytes);
  assert.ok(parts.length >= 3 && Math.max(...parts) <= CHUNK_BYTES, `${parts}`);
  log.add(file(4));
});

test('a transaction that goes on for ever is refused, before a receiver would', async () => {
  const log = new FakeLog();
  const many = Array.from({ length: COMMIT_RECORDS_MAX }, () => unlink(1, fidOf(1)));
  log.add(...many);
  const batches = await drain(new RecordSource(log, startPlace()));
  assert.equal(
    batches.map(({ records }) => records),
    [COMMIT_RECORDS_MAX],
  );
  log.add(unlink(1, fidOf(1)));
  await refused(new RecordSource(log, startPlace()), 'records', /transaction 1 has no end/);
  const large = new FakeLog();
  large.add(...Array.from({ length: COMMIT_RECORD_BYTES_MAX / 60_000 + 1 }, () => long(2, 60_000)));
  await refused(new RecordSource(large, startPlace()), 'records', /transaction 2 has no end/);
});

test('records before the first that is wanted are left out, though they lie behind the place', async () => {
  const log = new FakeLog();
  // A copy that was killed inside a batch names its beginning, and the record that comes next.
  log.add(file(1), lost(2), write(3, fidOf(3), { offset: 0, length: 1 }), file(4));
  const from = { ...startPlace(), index: START_INDEX + 2 };
  const batch = must(await nextKept(new RecordSource(log, from)), 'batch');
  assert.equal(indicesOf(batch.bytes), [START_INDEX + 2, START_INDEX + 3]);
  assert.equal([batch.records, batch.isGapless, batch.to], [2, true, log.end]);
  const nothing = new RecordSource(log, { ...startPlace(), index: START_INDEX + 4 });
  assert.is(await nothing.next(), undefined);
  log.add(file(5));
  assert.equal(indicesOf(must(await nextKept(nothing), 'batch').bytes), [START_INDEX + 4]);
});

test('lost records, and bytes that are no record, are refused', async () => {
  const log = new FakeLog();
  log.add(lost(1));
  await refused(new RecordSource(log, startPlace()), 'incomplete', /lost 9 records \(1 to 9\)/);
  const foreign = new FakeLog();
  foreign.add(file(1));
  const place = { ...startPlace(), offset: startPlace().offset + 8 };
  await refused(new RecordSource(foreign, place), 'records', /byte 4104.*new baseline.*--baseline/);
});

async function refused(source: RecordSource, kind: string, message: RegExp): Promise<void> {
  try {
    await source.next();
    assert.unreachable();
  } catch (error) {
    assert.instance(error, SendError);
    assert.is((error as SendError).kind, kind);
    assert.match((error as SendError).message, message);
  }
}

test('waiting ends with more, with the end, or when told to', async () => {
  const log = new FakeLog();
  const source = new RecordSource(log, startPlace());
  const stop = new AbortController();
  log.onWait = () => log.add(file(1));
  assert.is(await source.wait(stop.signal), 'more');
  assert.is((await nextKept(source))?.records, 1);
  log.onWait = () => stop.abort();
  assert.is(await source.wait(stop.signal), 'aborted');
  log.onWait = undefined;
  // What came with the end is read before it counts.
  log.add(file(2));
  log.finish();
  const { signal } = new AbortController();
  assert.is(await source.wait(signal), 'more');
  assert.is((await nextKept(source))?.records, 1);
  assert.is(await source.next(), undefined);
  assert.is(await source.wait(signal), 'ended');
});

test('behind records of other feeds it waits, too', async () => {
  const log = new FakeLog();
  const source = new RecordSource(log, startPlace());
  log.skip(3, 160);
  assert.is(await source.next(), undefined);
  let waits = 0;
  log.onWait = () => {
    waits += 1;
    log.add(file(1));
  };
  assert.is(await source.wait(new AbortController().signal), 'more');
  assert.is(waits, 1);
  const batch = must(await nextKept(source), 'batch');
  assert.is(indicesOf(batch.bytes)[0], START_INDEX + 3);
});

test.run();
