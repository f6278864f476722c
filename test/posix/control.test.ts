/** The posix cases on an ordinary filesystem: a failure here is a wrong expectation. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import { isRoot, runCase, runnableCases } from './all.js';
import { endLockAgents } from './locks.js';

/** Any directory can be the control: `FEEDFS_POSIX_DIR=/mnt/ext4 node …/control.test.js`. */
const given = process.env.FEEDFS_POSIX_DIR;
const base = fs.mkdtempSync(join(given ?? tmpdir(), 'feedfs-test-control-'));
const onTmpfs = given === undefined && isRoot;

test.before(() => {
  fs.chmodSync(base, 0o755);
  if (onTmpfs) execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'feedfs-control', base]);
});

test.after(async () => {
  await endLockAgents();
  if (onTmpfs) execFileSync('umount', [base]);
  fs.rmSync(base, { recursive: true, force: true });
});

for (const one of runnableCases) test(one.name, () => runCase(one, base));

test.run();
