/** What the commands show and do where feeds have policies. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { COLUMNS_MAX } from '../../src/cli/limits.js';
import { feedfs, type TestMount, withMount } from '../support/mount.js';

async function ok(mount: TestMount, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await feedfs([...args, '--mount', mount.mnt]);
  assert.is(code, ExitCode.OK, stderr);
  return stdout.toString();
}

async function fails(
  mount: TestMount,
  code: ExitCode,
  message: RegExp,
  ...args: string[]
): Promise<void> {
  const result = await feedfs([...args, '--mount', mount.mnt]);
  assert.is(result.code, code, result.stderr);
  assert.is(result.stdout.length, 0);
  assert.match(result.stderr, message);
}

function makeSome(mount: TestMount, prefix: string): void {
  for (let i = 0; i < 20; i++) fs.mkdirSync(join(mount.mnt, `${prefix}-${i}`));
  const fd = fs.openSync(mount.mnt, 'r');
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

test('feed policy shows and sets, feed create takes one or makes nothing', () =>
  withMount(async (mount) => {
    await ok(mount, 'feed', 'create', 'plain');
    const standard = '{"maxIdle":"30d","then":"expire"}\n';
    assert.is(await ok(mount, 'feed', 'policy', 'plain'), standard);
    await ok(mount, 'feed', 'policy', 'plain', '{"maxBytes": "64M", "then": "drop-oldest"}');
    const set = '{"maxIdle":"30d","maxBytes":"64M","then":"drop-oldest"}\n';
    assert.is(await ok(mount, 'feed', 'policy', 'plain'), set);
    assert.is(fs.readFileSync(join(mount.feed('plain'), 'policy'), 'utf8'), set);
    const bad = '{"maxBytes":-1}';
    const why = /maxBytes must be more than zero; the policy of feed plain is as it was$/m;
    await fails(mount, ExitCode.USAGE, why, 'feed', 'policy', 'plain', bad);
    assert.is(await ok(mount, 'feed', 'policy', 'plain'), set);
    assert.match(await ok(mount, 'feed', 'show', 'plain'), /^last error +policy: maxBytes must/m);
    await ok(mount, 'feed', 'policy', 'plain', '');
    assert.is(await ok(mount, 'feed', 'policy', 'plain'), standard);
    assert.not.match(await ok(mount, 'feed', 'show', 'plain'), /last error/);
    const notMade = /maxBytes must be more than zero; feed other was not made$/m;
    await fails(mount, ExitCode.USAGE, notMade, 'feed', 'create', 'other', '--policy', bad);
    assert.is(await ok(mount, 'feed', 'policy', 'plain', '--json'), standard);
    await fails(mount, ExitCode.NO_FEED, /no feed other/, 'feed', 'policy', 'other');
    await ok(mount, 'feed', 'create', 'other', '--policy', '{"maxIdle":"never"}');
    assert.match(await ok(mount, 'feed', 'show', 'other'), /^policy +\{"maxIdle":"never"/m);
  }));

test('feed ls and feed show tell of feeds that are full, lossy or gone', () =>
  withMount(async (mount) => {
    await ok(mount, 'feed', 'create', 'plain');
    await ok(mount, 'feed', 'create', 'small', '--policy', '{"maxRecords":10}');
    const lossy = '{"maxRecords":10,"then":"drop-oldest"}';
    await ok(mount, 'feed', 'create', 'lossy', '--policy', lossy);
    makeSome(mount, 'a');
    const lines = (await ok(mount, 'feed', 'ls')).split('\n');
    assert.match(lines[0] ?? '', /^NAME +RECORDS +BYTES +AGE +IDLE +STATE$/);
    assert.match(lines[1] ?? '', /^lossy +10 +\S+ +\d+s +\d+s +lost 11 records$/);
    assert.match(lines[2] ?? '', /^plain +20 +\S+ +\d+s +\d+s +active$/);
    assert.match(lines[3] ?? '', /^small +0 +0B +- +- +expired$/);
    for (const line of lines) assert.ok(line.length <= COLUMNS_MAX, line);
    const shown = await ok(mount, 'feed', 'show', 'small');
    assert.match(shown, /^state +expired$/m);
    assert.match(shown, /^expired +20.*, because it owed more than 10 records$/m);
    assert.match(await ok(mount, 'feed', 'show', 'lossy'), /^lost +20.*, because it owed/m);
    const tail = await ok(mount, 'tail', 'lossy', '--no-follow');
    assert.match(tail, /lost +11 of records 1 to 11: it owed more than 10 records/);
    await ok(mount, 'feed', 'policy', 'plain', '{"maxRecords":20,"then":"block"}');
    assert.match(await ok(mount, 'feed', 'ls'), /plain .* full/);
    assert.match(await ok(mount, 'feed', 'show', 'plain'), /^state +active, full/m);
    assert.throws(() => fs.mkdirSync(join(mount.mnt, 'b')), /ENOSPC/);
    await ok(mount, 'feed', 'ack', 'plain', '--all');
    fs.mkdirSync(join(mount.mnt, 'b'));
  }));

test('whoever uses an expired feed is told what to do, with an exit code of its own', () =>
  withMount(async (mount) => {
    await ok(mount, 'feed', 'create', 'small', '--policy', '{"maxRecords":10}');
    makeSome(mount, 'a');
    const told = /feed small expired at 20.*Z because it owed more than 10 records.*feed rm small/;
    for (const command of [
      ['tail', 'small'],
      ['tail', 'small', '--no-follow'],
      ['tail', 'small', '--raw'],
      ['tail', 'small', '-n', '3'],
      ['changelog', 'small'],
      ['changelog', 'small', '--follow'],
      ['feed', 'ack', 'small', '--all'],
      ['feed', 'ack', 'small', '--to', '3'],
      ['feed', 'policy', 'small', '{"maxIdle":"never"}'],
      ['feed', 'filter', 'small', '{}'],
    ]) {
      await fails(mount, ExitCode.FEED_EXPIRED, told, ...command);
    }
    assert.match(await ok(mount, 'feed', 'show', 'small'), /^idle +-$/m);
    const policy = '{"maxIdle":"30d","maxRecords":10,"then":"expire"}\n';
    assert.is(await ok(mount, 'feed', 'policy', 'small'), policy);
    assert.is(await ok(mount, 'feed', 'filter', 'small'), '');
    const again = /has expired; remove it first: feedfs feed rm small/;
    await fails(mount, ExitCode.FAILURE, again, 'feed', 'create', 'small');
    await ok(mount, 'feed', 'rm', 'small');
    await ok(mount, 'feed', 'create', 'small');
  }));

test('feed ack --all acknowledges all that was done before', () =>
  withMount(async (mount) => {
    await ok(mount, 'feed', 'create', 'f');
    for (let i = 0; i < 200; i++) fs.mkdirSync(join(mount.mnt, `d-${i}`));
    const text = await ok(mount, 'feed', 'ack', 'f', '--all', '--json');
    assert.is((JSON.parse(text) as { owedRecords: string }).owedRecords, '0');
    assert.is((JSON.parse(text) as { nextIndex: string }).nextIndex, '201');
  }));

test.run();
