/** A feed's files as programs and processes meet them: cursors, blocking, the end, names. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fails } from '../posix/case.js';
import { lseek, SEEK_DATA, SEEK_SET } from '../posix/libc.js';
import { withMount } from '../support/mount.js';
import { exitOf, isBlockedReading, run, until, within } from '../support/processes.js';
import {
  bytesRead,
  dup,
  namesIn,
  numbered,
  read,
  setNonBlocking,
  TestFeed,
  WAIT_MS,
  withOpen,
  withReader,
} from './feed-fixture.js';
import { following } from './follow.js';

const BIG = 1024 * 1024;

function withFeed(use: (feed: TestFeed) => Promise<void> | void): Promise<void> {
  return withMount((mount) => use(new TestFeed(mount)));
}

/** A read that may block, on a thread of its own. */
function readLater(fd: number, position: number | null): Promise<Buffer> {
  const buffer = Buffer.alloc(BIG);
  return new Promise((resolve, reject) => {
    fs.read(fd, buffer, 0, BIG, position, (error, length) => {
      if (error) reject(error);
      else resolve(buffer.subarray(0, length));
    });
  });
}

test('a read after lseek is a positioned one, and moves the cursor', () =>
  withFeed(async (feed) => {
    await feed.make('d', 4);
    const [one = 0, two = 0, three = 0] = feed.boundaries('stream.ndjson').slice(1);
    withReader(feed.path('stream.ndjson'), (fd) => {
      assert.equal(namesIn(read(fd, BIG)), numbered('d', 0, 4));
      assert.is(lseek(fd, one, SEEK_SET), one);
      assert.equal(namesIn(read(fd, two - one)), ['d-1']);
      // The rest follows as from a FIFO.
      assert.equal(namesIn(read(fd, BIG)), ['d-2', 'd-3']);
      assert.is(read(fd, BIG), 'EAGAIN');
      assert.equal(namesIn(read(fd, three - two, two)), ['d-2']);
    });
  }));

test('a positioned read at the end waits like a sequential one', () =>
  withFeed(async (feed) => {
    await feed.make('d', 2);
    const end = feed.boundaries('stream.ndjson').at(-1) ?? 0;
    withReader(feed.path('stream.ndjson'), (fd) => assert.is(read(fd, 10, end), 'EAGAIN'));
    await withOpen(feed.path('stream.ndjson'), fs.constants.O_RDONLY, async (fd) => {
      // Side by side on one descriptor: pread does not take the lock of its file position.
      const pending = [readLater(fd, end), readLater(fd, end)];
      await feed.make('new', 1);
      for (const part of await within(Promise.all(pending), WAIT_MS, 'two reads')) {
        assert.equal(namesIn(part), ['new-0']);
      }
    });
  }));

test('two opens are independent, and a duplicate shares the cursor', () =>
  withFeed(async (feed) => {
    await feed.make('d', 3);
    const path = feed.path('stream.ndjson');
    const [one = 0] = feed.boundaries('stream.ndjson').slice(1);
    withReader(path, (first) =>
      withReader(path, (second) => {
        assert.equal(namesIn(read(first, one + 1)), ['d-0']);
        assert.equal(namesIn(read(second, BIG)), ['d-0', 'd-1', 'd-2']);
        const copy = dup(first);
        try {
          assert.equal(namesIn(read(copy, one + 1)), ['d-1']);
          assert.equal(namesIn(read(first, BIG)), ['d-2']);
          assert.is(read(copy, BIG), 'EAGAIN');
        } finally {
          fs.closeSync(copy);
        }
      }),
    );
  }));

test('a child that inherits the descriptor goes on where the parent stands', () =>
  withFeed(async (feed) => {
    await feed.make('d', 3);
    const [one = 0] = feed.boundaries('stream.ndjson').slice(1);
    await withReader(feed.path('stream.ndjson'), async (fd) => {
      assert.equal(namesIn(read(fd, one + 1)), ['d-0']);
      const copied = join(feed.mount.folder, 'copied');
      const args = [`bs=${one + 1}`, 'count=1', 'status=none', `of=${copied}`];
      const child = spawn('dd', args, { stdio: [fd, 'ignore', 'inherit'] });
      assert.is((await within(exitOf(child), WAIT_MS, 'dd')).code, 0);
      assert.equal(namesIn(fs.readFileSync(copied)), ['d-1']);
      assert.equal(namesIn(read(fd, BIG)), ['d-2']);
    });
  }));

test('O_NONBLOCK counts as it is at each read', () =>
  withFeed(async (feed) => {
    await withOpen(feed.path('stream.ndjson'), fs.constants.O_RDONLY, async (fd) => {
      setNonBlocking(fd, true);
      assert.is(read(fd, BIG), 'EAGAIN');
      setNonBlocking(fd, false);
      const pending = readLater(fd, null);
      await feed.make('d', 1);
      assert.equal(namesIn(await within(pending, WAIT_MS, 'the read')), ['d-0']);
      setNonBlocking(fd, true);
      assert.is(read(fd, BIG), 'EAGAIN');
    });
  }));

test('a removed feed is the end of the file for its readers, and its name is free', () =>
  withFeed(async (feed) => {
    await feed.make('d', 2);
    await following('cat', [feed.path('stream.ndjson')], async (cat) => {
      await cat.blocks();
      await withReader(feed.path('stream'), async (fd) => {
        fs.rmdirSync(feed.folder);
        await until(() => cat.child.exitCode !== null, 'the end of cat');
        assert.is(cat.child.exitCode, 0);
        assert.is(bytesRead(read(fd, BIG)).length, 0);
        fails(['ENODEV', 'ENXIO', 'ESTALE'], () => lseek(fd, 0, SEEK_DATA));
      });
    });
    fails('ENOENT', () => fs.statSync(feed.folder));
    fails('ENOENT', () => fs.rmdirSync(feed.folder));
    fs.mkdirSync(feed.folder);
    assert.is(feed.info().owedRecords, '0');
  }));

test('a feed shows only what came after it was made', () =>
  withFeed(async (feed) => {
    await feed.make('early', 3);
    const late = new TestFeed(feed.mount, 'late');
    await feed.make('late', 2);
    withReader(late.path('stream.ndjson'), (fd) => {
      assert.ok(lseek(fd, 0, SEEK_DATA) > 0);
      assert.equal(namesIn(read(fd, BIG)), numbered('late', 0, 2));
    });
    assert.is(fs.statSync(late.path('stream')).size, fs.statSync(feed.path('stream')).size);
  }));

test('names of feeds', () =>
  withFeed((feed) => {
    const feeds = join(feed.folder, '..');
    for (const bad of ['tab\there', 'line\nbreak', '\x01', 'del\x7f']) {
      fails('EINVAL', () => fs.mkdirSync(join(feeds, bad)));
    }
    fails('ENAMETOOLONG', () => fs.mkdirSync(join(feeds, 'x'.repeat(256))));
    fails('EEXIST', () => fs.mkdirSync(feed.folder));
    fails('ENOENT', () => fs.mkdirSync(join(feeds, 'none', 'below')));
    const good = ['x'.repeat(255), 'blank and "quotes"', 'ünï€', '.hidden', '-n'];
    for (const name of good) fs.mkdirSync(join(feeds, name));
    const bytes = Buffer.concat([Buffer.from(`${feeds}/`), Buffer.from([0xff, 0xfe])]);
    fails('EINVAL', () => fs.mkdirSync(bytes));
    assert.equal(fs.readdirSync(feeds).sort(), [...good, 'f'].sort());
    for (const name of good) fs.rmdirSync(join(feeds, name));
    assert.equal(fs.readdirSync(feeds), ['f']);
    fails('EPERM', () => fs.writeFileSync(join(feeds, 'file'), ''));
    fails('EPERM', () => fs.renameSync(feed.folder, join(feeds, 'other')));
  }));

test('Ctrl-C at a terminal ends a cat that waits', () =>
  withFeed(async (feed) => {
    const command = `echo pid $$; exec cat '${feed.path('stream.ndjson')}'`;
    // script(1) gives it a terminal, whose Ctrl-C is the byte 3.
    const session = spawn('script', ['-qec', command, '/dev/null'], { stdio: 'pipe' });
    let text = '';
    session.stdout.on('data', (part: Buffer) => {
      text += part.toString();
    });
    try {
      const cat = () => Number(/pid (\d+)\s/.exec(text)?.[1] ?? 0);
      await until(() => isBlockedReading(cat(), 'stream.ndjson'), 'the cat to block');
      session.stdin.write('\x03');
      const { code } = await within(exitOf(session), WAIT_MS, 'the end of the session');
      assert.is(code, 128 + constants.signals.SIGINT);
    } finally {
      session.kill('SIGKILL');
      await exitOf(session);
    }
  }));

test('ls -ls, du and stat show what is owed', () =>
  withFeed(async (feed) => {
    await feed.make('d', 100);
    const path = feed.path('stream.ndjson');
    const { size, blocks } = fs.statSync(path);
    const [, shownBlocks, shownSize] = /^(\d+) \S+ 1 \S+ \S+ (\d+) /.exec(
      (await run('ls', ['-ls', '--block-size=512', path])).stdout.toString(),
    ) ?? ['', '', ''];
    assert.is(Number(shownSize) * 1, Math.ceil(size / 512));
    assert.is(Number(shownBlocks), blocks);
    const du = (await run('du', ['-B512', path])).stdout.toString();
    assert.is(Number(du.split('\t')[0]), blocks);
    const apparent = (await run('du', ['-b', path])).stdout.toString();
    assert.is(Number(apparent.split('\t')[0]), size);
    const stat = (await run('stat', ['-c', '%F %s %b %B', path])).stdout.toString();
    assert.is(stat, `regular file ${size} ${blocks} 512\n`);
  }));

test.run();
