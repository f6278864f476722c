/** Streams of mounted filesystems: what they say is there is what is there. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CHANGES, prepareFor } from '../../mount/every-change.js';
import { withMount } from '../../support/mount.js';
import { parseAll } from '../stream/stream-fixture.js';
import { sendOk, sendToFile } from './sending.js';
import { StreamReplay, treeOf } from './stream-replay.js';

/** Changes that share a stream. */
const GROUP = 3;

test('a baseline, and then every kind of change', () =>
  withMount(async (mount) => {
    const { mnt } = mount;
    prepareFor(mnt);
    fs.linkSync(join(mnt, 'file'), join(mnt, 'full', 'again'));
    fs.truncateSync(join(mnt, 'large'), 3_000_000);
    mount.feed('backup');
    const replay = new StreamReplay();
    replay.apply(await sendOk(mount));
    assert.equal(replay.tree(), treeOf(mnt), 'the baseline');
    await sendOk(mount, '--from', 'last', '--ack');
    for (let first = 0; first < CHANGES.length; first += GROUP) {
      const group = CHANGES.slice(first, first + GROUP);
      for (const { run } of group) {
        for (const left of fs.readdirSync(mnt)) fs.rmSync(join(mnt, left), { recursive: true });
        prepareFor(mnt);
        run(mnt);
      }
      replay.apply(await sendOk(mount, '--from', 'last', '--ack', '--compress'));
      assert.equal(replay.tree(), treeOf(mnt), group.map(({ name }) => name).join(', '));
    }
  }));

test('a baseline of an empty filesystem, and of one with very many small and some large files', () =>
  withMount(async (mount) => {
    const { mnt } = mount;
    mount.feed('backup');
    const empty = new StreamReplay();
    empty.apply(await sendOk(mount));
    assert.equal(empty.tree(), treeOf(mnt));
    for (let folder = 0; folder < 20; folder++) {
      fs.mkdirSync(join(mnt, `d${folder}`));
      for (let i = 0; i < 150; i++) {
        fs.writeFileSync(join(mnt, `d${folder}`, `f${i}`), `${folder} ${i} `.repeat(i));
      }
    }
    for (const bytes of [8_192, 8_193, 131_071, 131_072, 2_500_000]) {
      fs.writeFileSync(join(mnt, `large${bytes}`), Buffer.alloc(bytes, `${bytes}`));
    }
    const all = new StreamReplay();
    all.apply(await sendOk(mount, '--compress'));
    assert.equal(all.tree(), treeOf(mnt));
    // The same by its records alone.
    empty.apply(await sendOk(mount, '--from', '1'));
    assert.equal(empty.tree(), treeOf(mnt));
  }));

test('files that change all the time are right once they do not', () =>
  withMount(async (mount) => {
    const { mnt } = mount;
    mount.feed('backup');
    const names = ['a', 'b', 'c'].map((name) => join(mnt, name));
    const change = (round: number): void => {
      for (const [i, name] of names.entries()) {
        fs.writeFileSync(name, Buffer.alloc(50_000 * ((round + i) % 7), round));
        if ((round + i) % 5 === 0) fs.rmSync(name);
      }
    };
    change(1);
    const replay = new StreamReplay();
    // While the sender runs, this process writes: the one is not waited for by the other.
    let isDone = false;
    const stream = sendOk(mount).finally(() => {
      isDone = true;
    });
    for (let round = 2; !isDone; round++) {
      change(round);
      await new Promise((resolve) => setImmediate(resolve));
    }
    replay.apply(await stream);
    const { received } = parseAll(await stream);
    const commit = received.findLast(({ frame }) => frame.kind === 'commit')?.frame;
    assert.ok(commit?.kind === 'commit');
    replay.apply(await sendOk(mount, '--from', `${commit.to.index}`));
    assert.equal(replay.tree(), treeOf(mnt));
  }));

test('a stream in a file is where the next one begins', () =>
  withMount(async (mount) => {
    const { mnt, folder } = mount;
    mount.feed('backup');
    fs.writeFileSync(join(mnt, 'one'), '1');
    const replay = new StreamReplay();
    const file = join(folder, 'stream');
    const kept = async (...args: string[]): Promise<Buffer> => {
      assert.equal(await sendToFile(mount, file, ...args), { code: 0, stderr: '' });
      return fs.readFileSync(file);
    };
    replay.apply(await kept());
    fs.writeFileSync(join(mnt, 'two'), '2');
    replay.apply(await kept('--from', 'last'));
    assert.equal(replay.tree(), treeOf(mnt));
    assert.is(parseAll(await kept('--from', 'last')).received.length, 2);
    // What was kept in files is not acknowledged, and what goes elsewhere begins behind that.
    assert.ok(parseAll(await sendOk(mount, '--from', 'last')).received.length > 2);
    fs.writeFileSync(join(mnt, 'three'), '3');
    replay.apply(await kept('--from', 'last', '--ack'));
    assert.equal(replay.tree(), treeOf(mnt));
    assert.is(parseAll(await sendOk(mount, '--from', 'last')).received.length, 2);
    // A damaged cursor is not guessed at.
    const cursors = join(folder, 'state/feedfs/send');
    const [cursor = ''] = fs.readdirSync(cursors);
    fs.writeFileSync(join(cursors, cursor), '{');
    const { code, stderr } = await sendToFile(mount, file, '--from', 'last');
    assert.is(code, 1);
    assert.match(stderr, /cannot be used.*remove it/);
  }));

test.run();
