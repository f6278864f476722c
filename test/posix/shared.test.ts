// test-timeout: 400 s
/** The posix cases on one of two mounts of a server in a process of its own. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import { Site } from '../cli/mds-fixture.js';
import { removeFolder, TEMP_PREFIX } from '../support/mount.js';
import { runCase, runnableCases } from './all.js';
import { endLockAgents } from './locks.js';

const folder = fs.mkdtempSync(join(tmpdir(), TEMP_PREFIX));
fs.chmodSync(folder, 0o755);
const site = new Site(folder);
const mnt = site.mountpoint('one');

test.before(async () => {
  await site.serve();
  await site.mount('one');
  await site.mount('two');
});

test.after(async () => {
  await endLockAgents();
  site.abandon();
  removeFolder(folder);
});

for (const one of runnableCases) test(one.name, () => runCase(one, mnt));

test.run();
