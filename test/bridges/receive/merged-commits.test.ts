/**
 * However the commits of a stream are merged, and wherever receivers are killed, files that
 * are written and cut come out as they are at the source.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Target } from '../../../src/bridges/receive/target.js';
import type { Frame } from '../../../src/bridges/stream/frame.js';
import { Random } from '../../support/random.js';
import { Copying } from './directory/copying.js';
import { ItemCopy, Killed } from './item-copy.js';
import { message, receive } from './run-session.js';
import { fid, frameBytes } from './sample-stream.js';
import { FILES, WrittenFiles } from './written-files.js';

const RUNS = Number(process.env.FEEDFS_RUNS ?? 100);
const RECORDS = 40;

/** Some frames at a time: those that are there together may be merged. */
async function* inPieces(frames: readonly Frame[], random: Random): AsyncGenerator<Uint8Array> {
  const bytes = frameBytes(frames);
  while (bytes.length > 0) {
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    yield Buffer.concat(bytes.splice(0, 1 + random.below(random.chance(30) ? bytes.length : 12)));
  }
}

async function received(target: Target, frames: readonly Frame[], random: Random): Promise<void> {
  const outcome = await receive(target, inPieces(frames, random));
  assert.is(outcome.refused, undefined, message(outcome));
}

/** The stream from its beginning, or what a sender sends that asks the copy where it is. */
function again(source: WrittenFiles, target: Target, whole: readonly Frame[], random: Random) {
  const { progress } = target;
  return progress?.baseline === 'complete' && random.chance(50)
    ? source.rest(progress.place.index)
    : whole;
}

test('a feedfs, killed after any item', async () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const random = new Random(seed);
    const source = new WrittenFiles(random, RECORDS);
    const whole = source.whole();
    const copy = new ItemCopy();
    for (let frames = whole, isDone = false; !isDone; ) {
      copy.left = random.chance(70) ? random.below(40) : Number.POSITIVE_INFINITY;
      try {
        await received(copy, frames, random);
        isDone = copy.progress?.place.index === source.end;
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      }
      frames = again(source, copy, whole, random);
    }
    for (const [n, bytes] of source.contents) {
      assert.equal(copy.files.get(fid(n)), bytes, `file ${n} (seed ${seed})`);
    }
  }
});

test('a directory, killed in any step', async () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const random = new Random(seed);
    const source = new WrittenFiles(random, RECORDS);
    const whole = source.whole();
    const copying = new Copying({ random });
    let frames = whole;
    const killAt = () => (random.chance(60) ? random.below(30) : undefined);
    const work = async (target: Target): Promise<void> => {
      await received(target, again(source, target, frames, random), random);
      frames = target.progress?.place.index === source.end ? [] : whole;
    };
    while (frames.length > 0) await copying.receive(work, killAt());
    for (const n of FILES) {
      const bytes = copying.disk.root.entries.get(`file-${n}`)?.contents;
      assert.equal(bytes, source.contents.get(n), `file ${n} (seed ${seed})`);
    }
    copying.close();
  }
});

test.run();
