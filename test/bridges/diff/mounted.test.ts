/** diff of a mounted feedfs, at rest and in use, against a comparison of the trees by inode. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Diff, diffFeed } from '../../../src/bridges/diff/diff.js';
import { DiffError } from '../../../src/bridges/diff/diff-error.js';
import { ExitCode } from '../../../src/cli/exit-codes.js';
import type { Feed } from '../../../src/consumer/feed.js';
import { createFeed } from '../../../src/consumer/feeds.js';
import { placesOf } from '../../../src/consumer/places.js';
import { lgetxattr, llistxattr } from '../../support/libc.js';
import { feedfs, type TestMount, withMount } from '../../support/mount.js';
import { exitOf } from '../../support/processes.js';
import { Random } from '../../support/random.js';
import { expectedLines, linesOf, type Seen } from './expected.js';
import { RecordModel } from './record-model.js';
import { treeStep } from './tree-step.js';

const ROUNDS = 25;
const BUSY_ROUNDS = 12;
const STEPS = 80;
const WORKER = fileURLToPath(new URL('tree-worker.js', import.meta.url));

function diff(feed: Feed, mount: string): Promise<Diff> {
  return diffFeed(feed, { mount, ask: (fids) => placesOf(mount, fids) });
}

/** Path to inode; the version is what differs once the object itself was changed. */
function seen(mnt: string): Map<string, Seen> {
  const tree = new Map<string, Seen>();
  const visit = (path: string, name: string): void => {
    const stat = fs.lstatSync(path, { bigint: true });
    const bytes = Buffer.from(path);
    const xattrs = llistxattr(bytes).map((xattr) => lgetxattr(bytes, xattr).toString());
    const version = `${stat.uid} ${stat.mtimeNs} ${xattrs}`;
    tree.set(name, { fid: Number(stat.ino), version });
    if (!stat.isDirectory()) return;
    for (const below of fs.readdirSync(path)) {
      visit(join(path, below), name === '.' ? below : `${name}/${below}`);
    }
  };
  visit(mnt, '.');
  return tree;
}

test('what diff says of random changes is what a comparison by inode says', () =>
  withMount(async ({ mnt }) => {
    const random = new Random(7);
    let count = 0;
    const steps = () => {
      for (let i = 0; i < STEPS; i++) treeStep(mnt, random, ++count);
    };
    steps();
    let before = seen(mnt);
    const feed = await createFeed(mnt, 'f');
    // Its records are in the log too, and holes to the other.
    await createFeed(mnt, 'accesses', { filter: { ops: ['accesses'] } });
    let lines = 0;
    for (let round = 0; round < ROUNDS; round++) {
      steps();
      const after = seen(mnt);
      const { changes } = await diff(feed, mnt);
      assert.equal(linesOf(changes), expectedLines(before, after), `round ${round}`);
      lines += changes.length;
      // Without it, the next one tells of all rounds since.
      if (!random.chance(60)) continue;
      const info = await feed.info();
      await feed.acknowledgeLog({ offset: 0, length: info.nextOffset });
      assert.equal((await diff(feed, mnt)).changes, []);
      before = after;
    }
    assert.ok(lines > ROUNDS * 5);
    feed.close();
  }));

test('of a filesystem in use, diff is exact for one point of the log', () =>
  withMount(async ({ mnt }) => {
    const feed = await createFeed(mnt, 'f');
    const all = await createFeed(mnt, 'all');
    const worker = spawn(process.execPath, [WORKER, mnt, '3'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const diffs: Diff[] = [];
    try {
      await Promise.race([once(worker.stdout, 'data'), exitOf(worker)]);
      for (let round = 0; round < BUSY_ROUNDS; round++) {
        diffs.push(await diff(feed, mnt));
        const { nextOffset } = await feed.info();
        if (round % 2 === 1) await feed.acknowledgeLog({ offset: 0, length: nextOffset });
      }
    } finally {
      worker.stdin.end();
      await exitOf(worker);
    }
    assert.is(worker.exitCode, 0);
    const trees = await treesAt(all, new Set(diffs.flatMap(({ from, to }) => [from, to])));
    for (const { from, to, changes } of diffs) {
      const expected = expectedLines(at(trees, from), at(trees, to));
      assert.equal(linesOf(changes), expected, `records ${from} to ${to}`);
    }
    assert.ok(diffs.some(({ changes }) => changes.length > 20));
    feed.close();
    all.close();
  }));

type Trees = ReadonlyMap<number, ReadonlyMap<string, Seen>>;

/** The trees before the records with these indices, from all records that there are. */
async function treesAt(feed: Feed, indices: ReadonlySet<number>): Promise<Trees> {
  const model = new RecordModel();
  const trees = new Map<number, ReadonlyMap<string, Seen>>();
  let next = (await feed.info()).acknowledged.index;
  for await (const record of feed.records({ follow: false })) {
    if (indices.has(record.index)) trees.set(record.index, model.tree());
    model.apply(record);
    next = record.index + 1;
  }
  return trees.set(next, model.tree());
}

function at(trees: Trees, index: number): ReadonlyMap<string, Seen> {
  const tree = trees.get(index);
  if (tree === undefined) throw new Error(`no record ${index}`);
  return tree;
}

/** Runs the command on a feed of the mount. */
function command(mount: TestMount, args: readonly string[]) {
  return feedfs(['diff', 'f', '-m', mount.mnt, ...args]);
}

test('the lines of the command: signs, types, JSON, NUL', () =>
  withMount(async (mount) => {
    const { mnt } = mount;
    fs.mkdirSync(join(mnt, 'd'));
    for (const name of ['d/in', 'gone', 'kept']) fs.writeFileSync(join(mnt, name), '');
    mount.feed('f');
    assert.is(`${(await command(mount, [])).stdout}`, '');
    fs.renameSync(join(mnt, 'd'), join(mnt, 'e'));
    fs.rmSync(join(mnt, 'gone'));
    fs.appendFileSync(join(mnt, 'kept'), 'x');
    fs.linkSync(join(mnt, 'kept'), join(mnt, 'e/link'));
    fs.writeFileSync(join(mnt, 'passing'), '');
    fs.rmSync(join(mnt, 'passing'));
    fs.writeFileSync(Buffer.from(`${mnt}/n\n\xff`, 'latin1'), '');
    const lines = ['M .', 'R d -> e', 'M e', '+ e/link', '- gone', 'M kept', '+ n\\x0a\\xff'];
    const plain = await command(mount, []);
    assert.is(plain.code, ExitCode.OK);
    assert.equal(`${plain.stdout}`.split('\n').slice(0, -1), lines);
    const types = `${(await command(mount, ['--types'])).stdout}`.split('\n');
    assert.equal(types.slice(0, 5), ['M / .', 'R / d -> e', 'M / e', '+ F e/link', '- F gone']);
    const bytes = (await command(mount, ['-0'])).stdout.toString('latin1');
    const parts = ['M .', 'R d', 'e', 'M e', '+ e/link', '- gone', 'M kept', '+ n\n\xff', ''];
    assert.equal(bytes.split('\0'), parts);
    const json = `${(await command(mount, ['--json'])).stdout}`.trim().split('\n');
    const objects = json.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.equal(
      objects.map(({ change }) => change),
      ['modified', 'renamed', 'modified', 'added', 'removed', 'modified', 'added'],
    );
    const { fid, ...renamed } = objects[1] ?? {};
    assert.equal(renamed, { change: 'renamed', path: 'd', to: 'e', type: 'directory' });
    assert.match(`${fid}`, /^\[0x/);
    assert.equal(objects[5]?.parts, ['contents']);
    assert.is(objects[3]?.linked, true);
    assert.equal(objects[6]?.path, { base64: Buffer.from('n\n\xff', 'latin1').toString('base64') });
  }));

test('what cannot be told is refused, with the way out', () =>
  withMount(async (mount) => {
    const { mnt } = mount;
    const missing = await command(mount, []);
    assert.is(missing.code, ExitCode.NO_FEED);
    const both = await command(mount, ['-0', '--json']);
    assert.is(both.code, ExitCode.USAGE);
    const feed = await createFeed(mnt, 'f');
    for (let i = 0; i < 10; i++) fs.writeFileSync(join(mnt, `${i}`), '');
    sync(mnt);
    const records = [];
    for await (const record of feed.records({ follow: false })) records.push(record);
    await feed.acknowledge(records.slice(3, 5));
    const gaps = await command(mount, []);
    assert.is(gaps.code, ExitCode.FAILURE);
    assert.match(gaps.stderr, /feed f, 1 ranges .*feedfs feed ack f --all/);
    await feedfs(['feed', 'ack', 'f', '--all', '-m', mnt]);
    assert.is((await command(mount, [])).code, ExitCode.OK);
    fs.writeFileSync(join(feed.path, 'filter'), '{"ops":["create"]}');
    const filtered = await command(mount, []);
    assert.is(filtered.code, ExitCode.FAILURE);
    assert.match(filtered.stderr, /feed f has a filter.*feedfs feed create/);
    feed.close();
  }));

test('an expired feed is told as everywhere', () =>
  withMount(async (mount) => {
    const feed = mount.feed('f');
    fs.writeFileSync(join(feed, 'policy'), '{"maxRecords":20,"then":"expire"}');
    for (let i = 0; i < 200; i++) fs.writeFileSync(join(mount.mnt, `${i}`), '');
    const { code, stderr } = await command(mount, []);
    assert.is(code, ExitCode.FEED_EXPIRED, stderr);
    assert.match(stderr, /feed f expired at /);
  }));

test('a LOST record is refused as a stream with one would be', () =>
  withMount(async (mount) => {
    const { mnt } = mount;
    const feed = mount.feed('f');
    fs.writeFileSync(join(feed, 'policy'), '{"maxRecords":20,"then":"drop-oldest"}');
    for (let i = 0; i < 200; i++) fs.writeFileSync(join(mnt, `${i}`), '');
    const { code, stdout, stderr } = await command(mount, []);
    assert.is(code, ExitCode.STREAM_REFUSED, stderr);
    assert.is(stdout.length, 0);
    assert.match(stderr, /the feed lost \d+ records, of indices \d+ to \d+.*feedfs verify/);
  }));

/** What happened until now is shown by feeds from here on. */
function sync(mnt: string): void {
  const fd = fs.openSync(mnt, 'r');
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

test('a consumer that acknowledges meanwhile does not make it wrong', () =>
  withMount(async ({ mnt }) => {
    const feed = await createFeed(mnt, 'f');
    const acknowledge = async () => {
      sync(mnt);
      const { nextOffset } = await feed.info();
      await feed.acknowledgeLog({ offset: 0, length: nextOffset });
    };
    const during = (left: number) => {
      let times = left;
      return diffFeed(feed, {
        mount: mnt,
        ask: async (fids) => {
          if (times-- > 0) {
            fs.writeFileSync(join(mnt, `during-${times}`), '');
            await acknowledge();
            fs.writeFileSync(join(mnt, `after-${times}`), '');
          }
          return placesOf(mnt, fids);
        },
      });
    };
    fs.writeFileSync(join(mnt, 'a'), '');
    // Begun anew, it tells of what is owed then.
    assert.equal(linesOf((await during(1)).changes), ['+ after-0', 'M .']);
    const error = await during(1000).catch((failure: unknown) => failure);
    assert.ok(error instanceof DiffError && error.reason === 'busy', String(error));
    feed.close();
  }));

test.run();
