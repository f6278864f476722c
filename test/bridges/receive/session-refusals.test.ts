/** Streams that do not fit the copy, or that are wrong though every frame of them is whole. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Frame } from '../../../src/bridges/stream/frame.js';
import { MemoryTarget } from './memory-target.js';
import { message, receiveFrames } from './run-session.js';
import {
  commit,
  data,
  END,
  header,
  lost,
  made,
  place,
  records,
  smallBaseline,
  smallStream,
  written,
} from './sample-stream.js';

const REFUSED: readonly (readonly [string, MemoryTarget, readonly Frame[], RegExp])[] = [
  [
    'a gap',
    MemoryTarget.at(8),
    smallStream(),
    /records 8 to 9 are missing.*new baseline.*receive that first/,
  ],
  ['no baseline yet', new MemoryTarget(), smallStream(), /no baseline yet.*feedfs send FEED/],
  [
    'an incomplete baseline',
    withProgress({ baseline: 'running' }),
    smallStream(),
    /not complete.*new baseline/,
  ],
  [
    'another filesystem',
    withProgress({ filesystem: 'ff' }),
    smallStream(),
    /is a copy of ff.*another directory/,
  ],
  [
    'another filesystem’s baseline',
    withProgress({ filesystem: 'ff' }),
    smallBaseline(),
    /copy of ff/,
  ],
  ['another feed', withProgress({ feed: 8 }), smallStream(), /feed copy \(id 7\).*id 8.*baseline/],
  [
    'another history',
    withProgress({ place: { ...place(10), offset: 9_999 } }),
    smallStream(),
    /another history.*baseline/,
  ],
  [
    'lost records',
    MemoryTarget.at(10),
    [{ kind: 'header', header: header('records', 10) }, records(lost(10)), commit(10, 11), END],
    /2 of records 9 to 10 are lost.*new baseline/,
  ],
];

function withProgress(change: Partial<NonNullable<MemoryTarget['progress']>>): MemoryTarget {
  const target = MemoryTarget.at(10);
  if (target.progress !== undefined) target.progress = { ...target.progress, ...change };
  return target;
}

for (const [name, target, frames, expected] of REFUSED) {
  test(`refused, and the target untouched: ${name}`, async () => {
    const outcome = await receiveFrames(target, frames);
    assert.match(message(outcome), expected);
    assert.equal(target.calls, []);
    assert.equal(outcome.durable, []);
  });
}

/** Frames between the header and the first commit's end that are wrong in themselves. */
const DAMAGED: readonly (readonly [string, readonly Frame[], RegExp])[] = [
  [
    'an index again',
    [records(made(10, 1), made(10, 2)), commit(10, 12)],
    /record 10 after record 10/,
  ],
  ['an index before the commit', [records(made(9, 1)), commit(10, 12)], /record 9 after/],
  ['an index behind the commit', [records(made(12, 1)), commit(10, 12)], /up to record 12 after/],
  [
    'a change before the last',
    [records(made(10, 1, 5), made(11, 2, 4)), commit(10, 12)],
    /change 4/,
  ],
  ['a commit of an older change', [records(made(10, 1, 50)), commit(10, 11, 49)], /change 49/],
  [
    'records behind contents',
    [records(written(10, 1)), data(1, 'one'), records(written(11, 1)), commit(10, 12)],
    /records behind their contents/,
  ],
  [
    'a name that leads out',
    [records({ ...made(10, 1), name: '..' } as ReturnType<typeof made>), commit(10, 11)],
    /"\.\."/,
  ],
  [
    'a name with a slash',
    [records({ ...made(10, 1), name: 'a/b' } as ReturnType<typeof made>), commit(10, 11)],
    /"a\/b"/,
  ],
  [
    'bytes that are no record',
    [{ kind: 'records', bytes: Buffer.alloc(64, 1) }, commit(10, 11)],
    /damaged: a record/,
  ],
];

for (const [name, frames, expected] of DAMAGED) {
  test(`damaged: ${name}`, async () => {
    const target = MemoryTarget.at(10);
    const start: Frame = { kind: 'header', header: header('records', 10) };
    const outcome = await receiveFrames(target, [start, ...frames, END]);
    assert.match(message(outcome), expected);
    assert.match(message(outcome), /byte \d+ \(frame \d+\)/);
    assert.equal(target.calls, []);
  });
}

test('a transaction that is split over two commits', async () => {
  const target = MemoryTarget.at(10);
  const outcome = await receiveFrames(target, [
    { kind: 'header', header: header('records', 10) },
    records(made(10, 1, 10)),
    commit(10, 11, 10),
    records(made(11, 2, 10)),
    commit(11, 12, 10),
    END,
  ]);
  assert.match(message(outcome), /change 10 \(record 11\) after change 10/);
  assert.equal(target.indices, [10]);
});

test.run();
