import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { feedfs } from '../support/mount.js';
import { run } from '../support/processes.js';
import { type Site, withSite } from './mds-fixture.js';

function pidOf(site: Site): number {
  return JSON.parse(fs.readFileSync(join(site.store, 'mds.json'), 'utf8')).pid;
}

function mountHa(site: Site, name: string) {
  return site.start(['mount', '-f', '-o', 'ha', site.store, site.mountpoint(name)]);
}

test('-o ha: the server is killed again and again, and a program only sees a pause', () =>
  withSite(async (site) => {
    const mount = await mountHa(site, 'mnt');
    let killed = 0;
    for (let round = 1; round <= 3; round++) {
      const pid = pidOf(site);
      process.kill(pid, 'SIGKILL');
      killed++;
      const script = `echo ${round} >> mnt/log && cat mnt/log`;
      const did = await run('sh', ['-c', script], { cwd: site.folder });
      assert.is(did.code, 0, did.stderr);
      assert.is(did.stdout.toString().trim().split('\n').length, round);
      assert.is.not(pidOf(site), pid);
    }
    assert.is(killed, 3);
    const last = pidOf(site);
    await site.unmount('mnt', mount);
    assert.throws(() => process.kill(last, 0), 'its server has ended with it');
    assert.match(mount.log(), /the metadata server ended \(SIGKILL\); it is started again/);
    const fsck = await feedfs(['fsck', site.store]);
    assert.is(fsck.code, 0, fsck.stdout.toString());
  }));

test('two mounts with -o ha share one server, which ends with the second', () =>
  withSite(async (site) => {
    const one = await mountHa(site, 'one');
    const two = await mountHa(site, 'two');
    const pid = pidOf(site);
    const did = await run('sh', ['-c', 'echo hello > one/a && cat two/a'], { cwd: site.folder });
    assert.is(did.stdout.toString(), 'hello\n');
    await site.unmount('one', one);
    const still = await run('cat', ['two/a'], { cwd: site.folder });
    assert.is(still.stdout.toString(), 'hello\n');
    // Who started it is gone: the other mount starts the next one.
    process.kill(pid, 'SIGKILL');
    const more = await run('sh', ['-c', 'echo more >> two/a && cat two/a'], { cwd: site.folder });
    assert.is(more.stdout.toString(), 'hello\nmore\n');
    const next = pidOf(site);
    await site.unmount('two', two);
    assert.throws(() => process.kill(next, 0), 'nobody used it any more');
  }));

test.run();
