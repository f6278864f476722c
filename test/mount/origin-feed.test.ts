/** Whoever receives believes no stream what it says of a directory: a stream may be anybody's. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseMountinfo } from '../../src/base/mountinfo.js';
import { mountOfFeed, mountsHere, openOriginFeed } from '../../src/bridges/receive/origin-feed.js';
import { quiesce } from '../clone/cloning.js';
import { withFolder, withMount } from '../support/mount.js';

test('a feed of a mounted feedfs is told how far a copy is', () =>
  withMount(async (mount) => {
    const path = mount.feed('f');
    for (const name of ['a', 'b']) fs.mkdirSync(join(mount.mnt, name));
    quiesce(mount.mnt);
    const feed = openOriginFeed(path);
    if (feed === undefined) throw new Error('no feed');
    const { id, nextOffset, nextIndex } = await feed.info();
    const info = () => JSON.parse(fs.readFileSync(join(path, 'info'), 'utf8'));
    assert.equal([id, String(nextIndex)], [info().id, info().nextIndex]);
    await feed.acknowledgeLog({ offset: 0, length: nextOffset });
    assert.is(info().owedRecords, '0');
    feed.close();
  }));

test('anything else is left alone: it is not even opened', () =>
  withMount(async (mount) => {
    const name = mount.feed('f');
    const link = join(mount.folder, 'link');
    fs.symlinkSync(mount.mnt, link);
    const evil = join(mount.folder, '.lustre/feeds/f');
    fs.mkdirSync(evil, { recursive: true });
    // Whoever opens one of these waits for a writer.
    execFileSync('mkfifo', [join(evil, 'info'), join(mount.folder, 'fifo')]);
    const directories = [
      ...[evil, join(mount.folder, 'fifo'), '/.lustre/feeds/f', 'f', '', '/'],
      ...[join(link, '.lustre/feeds/f'), mount.mnt, join(mount.mnt, '.lustre/feeds'), `${name}/`],
      ...[`${name}/info`, `${mount.mnt}/.lustre/feeds/..`, `${mount.mnt}/.lustre/feeds/f/../f`],
    ];
    for (const directory of directories) assert.is(openOriginFeed(directory), undefined, directory);
    assert.throws(() => openOriginFeed(join(mount.mnt, '.lustre/feeds/gone')), /ENOENT/);
  }));

test('what is in the directory is used only if it is a file of that mount', () =>
  withFolder(async (folder) => {
    const directory = join(folder, '.lustre/feeds/f');
    fs.mkdirSync(directory, { recursive: true });
    const victim = join(folder, 'victim');
    fs.writeFileSync(victim, 'x'.repeat(9_000));
    fs.symlinkSync(victim, join(directory, 'stream'));
    execFileSync('mkfifo', [join(directory, 'info')]);
    const { dev } = fs.statSync(folder);
    // As if a feedfs of somebody else's making were mounted there.
    const mounts = parseMountinfo(`30 22 0:1 / ${folder} rw - fuse.feedfs x rw`);
    assert.is(openOriginFeed(directory, mounts), undefined, 'of another device');
    const feed = openOriginFeed(
      directory,
      mounts.map((mount) => ({ ...mount, device: dev })),
    );
    if (feed === undefined) throw new Error('no feed');
    for (const work of [feed.info(), feed.acknowledgeLog({ offset: 0, length: 8_192 })]) {
      assert.match(
        String(await work.catch((error: unknown) => error)),
        /ELOOP|is no file of a feed/,
      );
    }
    feed.close();
    assert.is(fs.readFileSync(victim, 'utf8'), 'x'.repeat(9_000));
  }));

test('of mounts on one directory the topmost counts, and only a whole feedfs', () => {
  const line = (type: string, root = '/') => `30 22 0:7 ${root} /m rw - ${type} x rw\n`;
  const device = (...lines: string[]) =>
    mountOfFeed('/m/.lustre/feeds/f', parseMountinfo(lines.join('')))?.device;
  assert.is(device(line('fuse.feedfs')), 7);
  assert.is(device(line('fuse.feedfs'), line('tmpfs')), undefined);
  assert.is(device(line('tmpfs'), line('fuse.feedfs')), 7);
  assert.is(device(line('fuse.feedfs', '/sub')), undefined);
  assert.ok(mountsHere().some(({ mountpoint }) => mountpoint === '/'));
});

test.run();
