/** poll(2) and epoll(7) on a feed's files, with each way of waiting that a mount can have. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, fallocate } from '../posix/libc.js';
import { EPOLLET, EPOLLHUP, EPOLLIN, EPOLLONESHOT, Epoll } from '../support/epoll.js';
import { type MountOptions, withMount } from '../support/mount.js';
import { within } from '../support/processes.js';
import {
  bytesRead,
  namesIn,
  POLLHUP,
  POLLIN,
  poll,
  read,
  TestFeed,
  VIEWS,
  WAIT_MS,
  withPuncher,
  withReader,
} from './feed-fixture.js';

const BIG = 1024 * 1024;

/** The defaults, a daemon that never spins, and feeds that show before the disk has it. */
const KINDS: readonly MountOptions[] = [
  {},
  { options: 'busy_poll=0' },
  { options: 'visibility=commit' },
  { options: 'busy_poll=0,visibility=commit' },
];

function withEpoll<T>(use: (epoll: Epoll) => Promise<T>): Promise<T> {
  const epoll = new Epoll();
  return use(epoll).finally(() => epoll.close());
}

for (const kind of KINDS) {
  const label = kind.options ?? 'defaults';
  const withFeed = (use: (feed: TestFeed) => Promise<void>): Promise<void> =>
    withMount((mount) => use(new TestFeed(mount)), kind);

  for (const view of VIEWS) {
    test(`${label}: ${view}: poll waits, wakes, and is quiet again once all is read`, () =>
      withFeed((feed) =>
        withReader(feed.path(view), async (fd) => {
          assert.is(await poll(fd, 0), 0);
          for (let round = 0; round < 5; round++) {
            const waiting = poll(fd, WAIT_MS);
            fs.mkdirSync(join(feed.mount.mnt, `d-${round}`));
            assert.ok((await waiting) & POLLIN, `round ${round}`);
            assert.ok((await poll(fd, 0)) & POLLIN, 'still readable');
            assert.ok(bytesRead(read(fd, BIG)).length > 0);
            assert.is(await poll(fd, 0), 0, 'all is read');
          }
        }),
      ));
  }

  test(`${label}: a level-triggered epoll reports until all is read`, () =>
    withFeed((feed) =>
      withReader(feed.path('stream.ndjson'), (fd) =>
        withEpoll(async (epoll) => {
          epoll.add(fd, EPOLLIN);
          assert.equal(await epoll.wait(0), []);
          const waiting = epoll.wait(WAIT_MS);
          await feed.make('d', 2);
          assert.equal(await waiting, [{ fd, events: EPOLLIN }]);
          assert.equal(await epoll.wait(0), [{ fd, events: EPOLLIN }]);
          assert.equal(namesIn(read(fd, 400)), ['d-0']);
          assert.equal(await epoll.wait(0), [{ fd, events: EPOLLIN }], 'one is left');
          assert.equal(namesIn(read(fd, BIG)), ['d-1']);
          assert.equal(await epoll.wait(0), []);
          const again = epoll.wait(WAIT_MS);
          await feed.make('e', 1);
          assert.equal(await again, [{ fd, events: EPOLLIN }]);
        }),
      ),
    ));

  test(`${label}: an edge-triggered epoll reports each arrival once`, () =>
    withFeed((feed) =>
      withReader(feed.path('stream.ndjson'), (fd) =>
        withEpoll(async (epoll) => {
          epoll.add(fd, EPOLLIN | EPOLLET);
          for (let round = 0; round < 10; round++) {
            const waiting = epoll.wait(WAIT_MS);
            await feed.make(`d${round}`, 1);
            assert.equal(await waiting, [{ fd, events: EPOLLIN }], `round ${round}`);
            // As edge-triggered use demands: read until EAGAIN, then wait.
            assert.equal(namesIn(read(fd, BIG)), [`d${round}-0`]);
            assert.is(read(fd, BIG), 'EAGAIN');
          }
          await feed.make('unread', 1);
          assert.equal(await epoll.wait(WAIT_MS), [{ fd, events: EPOLLIN }]);
          assert.equal(await epoll.wait(0), [], 'the same arrival is not told twice');
        }),
      ),
    ));

  test(`${label}: the end of the feed is a hang-up for whoever waits`, () =>
    withFeed((feed) =>
      withReader(feed.path('stream'), (fd) =>
        withReader(feed.path('stream.ndjson'), (other) =>
          withEpoll(async (epoll) => {
            epoll.add(other, EPOLLIN | EPOLLET);
            const [polled, waited] = [poll(fd, WAIT_MS), epoll.wait(WAIT_MS)];
            fs.rmdirSync(feed.folder);
            assert.ok((await polled) & POLLHUP, 'poll');
            assert.ok(((await waited)[0]?.events ?? 0) & EPOLLHUP, 'epoll');
            assert.is(bytesRead(read(fd, 10)).length, 0);
          }),
        ),
      ),
    ));
}

const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

function withFeed(use: (feed: TestFeed) => Promise<void>): Promise<void> {
  return withMount((mount) => use(new TestFeed(mount)));
}

test('readiness goes by each open’s own cursor', () =>
  withFeed(async (feed) => {
    await feed.make('d', 2);
    const path = feed.path('stream.ndjson');
    await withReader(path, (ahead) =>
      withReader(path, async (behind) => {
        read(ahead, BIG);
        assert.is(await poll(ahead, 0), 0);
        assert.ok((await poll(behind, 0)) & POLLIN);
        // A positioned read moves the cursor back, and there is data again.
        read(ahead, 1, 0);
        assert.ok((await poll(ahead, 0)) & POLLIN);
      }),
    );
  }));

test('what is cancelled is no longer readable', () =>
  withFeed(async (feed) => {
    await feed.make('d', 2);
    const path = feed.path('stream.ndjson');
    await withReader(path, async (fd) => {
      assert.ok((await poll(fd, 0)) & POLLIN);
      withPuncher(path, (punch) => fallocate(punch, PUNCH, 0, BIG));
      assert.is(await poll(fd, 0), 0);
    });
  }));

test('a one-shot epoll reports once until it is armed again', () =>
  withFeed((feed) =>
    withReader(feed.path('stream'), (fd) =>
      withEpoll(async (epoll) => {
        epoll.add(fd, EPOLLIN | EPOLLONESHOT);
        const waiting = epoll.wait(WAIT_MS);
        await feed.make('d', 1);
        assert.equal(await waiting, [{ fd, events: EPOLLIN }]);
        assert.equal(await epoll.wait(0), []);
        epoll.modify(fd, EPOLLIN | EPOLLONESHOT);
        assert.equal(await epoll.wait(0), [{ fd, events: EPOLLIN }]);
      }),
    ),
  ));

test('closing a descriptor that an epoll waits on leaves the mount well', () =>
  withFeed((feed) =>
    withEpoll(async (epoll) => {
      for (let i = 0; i < 50; i++) {
        withReader(feed.path('stream'), (fd) => epoll.add(fd, EPOLLIN));
      }
      await feed.make('d', 1);
      assert.equal(await epoll.wait(0), []);
    }),
  ));

test('info and ordinary files are always ready', () =>
  withFeed(async (feed) => {
    const file = join(feed.mount.mnt, 'file');
    fs.writeFileSync(file, 'x');
    for (const path of [join(feed.folder, 'info'), file]) {
      await withReader(path, async (fd) => assert.ok((await poll(fd, 0)) & POLLIN, path));
    }
  }));

test('a blocked read and a poll on the same open both end', () =>
  withFeed((feed) =>
    withReader(feed.path('stream.ndjson'), async (fd) => {
      const waits = [poll(fd, WAIT_MS), poll(fd, WAIT_MS), poll(fd, WAIT_MS)];
      await feed.make('d', 1);
      for (const events of await within(Promise.all(waits), WAIT_MS, 'three polls')) {
        assert.ok(events & POLLIN);
      }
    }),
  ));

test.run();
