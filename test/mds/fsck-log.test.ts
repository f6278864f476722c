/** Damage in the log: fsck names it, and readers lose what is damaged and nothing else. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { nameFromText } from '../../src/base/name.js';
import { type FsckReport, fsckStore } from '../../src/mds/fsck.js';
import type { FeedChunk, FeedView } from '../../src/rpc/messages.js';
import { Store } from '../../src/store/store.js';
import { Bench, flipBits, makeStore, tamper, withTemp } from '../support/damage.js';

const BLOCKS = 4;
const RECORDS = 5;
const HEAD_BYTES = 48;

/** A store whose log has a few blocks of a few records each. */
async function withLog(use: (path: string) => Promise<void>): Promise<void> {
  await withTemp(async (folder) => {
    const path = join(folder, 'store');
    await makeStore(path, async (bench) => {
      await bench.call('feedCreate', { name: nameFromText('feed') });
      for (let block = 0; block < BLOCKS; block++) {
        for (let i = 0; i < RECORDS; i++) bench.file(`name-${block}-${i}`);
        await bench.settle();
      }
    });
    await use(path);
  });
}

/** The stored block with that number. */
async function blockOf(path: string, number: number): Promise<Buffer> {
  const store = Store.open(path, { create: false });
  const keys = [...store.tables.log.keys({})];
  const raw = store.tables.log.getRaw(Buffer.from(must(keys[number], 'block')));
  const bytes = Buffer.from(must(raw, 'block').value);
  await store.close();
  return bytes;
}

interface Drained {
  readonly bytes: number;
  readonly failures: number;
  /** Bytes that the feed says it owes. */
  readonly owed: number;
}

/** Reads all that a feed owes, with a small buffer. */
async function drain(path: string, view: FeedView): Promise<Drained> {
  const bench = new Bench(path);
  const status = (await bench.call('feedStatus', { id: 1, view })) as { owed: number };
  const into = Buffer.alloc(1_000);
  let bytes = 0;
  let failures = 0;
  for (let cursor = 0; ; ) {
    const chunk = await bench
      .call('feedNext', { id: 1, view, epoch: 0, cursor, into })
      .then((result) => result as FeedChunk)
      .catch(() => undefined);
    if (chunk === undefined) break;
    assert.ok(chunk.cursor > cursor, 'the reader gets on');
    cursor = chunk.cursor;
    bytes += chunk.length;
    if (chunk.damaged) failures++;
  }
  await bench.close();
  return { bytes, failures, owed: status.owed };
}

function kinds({ findings }: FsckReport): string[] {
  return findings.map(({ kind }) => kind);
}

test('a flipped bit anywhere in the head of a block costs no record', async () => {
  for (const at of [0, 4, 8, 16, 24, 28, 30, 32, 40, 44]) {
    await withLog(async (path) => {
      const head = (await blockOf(path, 2)).subarray(0, HEAD_BYTES);
      assert.ok(flipBits(path, head, at) > 0);
      assert.equal(kinds(fsckStore(path)), ['damaged-block'], `byte ${at}`);
      for (const view of ['stream', 'ndjson'] as const) {
        const { bytes, failures, owed } = await drain(path, view);
        assert.equal({ bytes, failures }, { bytes: owed, failures: 0 }, `byte ${at} of ${view}`);
      }
    });
  }
});

test('a flipped bit in the first block’s head costs no record', async () => {
  await withLog(async (path) => {
    flipBits(path, (await blockOf(path, 0)).subarray(0, HEAD_BYTES), 16);
    const { bytes, failures, owed } = await drain(path, 'ndjson');
    assert.equal({ bytes, failures }, { bytes: owed, failures: 0 });
  });
});

test('a damaged head behind a freed block costs that block', async () => {
  await withLog(async (path) => {
    const block = await blockOf(path, 1);
    const length = block.length - HEAD_BYTES;
    // What one feed has acknowledged is freed.
    const bench = new Bench(path);
    await bench.call('feedPunch', {
      id: 1,
      view: 'stream',
      epoch: 0,
      offset: 0,
      length: length + 8,
    });
    while (bench.server.feeds.purge.pending) bench.server.feeds.purge.step();
    bench.server.commit.note();
    await bench.close();
    assert.ok(flipBits(path, block.subarray(0, HEAD_BYTES), 8) > 0);
    assert.equal(kinds(fsckStore(path)), ['damaged-block']);
    const stream = await drain(path, 'stream');
    assert.is(stream.failures, 1);
    assert.is(stream.bytes, stream.owed - length);
    const text = await drain(path, 'ndjson');
    assert.is(text.failures, 1);
    assert.ok(text.bytes < text.owed);
  });
});

test('a bit in the length of a record costs the rest of its block', async () => {
  await withLog(async (path) => {
    const block = await blockOf(path, 1);
    const length = (block.length - HEAD_BYTES) / RECORDS;
    flipBits(path, block.subarray(HEAD_BYTES + 2 * length, HEAD_BYTES + 3 * length), 2);
    assert.equal(kinds(fsckStore(path)), ['damaged-record']);
    for (const view of ['stream', 'ndjson'] as const) {
      const { bytes, failures, owed } = await drain(path, view);
      assert.is(failures, 1);
      const blocks = owed / BLOCKS;
      assert.ok(bytes > (BLOCKS - 1) * (blocks - 100) && bytes < owed, `${bytes} of ${owed}`);
    }
  });
});

test('a block of which nothing is left is one damaged record, in each view', async () => {
  await withLog(async (path) => {
    const { length } = await blockOf(path, 2);
    await tamper(path, ({ log }) => {
      const key = Buffer.from(must([...log.keys({})][2], 'key'));
      log.put(key, Buffer.alloc(0));
    });
    assert.equal(kinds(fsckStore(path)), ['damaged-block']);
    const text = await drain(path, 'ndjson');
    assert.is(text.failures, 1);
    assert.ok(text.bytes < text.owed);
    const stream = await drain(path, 'stream');
    assert.is(stream.failures, 1);
    assert.is(stream.bytes, stream.owed - (length - HEAD_BYTES));
  });
});

test('a block that is missing can be acknowledged, wherever it was', async () => {
  for (const missing of [0, 1, BLOCKS - 1]) {
    await withLog(async (path) => {
      await tamper(path, ({ log }) => {
        log.remove(Buffer.from(must([...log.keys({})][missing], 'key')));
      });
      assert.equal(kinds(fsckStore(path)), ['missing-block']);
      const { owed } = await drain(path, 'stream');
      const bench = new Bench(path);
      const punch = { id: 1, view: 'stream', epoch: 0, offset: 0, length: owed } as const;
      // All but a byte of what is missing last leaves it owed.
      await bench.call('feedPunch', { ...punch, length: owed - 1 });
      const part = (await bench.call('feedStatus', { id: 1, view: 'stream', epoch: 0 })) as {
        owed: number;
      };
      assert.ok(part.owed > 0);
      await bench.call('feedPunch', punch);
      await bench.close();
      assert.is((await drain(path, 'stream')).owed, 0);
      assert.equal(fsckStore(path).findings, []);
    });
  }
});

test('a record that is whole but not its block’s is found', async () => {
  await withLog(async (path) => {
    await tamper(path, ({ log }) => {
      const [first, second] = [...log.keys({ limit: 2 })].map((key) => Buffer.from(key));
      const from = Buffer.from(must(log.get(must(first, 'key')), 'block'));
      const to = Buffer.from(must(log.get(must(second, 'key')), 'block'));
      from.copy(to, HEAD_BYTES, HEAD_BYTES);
      log.put(must(second, 'key'), to);
    });
    assert.equal(kinds(fsckStore(path)), ['damaged-block']);
  });
});

test.run();
