// test-alone: it measures how long answers take
/** Very many waiters on one feed: all wake, and the filesystem goes on meanwhile. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withMount } from '../support/mount.js';
import { exitOf, isBlockedReading, until, within } from '../support/processes.js';
import { Follower } from './follow.js';

const READERS = 200;
const EPOLLS = 1000;
const WAITERS = fileURLToPath(new URL('epoll-waiters.js', import.meta.url));
/** What a call on the mount may take while everyone waits; a hang takes for ever. */
const RESPONSE_MS = 2_000;

async function withReaders(
  text: string,
  use: (readers: Follower[]) => Promise<void>,
): Promise<void> {
  const readers = Array.from({ length: READERS }, () => new Follower('head', ['-n', '1', text]));
  try {
    await until(
      () => readers.every((reader) => isBlockedReading(reader.pid, 'stream.ndjson')),
      'all readers to block',
      30_000,
    );
    await use(readers);
  } finally {
    for (const reader of readers) reader.child.kill('SIGKILL');
    await Promise.all(readers.map((reader) => exitOf(reader.child)));
  }
}

test(`${READERS} blocked readers leave the mount responsive, and one change wakes all`, () =>
  withMount(async (mount) => {
    const text = join(mount.feed('f'), 'stream.ndjson');
    await withReaders(text, async (readers) => {
      const begun = performance.now();
      assert.equal(fs.readdirSync(mount.mnt), []);
      fs.statfsSync(mount.mnt);
      assert.ok(performance.now() - begun < RESPONSE_MS);
      fs.mkdirSync(join(mount.mnt, 'wanted'));
      for (const reader of readers) {
        await reader.prints(() => reader.text.endsWith('\n'), 'a record', 20_000);
        assert.is(reader.records[0]?.name, 'wanted');
      }
      await Promise.all(readers.map((reader) => within(exitOf(reader.child), 10_000, 'the end')));
    });
  }));

test(`${READERS} blocked readers all die of SIGKILL, and the mount goes on`, () =>
  withMount(async (mount) => {
    const text = join(mount.feed('f'), 'stream.ndjson');
    await withReaders(text, async (readers) => {
      await Promise.all(readers.map((reader) => reader.end('SIGKILL')));
      fs.writeFileSync(join(mount.mnt, 'file'), 'x');
      assert.is(fs.readFileSync(join(mount.mnt, 'file'), 'utf8'), 'x');
    });
  }));

test('removing a feed wakes its blocked readers with the end of the file', () =>
  withMount(async (mount) => {
    const feed = mount.feed('f');
    await withReaders(join(feed, 'stream.ndjson'), async (readers) => {
      fs.rmdirSync(feed);
      const ends = await Promise.all(
        readers.map((reader) => within(exitOf(reader.child), 20_000, 'the end')),
      );
      assert.ok(ends.every(({ code }) => code === 0));
      assert.ok(readers.every((reader) => reader.text === ''));
    });
  }));

test('a blocked reader ends when the daemon is killed', () =>
  withMount(async (mount) => {
    const text = join(mount.feed('f'), 'stream.ndjson');
    await withReaders(text, async (readers) => {
      await mount.kill('SIGKILL');
      await Promise.all(readers.map((reader) => within(exitOf(reader.child), 20_000, 'the end')));
    });
    await mount.mount();
  }));

for (const trigger of ['level', 'edge'] as const) {
  test(`${EPOLLS} epolls, ${trigger}-triggered, all wake`, () =>
    withMount(async (mount) => {
      const text = join(mount.feed('f'), 'stream.ndjson');
      const waiters = new Follower(process.execPath, [WAITERS, text, `${EPOLLS}`, trigger]);
      try {
        await waiters.prints(() => waiters.text.includes('waiting\n'), 'waiting', 30_000);
        assert.not(waiters.text.includes('woken'));
        fs.mkdirSync(join(mount.mnt, 'change'));
        await waiters.prints(() => waiters.text.includes(`woken ${EPOLLS}\n`), 'all woken', 30_000);
        const begun = performance.now();
        fs.statSync(join(mount.mnt, 'change'));
        assert.ok(performance.now() - begun < RESPONSE_MS);
        assert.is((await within(exitOf(waiters.child), 10_000, 'the end')).code, 0);
      } finally {
        waiters.child.kill('SIGKILL');
        await exitOf(waiters.child);
      }
    }));
}

test.run();
