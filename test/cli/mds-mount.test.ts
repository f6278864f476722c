import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { feedfs } from '../support/mount.js';
import { run } from '../support/processes.js';
import { withSite } from './mds-fixture.js';

/** A program's look, outside of the test's own process, which must not wait in the kernel. */
async function sh(script: string, cwd: string): Promise<string> {
  const { code, stdout, stderr } = await run('sh', ['-c', script], { cwd });
  assert.is(code, 0, `${script}: ${stderr}`);
  return stdout.toString();
}

test('two mounts see one filesystem, over a kill of the server', () =>
  withSite(async (site) => {
    const server = await site.serve();
    const one = await site.mount('one');
    const two = await site.mount('two');
    await sh('echo hello > one/a && cat two/a && echo more >> two/a', site.folder);
    assert.is(await sh('cat one/a', site.folder), 'hello\nmore\n');
    const status = await feedfs(['mds', 'status', '--json', site.store]);
    assert.is(JSON.parse(status.stdout.toString()).clients.length, 2);
    await site.kill(server);
    const again = site.serve();
    assert.is(await sh('echo again >> one/a && cat two/a', site.folder), 'hello\nmore\nagain\n');
    const served = await again;
    assert.match(await sh('cat one/.lustre/recovery_status', site.folder), /^status: COMPLETE\n/);
    await site.unmount('one', one);
    await site.unmount('two', two);
    await site.stop(served);
    const fsck = await feedfs(['fsck', site.store]);
    assert.is(fsck.code, 0, fsck.stdout.toString());
    assert.equal(
      fs.readdirSync(join(site.store, 'objects')).filter((name) => name.startsWith('made.')),
      [],
      'no list of a mount is left',
    );
  }));

test('a store that is served says where; a server that is not there has an exit code', () =>
  withSite(async (site) => {
    const mnt = site.mountpoint('mnt');
    const absent = await feedfs(['mount', '--mds', site.address, mnt]);
    assert.is(absent.code, ExitCode.NO_SERVER);
    assert.is((await feedfs(['mds', 'status', site.store])).code, ExitCode.NO_SERVER);
    const server = await site.serve();
    const taken = await feedfs(['mount', site.store, mnt]);
    assert.is(taken.code, ExitCode.STORE_LOCKED);
    assert.match(taken.stderr, `feedfs mount --mds ${site.address} MNT`);
    await site.stop(server);
    assert.is(fs.existsSync(join(site.store, 'mds.json')), false);
  }));

test('the key is rotated by the command, with a server and without', () =>
  withSite(async (site) => {
    const server = await site.serve();
    const keys = join(site.store, 'keys');
    const before = fs.readFileSync(keys, 'utf8');
    assert.is((await feedfs(['mds', '--rotate-key', site.store])).code, 0);
    while (fs.readFileSync(keys, 'utf8') === before) {
      // The signal is on its way: each look is a process of its own.
      await run('true', []);
    }
    await site.stop(server);
    const between = fs.readFileSync(keys, 'utf8');
    assert.is((await feedfs(['mds', '--rotate-key', site.store])).code, 0);
    assert.is.not(fs.readFileSync(keys, 'utf8'), between);
  }));

test('in the background, and unmounted by the command', () =>
  withSite(async (site) => {
    const mnt = site.mountpoint('mnt');
    const served = await feedfs(['mds', '--listen', site.address, site.store]);
    assert.is(served.code, 0, served.stderr);
    const { pid } = JSON.parse(fs.readFileSync(join(site.store, 'mds.json'), 'utf8'));
    try {
      const log = join(site.folder, 'log');
      const mounted = await feedfs(['mount', '--mds', site.address, '--log', log, mnt]);
      assert.is(mounted.code, 0, mounted.stderr);
      await sh('echo hello > mnt/a', site.folder);
      const ended = await feedfs(['umount', mnt]);
      assert.is(ended.code, 0, ended.stderr);
      const status = await feedfs(['mds', 'status', '--json', site.address]);
      assert.equal(
        JSON.parse(status.stdout.toString()).clients,
        [],
        'the mount said goodbye before umount ended',
      );
    } finally {
      process.kill(pid, 'SIGTERM');
    }
  }));

test.run();
