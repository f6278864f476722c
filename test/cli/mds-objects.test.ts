/** Object files of mounts that are gone, and who takes care of them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { feedfs } from '../support/mount.js';
import { exitOf, run } from '../support/processes.js';
import { type Site, withSite } from './mds-fixture.js';

function madeLists(site: Site): string[] {
  return fs
    .readdirSync(join(site.store, 'objects'))
    .filter((name) => name.startsWith('made.'))
    .map((name) => join(site.store, 'objects', name));
}

/** A program that has written and keeps the file open until it is killed. */
async function writer(site: Site) {
  const script = 'exec 3> mnt/large; head -c 1000000 /dev/zero >&3; echo written; exec sleep 1000';
  const child = spawn('sh', ['-c', script], {
    cwd: site.folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

test('of a mount that does not come back in a recovery', () =>
  withSite(async (site) => {
    const server = await site.serve();
    const mount = await site.mount('mnt');
    const program = await writer(site);
    assert.is(madeLists(site).length, 1);
    assert.ok(fs.statSync(madeLists(site)[0] ?? '').size > 0);
    await site.kill(mount);
    await site.kill(server);
    program.kill('SIGKILL');
    await exitOf(program);
    const next = await site.serve('--recovery-window', '1');
    // It is not let in before the recovery is over.
    const other = await site.mount('other');
    const status = await feedfs(['mds', 'status', '--json', site.store]);
    assert.is(JSON.parse(status.stdout.toString()).state, 'complete');
    await site.unmount('other', other);
    await site.stop(next);
    assert.equal(madeLists(site), []);
    const fsck = await feedfs(['fsck', site.store]);
    assert.is(fsck.code, 0, fsck.stdout.toString());
  }));

test('a removed file gives its space back, whichever mount had it open', () =>
  withSite(async (site) => {
    const server = await site.serve();
    const one = await site.mount('one');
    const two = await site.mount('two');
    const script =
      'head -c 3000000 /dev/zero > one/large && cat two/large > /dev/null && rm two/large && sync -f one';
    const did = await run('sh', ['-c', script], { cwd: site.folder });
    assert.is(did.code, 0, did.stderr);
    for (const { process } of [one, two, server]) {
      const held = fs
        .readdirSync(`/proc/${process.pid}/fd`)
        .map((fd) => linkOf(`/proc/${process.pid}/fd/${fd}`));
      assert.equal(
        held.filter((path) => path.includes('/objects/') && path.endsWith('(deleted)')),
        [],
      );
    }
    await site.unmount('one', one);
    await site.unmount('two', two);
    await site.stop(server);
  }));

function linkOf(path: string): string {
  try {
    return fs.readlinkSync(path);
  } catch {
    return '';
  }
}

test.run();
