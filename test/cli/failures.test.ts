import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CliError } from '../../src/cli/cli-error.js';
import { nodeCheck, report } from '../../src/cli/commands/doctor.js';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { failureOf } from '../../src/cli/failures.js';
import { FeedError } from '../../src/consumer/errors.js';
import { MountError, UnmountError } from '../../src/fuse/mount-error.js';
import { StoreError } from '../../src/store/errors.js';

test('every expected error has its exit code and is told by its message alone', () => {
  const cases: [Error, ExitCode][] = [
    [new CliError(ExitCode.BUSY, 'm'), ExitCode.BUSY],
    [new StoreError('locked', 'm', { pid: 5 }), ExitCode.STORE_LOCKED],
    [new StoreError('corrupt', 'm'), ExitCode.STORE_UNUSABLE],
    [new StoreError('not-a-store', 'm'), ExitCode.STORE_UNUSABLE],
    [new StoreError('newer-format', 'm'), ExitCode.STORE_NEWER],
    [new StoreError('no-space', 'm'), ExitCode.FAILURE],
    [new MountError('no-device', 'm'), ExitCode.FUSE_MISSING],
    [new MountError('device-permission', 'm'), ExitCode.FUSE_MISSING],
    [new MountError('no-fusermount', 'm'), ExitCode.FUSE_MISSING],
    [new MountError('mountpoint-missing', 'm'), ExitCode.MOUNTPOINT],
    [new MountError('mountpoint-not-directory', 'm'), ExitCode.MOUNTPOINT],
    [new MountError('mountpoint-busy', 'm'), ExitCode.BUSY],
    [new MountError('failed', 'm'), ExitCode.FAILURE],
    [new UnmountError('busy', 'm'), ExitCode.BUSY],
    [new UnmountError('not-mounted', 'm'), ExitCode.NO_MOUNT],
    [new FeedError('ENOENT', '/f', 'm'), ExitCode.NO_FEED],
    [new FeedError('EIO', '/f', 'm'), ExitCode.FAILURE],
    [new FeedError('ENOTCONN', '/f', 'm'), ExitCode.NO_MOUNT],
  ];
  for (const [error, exitCode] of cases) {
    const failure = failureOf(error);
    assert.is(failure.exitCode, exitCode, `${error.name} ${exitCode}`);
    assert.is(failure.message, 'm');
  }
});

test('a bug shows its stack', () => {
  assert.match(
    failureOf(new TypeError('x is not y')).message,
    /bug in feedfs: TypeError: x is not y\n +at /,
  );
  assert.match(failureOf('thrown').message, /bug in feedfs: thrown/);
});

test('doctor: old Node versions are refused, and each problem comes with its command', () => {
  for (const version of ['20.19.0', '20.20.2', '22.0.0', '24.1.0'])
    assert.is(nodeCheck(version).status, 'ok');
  for (const version of ['18.20.0', '20.18.9']) assert.is(nodeCheck(version).status, 'needed');
  const lines = report([
    { name: 'a', status: 'ok', detail: 'fine' },
    { name: 'bb', status: 'needed', detail: 'gone', fix: 'get it' },
  ]);
  assert.equal(lines, ['ok    a   fine', 'MISS  bb  gone', '          -> get it']);
});

test.run();
