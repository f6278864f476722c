/**
 * A feed that nobody reads, for each policy, under load and with SIGKILL in between: the
 * store stops growing, the consumer learns exactly what it lost, and with `block` nothing
 * happens that is not recorded.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { FeedError } from '../../src/consumer/errors.js';
import { openFeed } from '../../src/consumer/feeds.js';
import { feedfs, type TestMount, withMount } from '../support/mount.js';
import { until } from '../support/processes.js';
import {
  LimitedFeed,
  type LimitedLine,
  LimitedLoad,
  loadAndKill,
  quiesce,
  storeBytes,
} from './limited-feeds.js';
import { NameModel } from './name-model.js';

const ROUNDS = 6;
const MIB = 2 ** 20;
/**
 * What the store may take beyond the limit: its names and inodes, blocks of the log that
 * are partly dropped or not freed yet, what one batch adds, and LMDB's free pages.
 */
const SLACK_BYTES = 4 * MIB;

async function assertSound(mount: TestMount): Promise<void> {
  await mount.unmount();
  const { code, stdout, stderr } = await feedfs(['fsck', mount.store], { timeoutMs: 60_000 });
  assert.is(code, ExitCode.OK, `${stdout}${stderr}`);
}

function next(feed: LimitedFeed): number {
  return Number(feed.info().nextIndex);
}

/** The indices that have arrived, and those that LOST records stand for: all of them, each once. */
class Ledger {
  #next = 1;
  lost = 0;
  readonly arrived: LimitedLine[] = [];

  take(lines: readonly LimitedLine[]): void {
    for (const line of lines) {
      if (line.lost === undefined) {
        assert.is(Number(line.index), this.#next, 'no gap and no double');
        this.arrived.push(line);
        this.#next++;
        continue;
      }
      const { firstIndex, lastIndex, records } = line.lost;
      assert.is(Number(firstIndex), this.#next, 'what was lost follows what has arrived');
      assert.is(Number(records), Number(lastIndex) - Number(firstIndex) + 1);
      this.lost += Number(records);
      this.#next = Number(lastIndex) + 1;
    }
  }
}

test('drop-oldest: the store stays small, and what was lost is told exactly', () =>
  withMount(async (mount) => {
    const limit = MIB;
    const lossy = new LimitedFeed(mount, 'lossy', '{"maxBytes":"1M","then":"drop-oldest"}');
    const all = new LimitedFeed(mount, 'all');
    const truth: LimitedLine[] = [];
    const ledger = new Ledger();
    let sizeLimit = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const target = next(all) + 8_000;
      await loadAndKill(mount, round, () => next(all) >= target);
      quiesce(mount.mnt);
      truth.push(...all.lines());
      all.acknowledgeAll();
      assert.ok(Number(lossy.info().owedBytes) <= limit, lossy.info().owedBytes);
      sizeLimit ||= storeBytes(mount) + limit + SLACK_BYTES;
      assert.ok(storeBytes(mount) <= sizeLimit, `${storeBytes(mount)} bytes in round ${round}`);
      // A consumer that comes now and then, and sometimes does not acknowledge.
      if (round % 2 === 1) {
        ledger.take(lossy.lines());
        lossy.acknowledgeAll();
      }
    }
    quiesce(mount.mnt);
    ledger.take(lossy.lines());
    truth.push(...all.lines());
    assert.ok(ledger.lost > 10_000, `${ledger.lost} lost`);
    assert.is(ledger.lost + ledger.arrived.length, truth.length);
    const byIndex = new Map(truth.map((line) => [line.index, line]));
    for (const line of ledger.arrived) assert.equal(line, byIndex.get(line.index));
    await assertSound(mount);
  }));

test('expire: the feed ends, nothing more is kept for it, and its consumer hears of it', () =>
  withMount(async (mount) => {
    const forsaken = new LimitedFeed(mount, 'forsaken', '{"maxBytes":"1M"}');
    await loadAndKill(mount, 0, () => forsaken.info().state === 'expired');
    const { expired } = forsaken.info();
    assert.is(expired?.why, 'it owed more than 1048576 bytes');
    assert.ok(Number(expired?.records) > 1_000);
    const size = storeBytes(mount);
    for (let round = 1; round < ROUNDS; round++) {
      const files = fs.readdirSync(mount.mnt).length;
      await loadAndKill(mount, round, () => fs.readdirSync(mount.mnt).length > files + 19);
      assert.equal(forsaken.info().expired, expired);
      assert.ok(storeBytes(mount) <= size + SLACK_BYTES, `${storeBytes(mount)} in round ${round}`);
    }
    for (const name of ['stream', 'stream.ndjson', 'changelog']) {
      try {
        fs.closeSync(fs.openSync(join(forsaken.folder, name), 'r'));
        assert.unreachable(`${name} was opened`);
      } catch (error) {
        assert.is((error as NodeJS.ErrnoException).errno, -43, name);
      }
    }
    assert.throws(() => fs.mkdirSync(forsaken.folder), /EEXIST/);
    const feed = await openFeed(forsaken.folder);
    for (const use of [
      () => feed.records().next(),
      () => feed.raw().next(),
      () => feed.find('end'),
      () => feed.acknowledge({ text: { offset: 0, length: 10 } }),
    ]) {
      try {
        await use();
        assert.unreachable('an expired feed was used');
      } catch (error) {
        assert.is((error as FeedError).code, 'EXPIRED');
        assert.match((error as FeedError).message, /expired at 20.* because it owed more than/);
        assert.match((error as FeedError).message, /feedfs feed rm forsaken/);
      }
    }
    feed.close();
    fs.rmdirSync(forsaken.folder);
    await assertSound(mount);
  }));

test('expire: readers that wait hear of it, the library tells it from a removal', () =>
  withMount(async (mount) => {
    const folder = new LimitedFeed(mount, 'read', '{"maxRecords":50}').folder;
    const feed = await openFeed(folder);
    let seen = 0;
    let failure: unknown;
    const reading = (async () => {
      for await (const batch of feed.batches()) seen += batch.length;
    })().catch((error: unknown) => {
      failure = error;
    });
    const load = new LimitedLoad(mount.mnt, 0);
    try {
      await reading;
    } finally {
      await load.stop();
      feed.close();
    }
    assert.instance(failure, FeedError);
    assert.is((failure as FeedError).code, 'EXPIRED');
    assert.ok(seen < 10_000);
  }));

test('block: every change is recorded, whatever is killed when, and nothing passes a full feed', () =>
  withMount(async (mount) => {
    const audit = new LimitedFeed(mount, 'audit', '{"maxRecords":400,"then":"block"}');
    const all = new LimitedFeed(mount, 'all');
    const model = new NameModel();
    const seen: LimitedLine[] = [];
    let refusals = 0;
    for (let round = 0; round < ROUNDS; round++) {
      // Killed while it is full, or on the way there.
      const count = round % 3 === 2 ? 150 : 400;
      await loadAndKill(
        mount,
        round,
        (load) => Number(audit.info().owedRecords) >= count && (count < 400 || load.refused),
      );
      quiesce(mount.mnt);
      const info = audit.info();
      assert.ok(Number(info.owedRecords) <= 400 + 10, `${info.owedRecords} records`);
      if (info.full) {
        refusals++;
        assert.throws(() => fs.mkdirSync(join(mount.mnt, 'refused')), /ENOSPC/);
      }
      const lines = audit.lines();
      for (const line of lines) model.apply(line);
      seen.push(...lines);
      assert.equal(model.differences(mount.mnt), [], `round ${round}`);
      audit.acknowledgeAll();
      assert.not(audit.info().full);
    }
    assert.ok(refusals >= 3, `${refusals} times full`);
    assert.equal(seen, all.lines());
    await assertSound(mount);
  }));

test('block: whoever is blocked can read, acknowledge, set another policy, remove the feed, unmount', () =>
  withMount(async (mount) => {
    const path = (name: string) => join(mount.mnt, name);
    const audit = new LimitedFeed(mount, 'audit', '{"maxRecords":3,"then":"block"}');
    fs.mkdirSync(path('a'));
    fs.writeFileSync(path('file'), 'contents');
    await until(() => audit.info().full, 'a full feed');
    const refused = [
      () => fs.mkdirSync(path('b')),
      () => fs.writeFileSync(path('file'), 'other'),
      () => fs.appendFileSync(path('file'), 'more'),
      () => fs.truncateSync(path('file'), 1),
      () => fs.chmodSync(path('file'), 0o600),
      () => fs.rmdirSync(path('a')),
      () => fs.renameSync(path('a'), path('b')),
      () => fs.symlinkSync('a', path('b')),
      () => fs.copyFileSync(path('file'), path('b')),
    ];
    const all = () => {
      for (const change of refused) assert.throws(change, /ENOSPC/, String(change));
      assert.equal(fs.readdirSync(mount.mnt).sort(), ['a', 'file']);
      assert.is(fs.readFileSync(path('file'), 'utf8'), 'contents');
      assert.ok(fs.statfsSync(mount.mnt).bavail > 0);
    };
    all();
    await mount.remount();
    all();
    assert.ok(audit.lines().length >= 3);
    fs.writeFileSync(join(audit.folder, 'policy'), '{"maxRecords":100,"then":"block"}');
    fs.rmdirSync(path('a'));
    fs.writeFileSync(join(audit.folder, 'policy'), '{"maxRecords":1,"then":"block"}');
    assert.throws(() => fs.rmSync(path('file')), /ENOSPC/);
    audit.acknowledgeAll();
    fs.rmSync(path('file'));
    assert.throws(() => fs.mkdirSync(path('b')), /ENOSPC/);
    fs.rmdirSync(audit.folder);
    fs.mkdirSync(path('b'));
    await assertSound(mount);
  }));

test.run();
