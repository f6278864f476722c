/** Object files that a mount reaches, or thought it would. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { feedfs } from '../support/mount.js';
import { run } from '../support/processes.js';
import { type Daemon, type Site, withSite } from './mds-fixture.js';

/** The fsync of a program that writes once it can. */
async function writes(site: Site, text: string): Promise<number | null> {
  const script = `printf ${text} | dd of=mnt/file conv=notrunc,fsync 2>/dev/null`;
  return (await run('sh', ['-c', script], { cwd: site.folder })).code;
}

/** A mount with a file in an object, whose server then ends. */
async function mountWithoutServer(site: Site): Promise<Daemon> {
  const server = await site.serve();
  const mount = await site.mount('mnt');
  const did = await run('sh', ['-c', 'head -c 1000000 /dev/zero > mnt/file && sync -f mnt'], {
    cwd: site.folder,
  });
  assert.is(did.code, 0, did.stderr);
  await site.stop(server);
  return mount;
}

test('a mount writes nothing into the directory that its store was copied from', () =>
  withSite(async (site) => {
    const mount = await mountWithoutServer(site);
    const copy = join(site.folder, 'copy');
    fs.cpSync(site.store, copy, { recursive: true });
    const window = ['--recovery-window', '1'];
    const next = await site.start(['mds', '-f', '--listen', site.address, ...window, copy]);
    assert.is.not(await writes(site, 'new'), 0);
    assert.match(mount.log(), /is not the directory .*\/store any more: unmount, and mount again/);
    const other = await site.mount('other');
    await site.unmount('other', other);
    await site.stop(next);
    const fsck = await feedfs(['fsck', copy]);
    assert.is(fsck.code, 0, fsck.stdout.toString());
  }));

test('a store that was moved away under its mount is not looked for at the old place', () =>
  withSite(async (site) => {
    const mount = await mountWithoutServer(site);
    const moved = join(site.folder, 'moved');
    fs.renameSync(site.store, moved);
    const next = await site.start(['mds', '-f', '--listen', site.address, moved]);
    assert.is.not(await writes(site, 'new'), 0);
    assert.match(mount.log(), /unmount, and mount again/);
    assert.is(mount.process.exitCode, null);
    assert.not.ok(fs.existsSync(site.store));
    await site.stop(next);
  }));

test('a server that comes back with the same store is the same', () =>
  withSite(async (site) => {
    const mount = await mountWithoutServer(site);
    const next = await site.serve();
    assert.is(await writes(site, 'new'), 0);
    await site.unmount('mnt', mount);
    await site.stop(next);
  }));

test('object files that cannot be written here are read and written by the server', () =>
  withSite(async (site) => {
    const server = await site.serve();
    const objects = join(site.store, 'objects');
    const mount = await readOnly(objects, () => site.mount('mnt'));
    assert.match(mount.log(), /file data goes through the server/);
    const script = 'head -c 1000000 /dev/urandom > large && cp large mnt && cmp large mnt/large';
    const did = await run('sh', ['-c', script], { cwd: site.folder });
    assert.is(did.code, 0, did.stderr);
    await site.unmount('mnt', mount);
    await site.stop(server);
  }));

async function readOnly<T>(folder: string, use: () => Promise<T>): Promise<T> {
  const bind = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1"';
  const did = await run('sh', ['-c', bind, 'sh', folder]);
  try {
    assert.is(did.code, 0, did.stderr);
    return await use();
  } finally {
    await run('umount', [folder]);
  }
}

test.run();
