// test-timeout: 240 s
/**
 * A feedfs whose receiver was killed behind any item of a batch of two commits that both write
 * the same file: it goes on with the same stream, and with what a sender sends that asks it.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ReplicaFile, readReplicaState } from '../../src/bridges/receive/feedfs/replica-file.js';
import { encodeFrame } from '../../src/bridges/stream/codec.js';
import type { Frame } from '../../src/bridges/stream/frame.js';
import { StreamReader } from '../../src/bridges/stream/reader.js';
import { assertIdentical, quiesce, receiveBytes, streamOf } from '../clone/cloning.js';
import { MAIN, type TestMount } from '../support/mount.js';
import { run } from '../support/processes.js';
import { FEED, itemsOf, LAST, told, withPair } from './receive-feedfs-fixture.js';

const SIZE = 40_000;

async function framesOf(stream: Buffer): Promise<Frame[]> {
  const reader = new StreamReader(
    (async function* () {
      yield stream;
    })(),
  );
  const frames: Frame[] = [];
  for await (const { frame } of reader) frames.push(structuredClone(frame));
  return frames;
}

/** One stream of two commits, as of a sender that followed. */
async function twoCommits({ mnt }: TestMount, changes: readonly (() => void)[]): Promise<Buffer> {
  const frames: Frame[] = [];
  let args: readonly string[] = LAST;
  for (const change of changes) {
    change();
    quiesce(mnt);
    const [header, ...more] = await framesOf(await streamOf({ mnt, feed: FEED, args }));
    const body = more.filter(({ kind }) => kind !== 'end' && kind !== 'idle');
    const last = body.at(-1);
    if (header === undefined || last?.kind !== 'commit') throw new Error('no commit at its end');
    frames.push(...(frames.length === 0 ? [header] : []), ...body);
    args = ['--from', String(last.to.index)];
  }
  frames.push({ kind: 'end' });
  const encoded = frames.flatMap((frame, i) => encodeFrame(frame, i, { compress: false }));
  return Buffer.concat(encoded);
}

/** Changes of one file, with a size that goes down and up in between. */
function changesOf(path: string, round: number): readonly (() => void)[] {
  const put = (offset: number, length: number, value: number): void => {
    const fd = fs.openSync(path, 'r+');
    fs.writeSync(fd, Buffer.alloc(length, value), 0, length, offset);
    fs.fsyncSync(fd);
    fs.closeSync(fd);
  };
  return [
    () => {
      put(0, 100, round);
      put(30_000, 10_000, round + 50);
      fs.truncateSync(path, 35_000);
      put(SIZE - 10, 10, round + 100);
    },
    () => {
      put(20_000, 100, round + 150);
      fs.truncateSync(path, 32_000);
      fs.truncateSync(path, SIZE);
      put(50, 100, round + 200);
    },
  ];
}

async function sentTo(source: TestMount, copy: TestMount): Promise<string> {
  const command = `${process.execPath} ${MAIN} receive ${copy.mnt} --json`;
  const args = ['send', FEED, '-m', source.mnt, '--once', '--to', command];
  const env = { ...process.env, XDG_STATE_HOME: join(source.folder, 'state-home') };
  const { code, stderr } = await run(process.execPath, [MAIN, ...args], { env, timeoutMs: 60_000 });
  return `${code}: ${stderr}`;
}

for (const way of ['the same stream', 'send --to'] as const) {
  test(`killed behind each item, and gone on with ${way}`, () =>
    withPair(async (source, copy) => {
      const path = join(source.mnt, 'file');
      fs.writeFileSync(path, Buffer.alloc(SIZE, 1));
      quiesce(source.mnt);
      assert.match(await sentTo(source, copy), /^0:/);
      for (let cut = 0, count = 1; cut < count; cut++) {
        const stream = await twoCommits(source, changesOf(path, cut));
        const items = await itemsOf(stream, copy);
        count = items.length;
        const before = readReplicaState(copy.mnt)?.source;
        const file = new ReplicaFile(copy.mnt);
        for (const item of items.slice(0, cut)) file.add(item);
        file.send();
        file.close();
        assert.equal(readReplicaState(copy.mnt)?.source?.place, before?.place);
        if (way === 'send --to') assert.match(await sentTo(source, copy), /^0:/, `item ${cut}`);
        else {
          const received = await receiveBytes(stream, copy.mnt);
          assert.is(received.code, 0, `item ${cut}: ${told(received)}`);
        }
        const isSame = fs.readFileSync(join(copy.mnt, 'file')).equals(fs.readFileSync(path));
        assert.ok(isSame, `item ${cut}`);
        if (cut % 6 === 0) await assertIdentical(source.mnt, copy.mnt);
      }
    }));
}

test.run();
