/** `feedfs changelog` and cat(1) on a mount. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { readLustreRecords } from '../support/lustre-record.js';
import { feedfs, MAIN, withMount } from '../support/mount.js';
import { exitOf, within } from '../support/processes.js';
import { ChangelogFeed, indices } from './changelog-fixture.js';
import { WAIT_MS } from './feed-fixture.js';
import { type Follower, following } from './follow.js';

function withFeed(use: (feed: ChangelogFeed) => Promise<void>): Promise<void> {
  return withMount((mount) => use(new ChangelogFeed(mount)));
}

async function lines(feed: ChangelogFeed, ...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await feedfs(['changelog', '-m', feed.mount.mnt, ...args]);
  assert.is(code, ExitCode.OK, stderr);
  return stdout.toString().split('\n').slice(0, -1);
}

/** The complete lines. */
function printed({ text }: Follower): string[] {
  return text.split('\n').slice(0, -1);
}

const LINE =
  /^(\d+) 02MKDIR \d\d:\d\d:\d\d\.\d{9} \d{4}\.\d\d\.\d\d 0x0 t=\[0x2\w+:0x\w+:0x0\] j=\S+ ef=0x13 u=\d+:\d+ nid=0@lo p=\[0x200000007:0x1:0x0\] d-(\d+)$/;

test('it prints what is owed, from an index, and acknowledges when told to', () =>
  withFeed(async (feed) => {
    await feed.make('d', 50);
    const all = await lines(feed, 'f');
    assert.is(all.length, 50);
    for (const [i, line] of all.entries()) {
      const [, index, number] = LINE.exec(line) ?? [];
      assert.equal([index, number], [`${i + 1}`, `${i}`], line);
    }
    assert.equal(await lines(feed, 'f', '--from', '48'), all.slice(47));
    assert.equal(await lines(feed, 'f', '--from', '51'), []);
    assert.is(feed.info().firstIndex, '1');
    assert.equal(await lines(feed, feed.folder, '--clear'), all);
    assert.is(feed.info().firstIndex, '51');
    assert.equal(await lines(feed, 'f'), []);
  }));

test('it follows', () =>
  withFeed(async (feed) => {
    await feed.make('d', 2);
    const args = [MAIN, 'changelog', '--follow', '-m', feed.mount.mnt, 'f'];
    await following(process.execPath, args, async (command) => {
      await command.prints(() => printed(command).length >= 2, 'two lines');
      await feed.make('e', 1);
      await command.prints(() => printed(command).length >= 3, 'a third line');
      assert.match(printed(command)[2] ?? '', / e-0$/);
      fs.rmdirSync(feed.folder);
      assert.equal(await within(exitOf(command.child), WAIT_MS, 'its end'), {
        code: 0,
        signal: null,
      });
    });
  }));

test('whoever follows a feed that expires is told, as by tail', () =>
  withFeed(async (feed) => {
    await feed.make('d', 1);
    const args = [MAIN, 'changelog', '--follow', '-m', feed.mount.mnt, 'f'];
    await following(process.execPath, args, async (command) => {
      await command.prints(() => printed(command).length >= 1, 'a line');
      fs.writeFileSync(join(feed.folder, 'policy'), '{"maxRecords":1}');
      fs.mkdirSync(join(feed.mount.mnt, 'e'));
      const end = await within(exitOf(command.child), WAIT_MS, 'its end');
      assert.is(end.code, ExitCode.FEED_EXPIRED);
      assert.match(command.text, /feed f expired at .* because it owed more than 1 record/);
    });
  }));

test('a feed or index that is none', () =>
  withFeed(async (feed) => {
    const mount = ['-m', feed.mount.mnt];
    const none = await feedfs(['changelog', ...mount, 'other']);
    assert.is(none.code, ExitCode.NO_FEED);
    assert.match(none.stderr, /no feed other on .* \(there are: f\)/);
    const bad = await feedfs(['changelog', ...mount, 'f', '--from', '0']);
    assert.is(bad.code, ExitCode.USAGE);
  }));

test('cat gives all records', () =>
  withFeed(async (feed) => {
    await feed.make('d', 200);
    const { stdout } = spawnSync('cat', [feed.changelog]);
    assert.is(readLustreRecords(stdout).length, 200);
    const copy = join(feed.mount.folder, 'copy');
    assert.is(spawnSync('cp', [feed.changelog, copy]).status, 0);
    assert.equal(fs.readFileSync(copy), stdout);
    assert.equal(indices(feed.records()), indices(readLustreRecords(stdout)));
  }));

test.run();
