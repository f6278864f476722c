/** The list of objects that the server makes for mounts that do not reach them. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { feedfs } from '../support/mount.js';
import { run } from '../support/processes.js';
import { type Site, withSite } from './mds-fixture.js';

function madeLists(site: Site): string[] {
  return fs
    .readdirSync(join(site.store, 'objects'))
    .filter((name) => name.startsWith('made.'))
    .sort();
}

async function writesLarge(site: Site, name: string): Promise<void> {
  const script = `head -c 1000000 /dev/zero > mnt/${name} && sync -f mnt`;
  const did = await run('sh', ['-c', script], { cwd: site.folder });
  assert.is(did.code, 0, did.stderr);
}

test('each run of the server has its own, and takes over that of the one before', () =>
  withSite(async (site) => {
    const server = await site.serve();
    const mount = await site.mount('mnt', '--through-server');
    await writesLarge(site, 'one');
    const [first] = madeLists(site);
    assert.is(madeLists(site).length, 1);
    await site.kill(server);
    const next = await site.serve();
    await writesLarge(site, 'two');
    assert.is(madeLists(site).length, 1);
    assert.is.not(madeLists(site)[0], first);
    // Nobody has unlinked it under the server.
    const fds = join('/proc', String(next.process.pid), 'fd');
    const open = fs.readdirSync(fds).map((fd) => linkOf(join(fds, fd)));
    assert.equal(
      open.filter((path) => path.includes('/made.') && path.endsWith('(deleted)')),
      [],
    );
    await site.unmount('mnt', mount);
    await site.stop(next);
    const fsck = await feedfs(['fsck', site.store]);
    assert.is(fsck.code, 0, fsck.stdout.toString());
  }));

function linkOf(path: string): string {
  try {
    return fs.readlinkSync(path);
  } catch {
    return '';
  }
}

test.run();
