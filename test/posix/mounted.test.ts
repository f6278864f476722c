// test-timeout: 300 s
/** The posix cases on a mounted feedfs. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import { removeFolder, TEMP_PREFIX, TestMount } from '../support/mount.js';
import { runCase, runnableCases } from './all.js';
import { endLockAgents } from './locks.js';

const folder = fs.mkdtempSync(join(tmpdir(), TEMP_PREFIX));
fs.chmodSync(folder, 0o755);
const mount = new TestMount(folder, {});

test.before(() => mount.mount());

test.after(async () => {
  await endLockAgents();
  try {
    await mount.unmount();
  } finally {
    await mount.destroy();
    removeFolder(folder);
  }
});

for (const one of runnableCases) test(one.name, () => runCase(one, mount.mnt));

test.run();
