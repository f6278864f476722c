/** A repair is told to every feed: once, durably, and only if it changed what they tell of. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { repairStore } from '../../src/mds/fsck-repair.js';
import type { FeedChunk } from '../../src/rpc/messages.js';
import { direntKey } from '../../src/store/keys.js';
import { Bench, tamper } from '../support/damage.js';
import { FakeClock } from '../support/fake-clock.js';
import { withCaseStore } from './fsck-store.js';

const FILES = 3;

interface Told {
  readonly op: string;
  readonly lost?: { readonly records: string; readonly reason: string };
}

/** The records of a feed's text, of which the last ones matter. */
async function tail(bench: Bench, id: number): Promise<Told[]> {
  const into = Buffer.alloc(1 << 20);
  const at = { id, view: 'ndjson', epoch: 0, cursor: 0, into } as const;
  const chunk = (await bench.call('feedNext', at)) as FeedChunk;
  const lines = into.toString('utf8', 0, chunk.length).split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Told);
}

async function losses(path: string): Promise<readonly [number, number]> {
  const bench = new Bench(path);
  await bench.settle();
  const count = async (id: number): Promise<number> =>
    (await tail(bench, id)).filter(({ op }) => op === 'lost').length;
  const counts = [await count(1), await count(2)] as const;
  await bench.close();
  return counts;
}

test('what a repair changed is one LOST record of no records in every feed, and not again', () =>
  withCaseStore(async (path, { folder }) => {
    await tamper(path, ({ dirent }) => {
      for (const { key } of [...dirent.entries({})]) {
        if (key.subarray(0, 8).equals(direntKey(folder, 0).subarray(0, 8))) {
          dirent.remove(key);
          return;
        }
      }
    });
    const report = await repairStore(path, { clock: new FakeClock() });
    assert.ok(report.mended.length > 0);
    const bench = new Bench(path);
    await bench.settle();
    for (const id of [1, 2]) {
      const [last] = (await tail(bench, id)).slice(-1);
      assert.is(last?.op, 'lost');
      assert.is(last?.lost?.records, '0');
      assert.match(last?.lost?.reason ?? '', /repair/);
    }
    await bench.close();
    assert.equal(await losses(path), [1, 1]);
    assert.equal(await losses(path), [1, 1]);
  }, FILES));

test('a counter that was wrong is nothing to tell', () =>
  withCaseStore(async (path) => {
    await tamper(path, ({ meta }) => meta.put(Buffer.from('stats'), Buffer.alloc(8)));
    const report = await repairStore(path, { clock: new FakeClock() });
    assert.equal(
      report.mended.map(({ kind }) => kind),
      ['inode-count'],
    );
    assert.equal(await losses(path), [0, 0]);
  }, FILES));

test.run();
