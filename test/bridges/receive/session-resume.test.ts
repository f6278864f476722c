/** Streams that a copy has in part or in whole: what is applied again, told again, and what is not. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { timeFromNanoseconds } from '../../../src/base/time.js';
import type { Frame } from '../../../src/bridges/stream/frame.js';
import { MemoryTarget } from './memory-target.js';
import { message, receiveFrames } from './run-session.js';
import {
  commit,
  END,
  fid,
  header,
  lost,
  made,
  place,
  records,
  smallBaseline,
  smallStream,
  TIME,
} from './sample-stream.js';

/** A copy of a batch from record 10 on, of which the records before `applied` are in it. */
function stoppedAt(applied: number): MemoryTarget {
  const target = MemoryTarget.at(10);
  if (target.progress !== undefined) target.progress = { ...target.progress, applied };
  return target;
}

test('stopped inside a batch: it goes on with the first record that is missing', async () => {
  for (let applied = 10; applied <= 15; applied++) {
    const target = stoppedAt(applied);
    const outcome = await receiveFrames(target, smallStream());
    assert.is(outcome.refused, undefined, String(applied));
    assert.equal(
      target.indices,
      [10, 11, 12, 13, 14].filter((index) => index >= applied),
    );
    assert.equal(target.progress?.place, place(15));
    assert.equal(outcome.durable.at(-1), place(15));
  }
  const last = stoppedAt(14);
  await receiveFrames(last, smallStream());
  assert.equal(last.kept, [`${fid(1)}@0:won`]);
});

test('a stream that begins inside that batch is as good, one behind it has a gap', async () => {
  const from = (index: number): readonly Frame[] => [
    { kind: 'header', header: header('records', index) },
    records(made(index, 5)),
    commit(index, index + 1),
    END,
  ];
  const inside = stoppedAt(13);
  assert.is((await receiveFrames(inside, from(13))).refused, undefined);
  assert.equal(inside.indices, [13]);
  const behind = await receiveFrames(stoppedAt(13), from(14));
  assert.match(message(behind), /records 13 to 13 are missing.*new baseline.*receive that first/);
});

test('what the copy has is said to be on disk, as far as the stream goes', async () => {
  const ahead = MemoryTarget.at(20);
  assert.equal((await receiveFrames(ahead, smallStream())).durable, [place(15)]);
  assert.equal(ahead.batches, []);
  const even = MemoryTarget.at(15);
  assert.equal((await receiveFrames(even, smallStream())).durable, [place(15)]);
});

test('lost records that the copy has are no loss', async () => {
  const stream: readonly Frame[] = [
    { kind: 'header', header: header('records', 10) },
    records(made(10, 1), lost(12), made(13, 2)),
    commit(10, 14),
    END,
  ];
  const target = stoppedAt(13);
  assert.is((await receiveFrames(target, stream)).refused, undefined);
  assert.equal(target.indices, [13]);
  assert.match(
    message(await receiveFrames(stoppedAt(12), stream)),
    /2 of records 11 to 12 are lost/,
  );
});

test('an older baseline of a stream begun later is of a source that was put back', async () => {
  const begun = timeFromNanoseconds(header('baseline').time);
  for (const [time, isApplied] of [
    [{ ...begun, sec: begun.sec - 1 }, true],
    [begun, false],
    [{ ...begun, sec: begun.sec + 1 }, false],
  ] as const) {
    const target = MemoryTarget.at(20);
    if (target.progress !== undefined) target.progress = { ...target.progress, time };
    const outcome = await receiveFrames(target, smallBaseline());
    assert.is(outcome.refused, undefined);
    assert.is(target.calls[0] === 'begin', isApplied);
    assert.is(target.progress?.place.index, isApplied ? 12 : 20);
  }
});

test('a copy knows the time of its last change, or of the stream that brought it', async () => {
  const target = MemoryTarget.at(10);
  await receiveFrames(target, smallStream());
  assert.equal(target.times, [TIME]);
  const later = smallStream().map((frame): Frame => {
    if (frame.kind !== 'header') return frame;
    return { ...frame, header: { ...frame.header, time: '1700000009000000000' } };
  });
  const second = MemoryTarget.at(10);
  await receiveFrames(second, later);
  assert.equal(second.times, [{ sec: 1_700_000_009, nsec: 0 }]);
});

test.run();
