/** The commands that use a feed's files, on ordinary files in a feed's place. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { BLOCK_BYTES, withPlainFeed, writePlainFeed } from '../consumer/plain-feed.js';
import { RECORD_BYTES } from '../consumer/record-line.js';
import { feedfs, MAIN } from '../support/mount.js';

/** A successful command's standard output. */
async function ok(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { code, stdout, stderr } = await feedfs(args, { env: { ...process.env, ...env } });
  assert.is(code, ExitCode.OK, stderr);
  assert.is(stderr, '');
  return stdout.toString();
}

async function fails(args: readonly string[], exitCode: ExitCode, message: RegExp): Promise<void> {
  const { code, stdout, stderr } = await feedfs(args);
  assert.is(code, exitCode, stderr);
  assert.is(stdout.length, 0);
  assert.match(stderr, message);
  assert.match(stderr, /^feedfs: /);
}

/** Indices that `tail --json` prints. */
async function tailIndices(...args: string[]): Promise<number[]> {
  const text = await ok(['tail', '--json', '--no-follow', ...args]);
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => Number((JSON.parse(line) as { index: string }).index));
}

test('feed ls: a table, and JSON', () =>
  withPlainFeed(3, async ({ mount }) => {
    writePlainFeed(mount, 'idle', 0);
    const lines = (await ok(['feed', 'ls', '--mount', mount])).split('\n');
    assert.match(lines[0] ?? '', /^NAME +RECORDS +BYTES +AGE +IDLE +STATE$/);
    assert.match(lines[1] ?? '', /^backup +3 +600B +\d+d +0s +active$/);
    assert.match(lines[2] ?? '', /^idle +0 +0B +- +0s +active$/);
    const json = JSON.parse(await ok(['feed', 'ls', '--json', '-m', mount])) as { name: string }[];
    assert.equal(
      json.map(({ name }) => name),
      ['backup', 'idle'],
    );
  }));

test('feed show: aligned text, and the JSON of info', () =>
  withPlainFeed(3, async ({ mount, directory }) => {
    const text = await ok(['feed', 'show', 'backup'], { FEEDFS_MOUNT: mount });
    assert.match(text, /^name +backup$/m);
    assert.match(text, /^owes +3 records, 600B \(12K as text\)$/m);
    const json: unknown = JSON.parse(await ok(['feed', 'show', directory, '--json']));
    assert.equal(json, JSON.parse(fs.readFileSync(path.join(directory, 'info'), 'utf8')));
  }));

test('feed create and rm', () =>
  withPlainFeed(1, async ({ mount }) => {
    await ok(['feed', 'create', 'audit', '-m', mount]);
    assert.ok(fs.existsSync(path.join(mount, '.lustre/feeds/audit')));
    await fails(['feed', 'create', 'audit', '-m', mount], ExitCode.FAILURE, /exists already/);
    await ok(['feed', 'rm', 'audit', '-m', mount]);
    await fails(['feed', 'rm', 'audit', '-m', mount], ExitCode.NO_FEED, /there are: backup/);
    await fails(['feed', 'create', '', '-m', mount], ExitCode.USAGE, /must not be empty/);
    await fails(['feed', 'create', '..', '-m', mount], ExitCode.USAGE, /must not be named/);
    await fails(['feed', 'create', 'a\nb', '-m', mount], ExitCode.USAGE, /control characters/);
    await fails(['feed', 'create', 'x'.repeat(256), '-m', mount], ExitCode.USAGE, /255 bytes/);
    await fails(['feed', 'create', '/tmp/somewhere'], ExitCode.USAGE, /not the path of a feed/);
  }));

test('no such feed, no mount', () =>
  withPlainFeed(1, async ({ mount }) => {
    for (const verb of [['feed', 'show'], ['feed', 'ack', '--all'], ['tail']]) {
      await fails([...verb, 'nope', '-m', mount], ExitCode.NO_FEED, /no feed nope on .*backup/);
      await fails([...verb, 'backup', '-m', '/'], ExitCode.NO_MOUNT, /not a mounted feedfs/);
    }
    const { code, stderr } = await feedfs(['feed', 'ls'], {
      cwd: '/',
      env: { ...process.env, FEEDFS_MOUNT: '' },
    });
    assert.is(code, ExitCode.NO_MOUNT);
    assert.match(stderr, /give --mount MNT or set FEEDFS_MOUNT/);
  }));

test('a feed that is listed and cannot be opened is not called missing', () =>
  withPlainFeed(1, async ({ mount, directory }) => {
    fs.unlinkSync(path.join(directory, 'info'));
    const why = /ENOENT: open .*backup\/info/;
    for (const verb of [['feed', 'show'], ['tail'], ['changelog']]) {
      await fails([...verb, 'backup', '-m', mount], ExitCode.FAILURE, why);
    }
    // As of a disk that does not give it back.
    fs.mkdirSync(path.join(directory, 'info'));
    await fails(['feed', 'show', 'backup', '-m', mount], ExitCode.FAILURE, /EISDIR: /);
  }));

test('feed ack: to an index, everything, a range; never beyond the end', () =>
  withPlainFeed(8, async ({ mount, directory }) => {
    const ack = ['feed', 'ack', 'backup', '-m', mount];
    await ok([...ack, '--to', '2']);
    assert.equal(await tailIndices('backup', '-m', mount), [3, 4, 5, 6, 7, 8]);
    await fails(
      [...ack, '--to', '9'],
      ExitCode.FAILURE,
      /cannot acknowledge index 9: the last record is 8/,
    );
    await fails([...ack, '--to', '0'], ExitCode.USAGE, /1 or more/);
    await fails([...ack, '--to', 'x'], ExitCode.USAGE, /whole number/);
    await fails(ack, ExitCode.USAGE, /exactly one of/);
    await fails([...ack, '--all', '--to', '3'], ExitCode.USAGE, /exactly one of/);
    await fails([...ack, '--offset', '0'], ExitCode.USAGE, /together/);
    const beyond = ['--offset', '0', '--length', `${8 * RECORD_BYTES + 1}`];
    await fails([...ack, ...beyond], ExitCode.FAILURE, /the log ends at 1600/);
    await ok([...ack, '--offset', '0', '--length', `${RECORD_BYTES}`]);
    assert.is(fs.readFileSync(path.join(directory, 'stream'))[0], 0);
    await ok([...ack, '--to', '8', '--json']);
    assert.equal(await tailIndices('backup', '-m', mount), []);
    await ok([...ack, '--all']);
  }));

test('tail: where to start', () =>
  withPlainFeed(8, async ({ mount }) => {
    const at = (...args: string[]) => tailIndices('backup', '-m', mount, ...args);
    assert.equal(await at(), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal(await at('--from', '#7'), [7, 8]);
    assert.equal(await at('--from', `${6 * RECORD_BYTES}`), [7, 8]);
    assert.equal(await at('--from', 'end'), []);
    assert.equal(await at('-n', '3'), [6, 7, 8]);
    assert.equal(await at('-n', '0'), []);
    assert.equal(await at('-n', '99'), [1, 2, 3, 4, 5, 6, 7, 8]);
    const tail = ['tail', 'backup', '-m', mount];
    await fails([...tail, '--from', 'x'], ExitCode.USAGE, /--from takes a whole number/);
    await fails([...tail, '--from', '#0'], ExitCode.USAGE, /1 or more/);
    await fails([...tail, '--from', '1', '-n', '1'], ExitCode.USAGE, /exclude each other/);
    await fails([...tail, '--raw', '--json'], ExitCode.USAGE, /exclude each other/);
  }));

test('tail: a line per record, the lines as they are, the bytes as they are', () =>
  withPlainFeed(4, async ({ mount, directory }) => {
    const tail = ['tail', 'backup', '-m', mount, '--no-follow'];
    const lines = (await ok(tail)).trimEnd().split('\n');
    assert.is(lines.length, 4);
    assert.match(lines[3] ?? '', /^ +4 .* create +file {2}\[/);
    assert.is(
      await ok([...tail, '--json']),
      fs.readFileSync(path.join(directory, 'stream.ndjson'), 'utf8'),
    );
    const raw = await feedfs([...tail, '--raw', '--from', '#3']);
    assert.equal(
      raw.stdout,
      fs.readFileSync(path.join(directory, 'stream')).subarray(2 * RECORD_BYTES),
    );
  }));

test('tail --ack acknowledges what it printed', () =>
  withPlainFeed(8, async ({ mount, directory }) => {
    const tail = ['tail', 'backup', '-m', mount, '--no-follow', '--ack'];
    await ok([...tail, '-n', '3']);
    assert.equal(await tailIndices('backup', '-m', mount), [1, 2, 3, 4, 5]);
    await ok([...tail, '--json']);
    assert.is(fs.statSync(path.join(directory, 'stream.ndjson')).blocks, 0);
    await ok([...tail, '--raw']);
    const stream = fs.readFileSync(path.join(directory, 'stream'));
    assert.ok(stream.every((byte) => byte === 0));
  }));

test('tail ends quietly when its reader does', () =>
  withPlainFeed(2000, async ({ mount }) => {
    const args = ['tail', 'backup', '-m', mount, '--no-follow', '--json'];
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const [code] = await once(child, 'close');
    assert.is(code, ExitCode.OK);
    assert.is(said, '');
    assert.ok(BLOCK_BYTES * 2000 > 65_536);
  }));

test.run();
