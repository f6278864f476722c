import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Frame } from '../../../src/bridges/stream/frame.js';
import type { BaselineEntry } from '../../../src/rpc/baseline.js';
import { MemoryTarget } from './memory-target.js';
import { message, receive, receiveFrames } from './run-session.js';
import {
  baselineHead,
  commit,
  data,
  END,
  entries,
  fid,
  file,
  frameBytes,
  header,
  made,
  opened,
  place,
  ROOT,
  records,
  smallBaseline,
  smallStream,
} from './sample-stream.js';

/** Commits of smallStream: each with the records before it. */
const COMMITS = [[10, 11], [12], [13, 14]];

/** The bytes of each frame, until a frame at a time is asked for. */
async function* oneByOne(frames: readonly Frame[]): AsyncGenerator<Uint8Array> {
  for (const bytes of frameBytes(frames)) {
    // A sender that has nothing more just now.
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    yield bytes;
  }
}

test('commits that are there already become one batch, put on disk once', async () => {
  const target = MemoryTarget.at(10);
  const outcome = await receiveFrames(target, smallStream());
  assert.is(outcome.refused, undefined);
  assert.equal(target.batches, [[10, 11, 12, 13, 14]]);
  assert.equal(target.places, [[10, 15]]);
  assert.equal(target.kept, [`${fid(1)}@0:one`, `${fid(2)}@0:two`, `${fid(1)}@0:won`]);
  assert.equal(target.calls, ['apply', 'flush']);
  assert.equal(outcome.durable, [place(15)]);
  assert.is(outcome.counts.records, 5);
  assert.is(outcome.counts.objects, 2);
});

test('a sender that pauses has each commit applied and on disk at once', async () => {
  const target = MemoryTarget.at(10);
  const outcome = await receive(target, oneByOne(smallStream()));
  assert.equal(target.batches, COMMITS);
  assert.equal(outcome.durable, [place(12), place(13), place(15)]);
});

test('a baseline: objects before their contents, names, its end, then the changes', async () => {
  const target = new MemoryTarget();
  const outcome = await receiveFrames(target, smallBaseline());
  assert.is(outcome.refused, undefined);
  const order = ['begin', 'objects 4', 'contents', 'names 1', 'end', 'apply', 'flush'];
  assert.equal(target.calls, order);
  assert.equal(target.batches, [[10, 11]]);
  assert.equal(outcome.durable, [place(12)]);
  assert.is(outcome.counts.objects, 6);
});

test('contents of an object come before its extended attributes: they wait for those', async () => {
  const target = new MemoryTarget();
  const color = { name: 'user.color', value: Buffer.from('red') };
  const xattr = (value: { name: string; value: Buffer }): BaselineEntry => ({
    kind: 'xattr',
    fid: fid(2),
    ...value,
  });
  const outcome = await receiveFrames(target, [
    { kind: 'header', header: header('baseline') },
    entries(baselineHead(10, 3), ROOT, file(1, 'elsewhere'), {
      ...file(2, 'elsewhere'),
      xattrs: 2,
    }),
    data(1, 'one'),
    data(2, 'two'),
    entries(xattr(color)),
    data(2, 'TWO'),
    entries(xattr({ ...color, name: 'user.more' }), { kind: 'end', objects: 3, names: 0 }),
    commit(undefined, 10),
    END,
  ]);
  assert.is(outcome.refused, undefined);
  assert.equal(target.objectFids, [ROOT.fid, fid(1), fid(2)]);
  assert.equal(target.kept, [`${fid(1)}@0:one`, `${fid(2)}@0:two`, `${fid(2)}@0:TWO`]);
  const order = ['begin', 'objects 2', 'contents', 'objects 1', 'contents', 'contents', 'end'];
  assert.equal(target.calls, [...order, 'flush']);
});

test('cut off at every byte: whole commits are applied, on disk and confirmed, and nothing else', async () => {
  const frames = frameBytes(smallStream());
  const bytes = Buffer.concat(frames);
  const ends = endsOfCommits(frames);
  for (let length = 0; length < bytes.length; length++) {
    const target = MemoryTarget.at(10);
    const outcome = await receive(target, [bytes.subarray(0, length)]);
    assert.match(message(outcome), /broke off|it ends at its beginning/, `${length} bytes`);
    const whole = ends.filter((end) => end <= length).length;
    assert.equal(target.indices, COMMITS.slice(0, whole).flat(), `${length} bytes`);
    const places = [place(12), place(13), place(15)].slice(0, whole).slice(-1);
    assert.equal(outcome.durable, places, `${length} bytes`);
  }
});

test('a flipped bit anywhere is found, and what is whole before it is applied', async () => {
  const frames = frameBytes(smallStream());
  const bytes = Buffer.concat(frames);
  const ends = endsOfCommits(frames);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const at = bit >>> 3;
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(bytes.readUInt8(at) ^ (1 << (bit & 7)), at);
    const target = MemoryTarget.at(10);
    const outcome = await receive(target, [flipped]);
    assert.ok(outcome.refused !== undefined, `bit ${bit}`);
    const whole = ends.filter((end) => end <= at).length;
    assert.equal(target.indices, COMMITS.slice(0, whole).flat(), `bit ${bit}`);
  }
});

test('a baseline that is cut off anywhere is never taken for complete', async () => {
  const frames = frameBytes(smallBaseline());
  const bytes = Buffer.concat(frames);
  const end = Buffer.concat(frames.slice(0, 5)).length;
  for (let length = 0; length < bytes.length; length++) {
    const target = new MemoryTarget();
    const outcome = await receive(target, [bytes.subarray(0, length)]);
    assert.match(message(outcome), /broke off|it ends at its beginning/);
    const isComplete = target.progress?.baseline === 'complete';
    assert.is(isComplete, length >= end, `${length} bytes`);
    if (!isComplete) assert.equal(outcome.durable, []);
  }
});

test('frames that are repeated, left out or exchanged', async () => {
  const frames = frameBytes(smallStream());
  const ends = endsOfCommits(frames);
  for (let i = 1; i < frames.length; i++) {
    const [before, frame, after] = [
      frames.slice(0, i),
      frames.slice(i, i + 1),
      frames.slice(i + 1),
    ];
    const variants = [
      [...before, ...frame, ...frame, ...after],
      [...before, ...after],
      [...before, ...after.slice(0, 1), ...frame, ...after.slice(1)],
    ];
    for (const [n, variant] of variants.entries()) {
      const isLast = i === frames.length - 1;
      if (isLast && n === 2) continue;
      const target = MemoryTarget.at(10);
      const outcome = await receive(target, [Buffer.concat(variant)]);
      assert.match(message(outcome), isLast && n === 1 ? /broke off/ : /out of order/, `${i} ${n}`);
      const good = Buffer.concat(before).length + (n === 0 ? (frame[0]?.length ?? 0) : 0);
      const whole = ends.filter((end) => end <= good).length;
      assert.equal(target.indices, COMMITS.slice(0, whole).flat(), `${i} ${n}`);
    }
  }
});

test('a stream that was received before changes nothing', async () => {
  const target = MemoryTarget.at(10);
  await receiveFrames(target, smallStream());
  const outcome = await receiveFrames(target, smallStream());
  assert.is(outcome.refused, undefined);
  assert.equal(target.batches.length, 1);
  assert.is(target.progress?.place.index, 15);
});

test('what the copy has of a commit is left out, with the contents that go with it', async () => {
  const target = MemoryTarget.at(14);
  const outcome = await receiveFrames(target, smallStream());
  assert.is(outcome.refused, undefined);
  assert.equal(target.batches, [[14]]);
  assert.equal(target.places, [[14, 15]]);
  assert.equal(target.kept, [`${fid(1)}@0:won`]);
});

test('an older baseline of the same feed is passed over, and its changes go on', async () => {
  const target = MemoryTarget.at(11);
  const outcome = await receiveFrames(target, smallBaseline());
  assert.is(outcome.refused, undefined);
  assert.equal(target.calls, ['apply', 'flush']);
  assert.equal(target.batches, [[11]]);
  assert.match(outcome.notices.join(), /has this baseline/);
});

test('a baseline at the place where the copy is repairs it', async () => {
  const target = MemoryTarget.at(10);
  await receiveFrames(target, smallBaseline());
  assert.is(target.calls[0], 'begin');
});

test('a batch that was begun ends exactly where it did, though commits end elsewhere', async () => {
  for (const end of [11, 12, 13, 14, 15]) {
    const target = MemoryTarget.at(10);
    target.interrupted = place(end);
    const outcome = await receive(target, oneByOne(smallStream()));
    assert.is(outcome.refused, undefined, String(end));
    assert.equal(target.places[0], [10, end]);
    assert.equal(target.indices, [10, 11, 12, 13, 14]);
    assert.is(target.progress?.place.index, 15);
  }
});

test('both parts of a cut commit have its contents', async () => {
  const target = MemoryTarget.at(10);
  target.interrupted = place(14);
  await receiveFrames(target, smallStream());
  const one = `${fid(1)}@0:one`;
  const won = `${fid(1)}@0:won`;
  const two = `${fid(2)}@0:two`;
  assert.equal(target.batches, [[10, 11, 12, 13], [14]]);
  // The second batch needs the last state of file 1 only; more of it does no harm.
  assert.equal(target.kept, [one, two, won, one, won]);
});

test('a stream that ends before a batch that was begun applies nothing', async () => {
  const target = MemoryTarget.at(10);
  target.interrupted = place(20);
  const outcome = await receiveFrames(target, smallStream());
  assert.match(message(outcome), /ends before record 20/);
  assert.match(message(outcome), /feedfs send FEED --from last/);
  assert.equal(target.batches, []);
  assert.equal(outcome.durable, []);
});

test('accesses are left out', async () => {
  const target = MemoryTarget.at(10);
  const outcome = await receiveFrames(target, [
    { kind: 'header', header: header('records', 10) },
    records(opened(10, 1), made(11, 1), opened(12, 1)),
    commit(10, 13, 12),
    END,
  ]);
  assert.is(outcome.refused, undefined);
  assert.equal(target.batches, [[11]]);
  assert.is(target.progress?.place.index, 13);
});

test('what the target cannot do is its error, not the stream’s', async () => {
  const target = MemoryTarget.at(10);
  target.failure = new Error('the target is full');
  try {
    await receiveFrames(target, smallStream());
    assert.unreachable();
  } catch (error) {
    assert.match(String(error), /the target is full/);
  }
  assert.equal(target.calls, []);
});

/** How many bytes of the stream the end of each commit is behind. */
function endsOfCommits(frames: readonly Uint8Array[]): number[] {
  const ends: number[] = [];
  let bytes = 0;
  for (const [i, { kind }] of smallStream().entries()) {
    bytes += frames[i]?.length ?? 0;
    if (kind === 'commit') ends.push(bytes);
  }
  return ends;
}

test.run();
