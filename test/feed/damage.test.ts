/** Damaged records and blocks: named once, and everything else can be read and cancelled. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nameFromText } from '../../src/base/name.js';
import { BLOCK_HEAD_BYTES } from '../../src/feed/block.js';
import type { ByteCoordinate } from '../../src/feed/position.js';
import { punched } from '../../src/feed/punch.js';
import { owedAmount, readAt, readNext } from '../../src/feed/view.js';
import { FeedModel, FeedStore, logRecord, plainRecord, viewOf } from '../support/feed-model.js';
import { withFolder } from '../support/mount.js';

const COORDINATES: readonly ByteCoordinate[] = ['offset', 'text'];

/** A feed with three blocks of three records. */
async function withThreeBlocks(
  use: (feeds: FeedStore, model: FeedModel) => void | Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const feeds = new FeedStore(join(folder, 'store'));
    const model = new FeedModel();
    const { id } = feeds.registry.create(nameFromText('f'));
    model.create(id);
    for (let i = 0; i < 9; i++) {
      logRecord(feeds.log, plainRecord(`record ${i}`));
      model.append(plainRecord(`record ${i}`));
      if (i % 3 === 2) feeds.settle();
    }
    model.committed();
    model.flushed();
    await use(feeds, model);
    await feeds.store.close();
  });
}

/** Flips a bit of the file, so many bytes from where a record stands, as a bad disk does. */
function flip(dataFile: string, record: Buffer, distance: number): void {
  const bytes = readFileSync(dataFile);
  let found = 0;
  // Pages that are no longer in use may hold a copy.
  for (let at = bytes.indexOf(record); at >= 0; at = bytes.indexOf(record, at + 1)) {
    bytes[at + distance] = (bytes[at + distance] ?? 0) ^ 0x40;
    found++;
    at += record.length;
  }
  assert.ok(found > 0, 'the record is in the file');
  writeFileSync(dataFile, bytes);
}

/** Every FIFO read with a large buffer: bytes read, or 'damaged'. */
function readAll(feeds: FeedStore, by: ByteCoordinate): (Buffer | 'damaged')[] {
  const view = viewOf(feeds, 1, by);
  const parts: (Buffer | 'damaged')[] = [];
  const into = Buffer.alloc(2 ** 20);
  let cursor = 0;
  for (let round = 0; round < 100; round++) {
    const result = readNext(view, cursor, into);
    if (result.length === 0 && !result.damaged) return parts;
    parts.push(result.damaged ? 'damaged' : Buffer.from(into.subarray(0, result.length)));
    assert.ok(result.cursor > cursor, 'the reader gets on');
    cursor = result.cursor;
  }
  throw new Error('the reader does not get to the end');
}

test('a damaged record is reported once; all others are read as they were logged', () =>
  withThreeBlocks(async (feeds, model) => {
    const [bad, badEnd] = model.records[4]?.offset ?? [0, 0];
    await feeds.reopen((file) => flip(file, model.bytesOf(4), 40));
    for (const by of COORDINATES) {
      const parts = readAll(feeds, by);
      const content = model.content(by);
      const [from, to] = model.records[4]?.[by] ?? [0, 0];
      const good = parts.filter((part) => part !== 'damaged');
      assert.is(parts.length - good.length, 1, `damaged once by ${by}`);
      const expected = Buffer.concat([content.subarray(0, from), content.subarray(to)]);
      assert.ok(Buffer.concat(good).equals(expected), `the rest by ${by}`);
      const at = readAt(viewOf(feeds, 1, by), from, Buffer.alloc(10));
      assert.ok(at.damaged);
      assert.is(readAt(viewOf(feeds, 1, by), to, Buffer.alloc(10)).length, 10);
    }
    const view = viewOf(feeds, 1, 'offset');
    const { range } = punched(view, bad, badEnd - bad);
    assert.equal([range?.start.offset, range?.end.offset], [bad, badEnd]);
  }));

test('a damaged head loses nothing where the block before says what follows', () =>
  withThreeBlocks(async (feeds, model) => {
    await feeds.reopen((file) => flip(file, model.bytesOf(3), -BLOCK_HEAD_BYTES));
    for (const by of COORDINATES) {
      const parts = readAll(feeds, by);
      assert.not.ok(parts.includes('damaged'));
      const good = parts.filter((part) => part !== 'damaged');
      assert.ok(Buffer.concat(good).equals(model.content(by)), `everything by ${by}`);
    }
  }));

test('a damaged head with nothing before it costs its block and no other', () =>
  withThreeBlocks(async (feeds, model) => {
    const cancel = (to: number): void => {
      const feed = feeds.registry.get(1);
      const { range } = punched(viewOf(feeds, 1, 'offset'), 0, to);
      assert.ok(feed !== undefined && range !== undefined);
      feeds.registry.cancel(feed, range);
      feeds.purge();
    };
    const [block, rest] = [model.end(3).offset, model.end(6).offset];
    cancel(block);
    await feeds.reopen((file) => flip(file, model.bytesOf(3), -BLOCK_HEAD_BYTES));
    for (const by of COORDINATES) {
      const parts = readAll(feeds, by);
      const good = parts.filter((part) => part !== 'damaged');
      assert.is(parts.length - good.length, 1, `damaged once by ${by}`);
      const expected = model.content(by).subarray(model.end(6)[by]);
      assert.ok(Buffer.concat(good).equals(expected), `the rest by ${by}`);
    }
    cancel(rest);
    assert.is(owedAmount(viewOf(feeds, 1, 'offset')), model.end(9).offset - rest);
    assert.is(feeds.log.heads(feeds.log.newest, 0, model.end(9).offset, 10).length, 1);
  }));

test.run();
