/** Every-day programs on a feed's files do what their user expects. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fails } from '../posix/case.js';
import { fallocate, lseek, mmap, SEEK_DATA } from '../posix/libc.js';
import { type TestMount, withMount } from '../support/mount.js';
import { run, runOk, until, within } from '../support/processes.js';
import { following } from './follow.js';

/** A reader that blocks must die this fast; a machine under load gets some of it as grace. */
const SIGNAL_MS_MAX = 100;

function withFeed(use: (text: string, mount: TestMount) => Promise<void>): Promise<void> {
  return withMount((mount) => use(join(mount.feed('f'), 'stream.ndjson'), mount));
}

/** Makes directories `prefix-0` … and waits until all of them are on the feed. */
async function makeDirectories(mount: TestMount, prefix: string, count: number): Promise<void> {
  const before = owedRecords(mount);
  for (let i = 0; i < count; i++) fs.mkdirSync(join(mount.mnt, `${prefix}-${i}`));
  await until(() => owedRecords(mount) >= before + count, `${count} records`);
}

function owedRecords(mount: TestMount): number {
  const info = fs.readFileSync(join(mount.mnt, '.lustre', 'feeds', 'f', 'info'), 'utf8');
  return Number((JSON.parse(info) as { owedRecords: string }).owedRecords);
}

function numbered(prefix: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `${prefix}-${from + i}`);
}

test('tail -n 5 -f shows the last five and goes on', () =>
  withFeed(async (text, mount) => {
    await makeDirectories(mount, 'before', 20);
    await following('tail', ['-n', '5', '-f', text], async (tail) => {
      await tail.prints(() => tail.records.length >= 5, 'five records');
      assert.equal(
        tail.records.map((r) => r.name),
        numbered('before', 15, 20),
      );
      await makeDirectories(mount, 'after', 3);
      await tail.prints(() => tail.records.length >= 8, 'eight records');
      assert.equal(
        tail.records.slice(5).map((r) => r.name),
        numbered('after', 0, 3),
      );
    });
  }));

test('tail -n +1 -f shows everything that is owed and goes on', () =>
  withFeed(async (text, mount) => {
    await makeDirectories(mount, 'before', 20);
    // Into a pipe, tail keeps what it prints in a buffer until its read returns, from a
    // FIFO just the same; on a terminal it does not. stdbuf takes the buffer away.
    await following('stdbuf', ['-o0', 'tail', '-n', '+1', '-f', text], async (tail) => {
      await tail.prints(() => tail.records.length >= 20, 'twenty records');
      await makeDirectories(mount, 'after', 5);
      await tail.prints(() => tail.records.length >= 25, 'the five more');
      const names = [...numbered('before', 0, 20), ...numbered('after', 0, 5)];
      assert.equal(
        tail.records.map((r) => r.name),
        names,
      );
    });
  }));

test('cat shows all that is owed, blocks at the end, goes on, and ends with the feed', () =>
  withFeed(async (text, mount) => {
    await makeDirectories(mount, 'before', 3);
    await following('cat', [text], async (cat) => {
      await cat.prints(() => cat.records.length === 3, 'three records');
      await cat.blocks();
      await makeDirectories(mount, 'after', 2);
      await cat.prints(() => cat.records.length === 5, 'two more');
      await cat.blocks();
      fs.rmdirSync(join(mount.mnt, '.lustre', 'feeds', 'f'));
      await until(() => cat.child.exitCode !== null, 'the end of cat');
      assert.is(cat.child.exitCode, 0);
    });
  }));

test('head -c 10 takes ten bytes', () =>
  withFeed(async (text, mount) => {
    await makeDirectories(mount, 'd', 2);
    assert.is(await runOk('head', ['-c', '10', text]), '{"index":"');
  }));

test('dd iflag=nonblock takes what is there and then says EAGAIN', () =>
  withFeed(async (text, mount) => {
    const empty = await run('dd', [`if=${text}`, 'iflag=nonblock', 'status=none']);
    assert.is.not(empty.code, 0);
    assert.match(empty.stderr, /Resource temporarily unavailable/);
    await makeDirectories(mount, 'd', 2);
    const args = [`if=${text}`, 'iflag=nonblock', 'bs=65536', 'status=none'];
    const full = await run('dd', args);
    assert.is(full.stdout.toString().split('\n').length, 3);
    assert.match(full.stderr, /Resource temporarily unavailable/);
  }));

test('fallocate -p acknowledges, and what is left is found by SEEK_DATA', () =>
  withFeed(async (text, mount) => {
    await makeDirectories(mount, 'd', 4);
    const all = await run('timeout', ['1', 'cat', text]);
    const lines = all.stdout.toString().split('\n').slice(0, -1);
    assert.is(lines.length, 4);
    const bytes = (n: number) => lines.slice(0, n).reduce((sum, line) => sum + line.length + 1, 0);
    await runOk('fallocate', ['-p', '-o', '0', '-l', `${bytes(2)}`, text]);
    assert.is(owedRecords(mount), 2);
    const fd = fs.openSync(text, 'r');
    assert.is(lseek(fd, 0, SEEK_DATA), bytes(2));
    fs.closeSync(fd);
    assert.ok(fs.statSync(text).size === bytes(4));
    await mount.remount();
    assert.is(owedRecords(mount), 2);
    await following('cat', [text], async (cat) => {
      await cat.prints(() => cat.records.length === 2, 'the two that are left');
      assert.equal(
        cat.records.map((r) => r.name),
        ['d-2', 'd-3'],
      );
    });
  }));

test('timeout ends a cat that waits', () =>
  withFeed(async (text) => {
    const result = await run('timeout', ['0.2', 'cat', text]);
    assert.is(result.code, 124);
  }));

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  test(`a cat that waits dies at once of ${signal}`, () =>
    withFeed(async (text) => {
      const times: number[] = [];
      for (let i = 0; i < 5; i++) {
        await following('cat', [text], async (cat) => {
          await cat.blocks();
          times.push(await cat.end(signal));
        });
      }
      const best = Math.min(...times);
      assert.ok(best <= SIGNAL_MS_MAX, `${times.map((ms) => ms.toFixed(0))} ms`);
    }));
}

test('the size is the log’s end, and the blocks are what is owed', () =>
  withFeed(async (text, mount) => {
    assert.is(fs.statSync(text).blocks, 0);
    await makeDirectories(mount, 'd', 200);
    const { size, blocks } = fs.statSync(text);
    assert.ok(size > 0 && Math.abs(blocks * 512 - size) < 1024, `${blocks} blocks of ${size}`);
    await runOk('fallocate', ['-p', '-o', '0', '-l', `${size}`, text]);
    assert.equal([fs.statSync(text).size, fs.statSync(text).blocks], [size, 0]);
    assert.match(await runOk('du', ['-B1', text]), /^0\s/);
  }));

test('writing to a feed’s stream, truncating and mapping it are refused', () =>
  withFeed(async (text, mount) => {
    await makeDirectories(mount, 'd', 1);
    for (const path of [text, text.replace('.ndjson', '')]) {
      const fd = fs.openSync(path, 'r+');
      fails('EPERM', () => fs.writeSync(fd, 'x'));
      fails('EPERM', () => fs.ftruncateSync(fd, 0));
      fails('ENODEV', () => mmap(fd, 4096, 'shared'));
      fails('EOPNOTSUPP', () => fallocate(fd, 0, 0, 4096));
      fs.closeSync(fd);
      fails('EPERM', () => fs.truncateSync(path, 0));
      fails('EPERM', () => fs.unlinkSync(path));
    }
    assert.is(owedRecords(mount), 1);
  }));

test('grep -m1 on a followed feed works in a pipe', () =>
  withFeed(async (text, mount) => {
    const pipeline = `stdbuf -o0 tail -n +1 -f '${text}' | grep -m1 wanted`;
    const found = run('sh', ['-c', pipeline], { timeoutMs: 20_000 });
    await makeDirectories(mount, 'd', 3);
    await makeDirectories(mount, 'wanted', 1);
    // tail notices the closed pipe at its next write.
    await makeDirectories(mount, 'more', 3);
    const result = await within(found, 20_000, 'grep');
    assert.match(result.stdout.toString(), /"wanted-0"/);
  }));

test.run();
