/** `feedfs send` on mounts: what it refuses, what ends it, and what receivers do to it. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../../src/cli/exit-codes.js';
import { openFeed } from '../../../src/consumer/feeds.js';
import type { FeedInfo } from '../../../src/consumer/types.js';
import { feedfs, type TestMount, withFolder, withMount } from '../../support/mount.js';
import { encodeAll, parseAll, RECORDS_STREAM } from '../stream/stream-fixture.js';
import { Following, receiver, send, sendFails, sendOk, settle } from './sending.js';

function write(mount: TestMount, name: string): void {
  fs.writeFileSync(join(mount.mnt, name), name);
  settle(mount);
}

async function infoOf(mount: TestMount): Promise<FeedInfo> {
  const feed = await openFeed(mount.mnt, 'backup');
  try {
    return await feed.info();
  } finally {
    feed.close();
  }
}

/** Acknowledges records by their indices. */
async function acknowledge(mount: TestMount, ...indices: readonly number[]): Promise<void> {
  const feed = await openFeed(mount.mnt, 'backup');
  try {
    for await (const record of feed.records({ follow: false })) {
      if (indices.includes(record.index)) await feed.acknowledge(record);
    }
  } finally {
    feed.close();
  }
}

test('what is not wholly there is refused, with the way out', () =>
  withMount(async (mount) => {
    await sendFails(mount, ExitCode.NO_FEED, /no feed backup .*there is none/);
    const folder = mount.feed('backup');
    for (const name of ['a', 'b', 'c', 'd']) write(mount, name);
    const next = (await infoOf(mount)).nextIndex;
    await sendFails(
      mount,
      ExitCode.USAGE,
      new RegExp(`last one is ${next - 1}`),
      '--from',
      `${next + 1}`,
    );
    await sendFails(mount, ExitCode.USAGE, /whole number/, '--from', '0');
    await sendFails(mount, ExitCode.USAGE, /exclude/, '--from', '1', '--baseline');
    await sendFails(mount, ExitCode.USAGE, /--inspect/, '--json');
    await acknowledge(mount, 1, 2);
    await sendFails(mount, ExitCode.STREAM_REFUSED, /before record 3.*--baseline/, '--from', '2');
    await acknowledge(mount, 4);
    for (const from of ['last', '3']) {
      await sendFails(mount, ExitCode.STREAM_REFUSED, /out of order.*--baseline/, '--from', from);
    }
    // A baseline is the way out, and acknowledging it closes the gap.
    await sendOk(mount, '--baseline', '--ack');
    assert.is((await infoOf(mount)).gaps, 0);
    assert.is(parseAll(await sendOk(mount, '--from', 'last')).received.length, 2);
    fs.writeFileSync(join(folder, 'filter'), '{"ops":["unlink"]}');
    for (const args of [['--baseline'], ['--from', 'last']]) {
      await sendFails(mount, ExitCode.STREAM_REFUSED, /has a filter/, ...args);
    }
  }));

test('a feed that lost records needs a baseline, one that expired cannot be sent', () =>
  withMount(async (mount) => {
    const folder = mount.feed('backup');
    fs.writeFileSync(join(folder, 'policy'), '{"maxRecords":20,"then":"drop-oldest"}');
    for (let i = 0; i < 40; i++) write(mount, `f${i}`);
    await sendFailsAfterHeader(mount, /lost \d+ records.*--baseline/);
    await sendOk(mount, '--baseline', '--ack');
    assert.ok(parseAll(await sendOk(mount, '--from', 'last')).error === undefined);
    fs.writeFileSync(join(folder, 'policy'), '{"maxRecords":20,"then":"expire"}');
    for (let i = 0; i < 40; i++) write(mount, `f${i}`);
    await sendFails(mount, ExitCode.FEED_EXPIRED, /backup expired/);
  }));

/** What stands in the way is found when it is read. */
async function sendFailsAfterHeader(mount: TestMount, message: RegExp): Promise<void> {
  const { code, stdout, stderr } = await send(mount, '--once', '--from', 'last');
  assert.is(code, ExitCode.STREAM_REFUSED, stderr);
  assert.match(stderr, message);
  const { received, error } = parseAll(stdout);
  assert.equal([received.length, error?.kind], [1, 'truncated']);
}

test('following: a change comes at once, and Ctrl-C ends a whole stream', () =>
  withMount(async (mount) => {
    mount.feed('backup');
    write(mount, 'before');
    const following = new Following(mount);
    const baseline = await following.until('commit');
    assert.is(baseline.from, undefined);
    write(mount, 'after');
    assert.equal(Buffer.from((await following.until('data')).bytes).toString(), 'after');
    assert.is.not((await following.until('commit')).from, undefined);
    const { end } = await following.until('idle');
    assert.is(end.index, (await infoOf(mount)).nextIndex);
    following.child.kill('SIGINT');
    assert.is(await following.rest(), 'end');
    assert.is(await following.exit(), ExitCode.INTERRUPTED);
    assert.is((await infoOf(mount)).acknowledged.index, 1, 'nobody confirmed anything');
  }));

test('following: the feed is removed, expires, or is not served any more', () =>
  withMount(async (mount) => {
    const folder = mount.feed('backup');
    const removed = new Following(mount);
    await removed.until('commit');
    fs.rmdirSync(folder);
    assert.is(await removed.rest(), 'end');
    assert.is(await removed.exit(), ExitCode.OK);
    assert.match(removed.stderr, /feed backup was removed/);

    mount.feed('backup');
    fs.writeFileSync(join(folder, 'policy'), '{"maxRecords":20,"then":"expire"}');
    const expired = new Following(mount);
    await expired.until('commit');
    for (let i = 0; i < 40; i++) write(mount, `f${i}`);
    assert.match(await expired.rest(), /truncated$/);
    assert.is(await expired.exit(), ExitCode.FEED_EXPIRED);
    fs.rmdirSync(folder);

    mount.feed('backup');
    const left = new Following(mount);
    await left.until('commit');
    await mount.kill();
    assert.is(await left.rest(), 'truncated');
    assert.is(await left.exit(), ExitCode.FAILURE);
    assert.match(left.stderr, /not served any more.*--from last/);
  }));

test('following: a reader that goes away ends it quietly', () =>
  withMount(async (mount) => {
    mount.feed('backup');
    const following = new Following(mount);
    await following.until('commit');
    following.child.stdout?.destroy();
    assert.is(await following.exit(), ExitCode.OK);
    assert.is(following.stderr, '');
  }));

test('--to: what is confirmed is acknowledged, and the next time goes on there', () =>
  withMount(async (mount) => {
    mount.feed('backup');
    write(mount, 'a');
    const file = join(mount.folder, 'kinds');
    const run = async (script: object): Promise<string> => {
      const command = receiver({ file, ...script });
      const { code, stderr, stdout } = await send(mount, '--once', '--to', command);
      assert.equal([code, stderr, stdout.length], [0, '', 0]);
      return fs.readFileSync(file, 'utf8');
    };
    assert.is(await run({ copy: null, confirm: 'all' }), 'header entries commit end');
    const { acknowledged, filesystem, id, nextIndex } = await infoOf(mount);
    assert.is(acknowledged.index, nextIndex);
    write(mount, 'b');
    const { epoch, offset, index } = acknowledged;
    const place = { epoch, offset: `${offset}`, index: `${index}` };
    const copy = { filesystem, feed: id, baseline: 'complete', ...place };
    // Nothing is acknowledged that is not confirmed.
    assert.is(await run({ copy }), 'header records data commit end');
    assert.equal((await infoOf(mount)).acknowledged, acknowledged);
    assert.is(await run({ copy, confirm: 'first' }), 'header records data commit end');
    assert.ok((await infoOf(mount)).acknowledged.index > index);
    // The feed has forgotten what this copy lacks.
    const old = await send(mount, '--once', '--to', receiver({ file, copy, confirm: 'all' }));
    assert.match(old.stderr, /a new baseline is sent, since/);
    assert.is(fs.readFileSync(file, 'utf8'), 'header entries commit end');
    const strict = receiver({ copy });
    await sendFails(mount, ExitCode.STREAM_REFUSED, /--baseline/, '--from', 'last', '--to', strict);
  }));

test('--to: whatever becomes of the command is told, and is its exit code', () =>
  withMount(async (mount) => {
    mount.feed('backup');
    write(mount, 'a');
    const cases: readonly (readonly [string, number, RegExp])[] = [
      ['exit 7', ExitCode.FAILURE, /ended with exit code 7/],
      ['kill -9 $$', ExitCode.FAILURE, /ended by SIGKILL/],
      ['no-such-command', ExitCode.FAILURE, /exit code 127/],
      [receiver({ copy: null, banner: 'Welcome' }), ExitCode.FAILURE, /printed "Welcome"/],
      [receiver({ copy: null, confirm: 'ahead' }), ExitCode.FAILURE, /was not sent/],
      [receiver({ copy: null, exitCode: 15 }), ExitCode.COPY_INCOMPLETE, /^$/],
      [receiver({ copy: null, exitCode: 14 }), ExitCode.STREAM_REFUSED, /^$/],
    ];
    for (const [command, exitCode, message] of cases) {
      const { code, stderr } = await send(mount, '--once', '--to', command);
      assert.is(code, exitCode, `${command}: ${stderr}`);
      assert.match(stderr, message, command);
    }
    assert.is((await infoOf(mount)).acknowledged.index, 1);
    const other = {
      filesystem: 'ab',
      feed: 1,
      baseline: 'complete',
      epoch: 0,
      offset: '0',
      index: '1',
    };
    const { code, stderr } = await send(mount, '--once', '--to', receiver({ copy: other }));
    assert.is(code, ExitCode.FAILURE);
    assert.match(stderr, /one of another filesystem/);
  }));

test('--to: a receiver that ends while nothing changes ends the sender', () =>
  withMount(async (mount) => {
    mount.feed('backup');
    write(mount, 'a');
    const script = { copy: null, confirm: 'all', endAfterCommits: 1, exitCode: 14 };
    const { code, stderr } = await feedfs([
      ...['send', 'backup', '-m', mount.mnt, '--to', receiver(script)],
    ]);
    assert.is(code, ExitCode.STREAM_REFUSED, stderr);
    // What it confirmed before that counts.
    const { acknowledged, nextIndex } = await infoOf(mount);
    assert.is(acknowledged.index, nextIndex);
  }));

test('--inspect tells what a stream consists of, and whether it is whole', () =>
  withFolder(async (folder) => {
    const file = join(folder, 'stream');
    const bytes = encodeAll(RECORDS_STREAM);
    const inspect = async (content: Uint8Array, ...args: string[]) => {
      fs.writeFileSync(file, content);
      return feedfs(['send', '--inspect', file, ...args]);
    };
    // Its records are none, which only an inspection sees.
    const bad = await inspect(bytes);
    assert.is(bad.code, ExitCode.STREAM_REFUSED);
    assert.match(bad.stderr, /damaged at byte \d+ \(frame 1\): bad record/);
    assert.match(bad.stdout.toString(), /whole +no: it is damaged/);
    const json = await inspect(bytes.subarray(0, 20), '--json');
    assert.is(json.code, ExitCode.STREAM_REFUSED);
    const { error, complete } = JSON.parse(json.stdout.toString());
    assert.equal([error.kind, error.frame, error.offset, complete], ['truncated', 0, 0, false]);
    const foreign = await inspect(Buffer.from('some text that is no stream at all'));
    assert.is(foreign.code, ExitCode.STREAM_REFUSED);
    assert.match(foreign.stderr, /foreign/);
    assert.is(foreign.stdout.length, 0);
    const missing = await feedfs(['send', '--inspect', join(folder, 'none')]);
    assert.is(missing.code, ExitCode.FAILURE);
    assert.match(missing.stderr, /ENOENT/);
  }));

test('--inspect of a real one, from a file and from a pipe', () =>
  withMount(async (mount) => {
    mount.feed('backup');
    write(mount, 'a');
    fs.writeFileSync(join(mount.mnt, 'large'), Buffer.alloc(200_000, 7));
    const stream = await sendOk(mount, '--compress');
    const { code, stdout } = await feedfs(['send', '--inspect'], { input: stream });
    assert.is(code, ExitCode.OK);
    const text = stdout.toString();
    assert.match(text, /feed +backup \(id 1\)/);
    assert.match(text, /begins +with a baseline/);
    assert.match(text, /whole +yes/);
    assert.match(text, /data +1 +\S+ +\d+% +195K of contents/);
    for (const line of text.split('\n'))
      assert.ok(line.length <= 80 || line.startsWith('origin'), line);
    const json = await feedfs(['send', '--inspect', '-', '--json'], { input: stream });
    const { bytes, kinds, complete, header, to } = JSON.parse(json.stdout.toString());
    assert.equal([bytes, complete, header.kind], [stream.length, true, 'baseline']);
    assert.equal([kinds.entries.items, kinds.data.items], [5, 200_000]);
    assert.is(to.index, `${(await infoOf(mount)).nextIndex}`);
  }));

test.run();
