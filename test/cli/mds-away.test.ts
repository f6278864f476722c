/** The server is away: who waits for it can be killed, and unmounting asks nothing of the mount. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CliError } from '../../src/cli/cli-error.js';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { Supervisor } from '../../src/cli/serve/supervisor.js';
import { feedfs, withFolder } from '../support/mount.js';
import { exitOf, run, until, within } from '../support/processes.js';
import { withSite } from './mds-fixture.js';

test('a process that waits for the server can be killed; umount -l does not wait', () =>
  withSite(async (site) => {
    const server = await site.serve();
    await site.mount('mnt');
    const mnt = join(site.folder, 'mnt');
    await site.kill(server);
    const looking = spawn('stat', [join(mnt, 'none')], { stdio: 'ignore' });
    const stack = `/proc/${looking.pid}/wchan`;
    await until(() => /request_wait_answer|fuse/.test(fs.readFileSync(stack, 'utf8')), 'it waits');
    looking.kill('SIGKILL');
    await within(exitOf(looking), 10_000, 'the end of a killed process');
    const did = await within(feedfs(['umount', '-l', mnt]), 20_000, 'umount -l');
    assert.is(did.code, 0, did.stderr);
  }));

test('a server that cannot be started is a reason, and no fault', async () => {
  const supervisor = new Supervisor({
    argv: ['/nowhere'],
    program: '/nowhere/at/all',
    log: undefined,
    nowMs: () => performance.now(),
    say: () => {},
    state: () => 'other',
  });
  try {
    await supervisor.start();
    assert.unreachable();
  } catch (error) {
    assert.instance(error, CliError);
    assert.match(String(error), /cannot be started: .*ENOENT/);
  }
});

test('-o ha beside a server at another address uses that one', () =>
  withSite(async (site) => {
    const server = await site.serve();
    const mount = await site.start(['mount', '-f', '-o', 'ha', site.store, site.mountpoint('a')]);
    const did = await run('sh', ['-c', 'echo x > a/f && cat a/f'], { cwd: site.folder });
    assert.is(did.stdout.toString(), 'x\n');
    const refused = await feedfs(['mds', '-f', '--listen', `${site.address}2`, site.store]);
    assert.is(refused.code, ExitCode.STORE_LOCKED);
    assert.match(refused.stderr, new RegExp(`served by feedfs mds .*kill ${server.process.pid}`));
    await site.unmount('a', mount);
    await site.stop(server);
  }));

test('two mounts with -o ha at once on a new store', () =>
  withSite(async (site) => {
    const start = (name: string) =>
      site.start(['mount', '-f', '-o', 'ha', site.store, site.mountpoint(name)]);
    const [one, two] = await Promise.all([start('one'), start('two')]);
    const did = await run('sh', ['-c', 'echo x > one/f && cat two/f'], { cwd: site.folder });
    assert.is(did.stdout.toString(), 'x\n');
    await site.unmount('one', one);
    await site.unmount('two', two);
  }));

test('root leaves the key of a store to its owner', () =>
  withSite(async (site) => {
    const server = await site.serve();
    const keys = join(site.store, 'keys');
    await site.stop(server);
    fs.chownSync(site.store, 1000, 1000);
    fs.chownSync(keys, 1000, 1000);
    const did = await feedfs(['mds', '--rotate-key', site.store]);
    assert.is(did.code, 0, did.stderr);
    const { uid, gid, mode } = fs.statSync(keys);
    assert.equal([uid, gid, mode & 0o777], [1000, 1000, 0o600]);
  }));

test('-o ha says what to do about a store whose path is too long for a socket', () =>
  withFolder(async (folder) => {
    const store = join(folder, 'x'.repeat(100));
    fs.mkdirSync(join(folder, 'm'));
    const did = await feedfs(['mount', '-f', '-o', 'ha', store, join(folder, 'm')]);
    assert.is(did.code, ExitCode.USAGE);
    assert.match(did.stderr, /too long for a socket in it: bind-mount it/);
    assert.not(fs.existsSync(store));
  }));

test('where nobody listens the address is named once', () =>
  withFolder(async (folder) => {
    const address = `unix:${join(folder, 's')}`;
    const did = await feedfs(['mds', 'status', address]);
    assert.is(did.code, ExitCode.NO_SERVER);
    assert.is(did.stderr.split(folder).length, 2, did.stderr);
  }));

test.run();
