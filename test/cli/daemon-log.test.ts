/** What a daemon wrote while it ended. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { daemonLog, NOT_SAVED } from '../../src/cli/daemon-log.js';
import { DAEMON_EXIT_MS_MAX, SAVE_MS_MAX } from '../../src/cli/limits.js';
import { CLOSE_US_MAX } from '../../src/client/import/limits.js';
import { withFolder } from '../support/mount.js';
import { exitOf } from '../support/processes.js';

test('only what came since is read, from the process that is gone', () =>
  withFolder(async (folder) => {
    const file = join(folder, 'log');
    fs.writeFileSync(file, 'before\n');
    const fd = fs.openSync(file, 'a');
    const daemon = spawn('sh', ['-c', `read _; echo '${NOT_SAVED}' >&2`], {
      stdio: ['pipe', 'ignore', fd],
    });
    fs.closeSync(fd);
    const log = must(daemonLog(must(daemon.pid, 'pid')), 'log');
    daemon.stdin?.end('\n');
    await exitOf(daemon);
    assert.is(log(), `${NOT_SAVED}\n`);
  }));

test('what is no file is not read', () => {
  const daemon = spawn('cat', { stdio: ['pipe', 'ignore', 'pipe'] });
  assert.is(daemonLog(must(daemon.pid, 'pid')), undefined);
  daemon.stdin.end();
});

test('unmounting waits longer than a mount takes to give up', () => {
  assert.ok(DAEMON_EXIT_MS_MAX > SAVE_MS_MAX + CLOSE_US_MAX / 1000);
});

test.run();
