// test-timeout: 300 s
/** The demo, as root and as an ordinary user. */
import * as fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withFolder } from '../support/mount.js';
import { mountsUnder } from '../support/mounts.js';
import { type Finished, run } from '../support/processes.js';
import { makeHome, runAsUser, userCanReadCheckout, withDeviceForAll } from './ordinary-user.js';

const DEMO = fileURLToPath(new URL('../../scripts/demo.js', import.meta.url));
const DEMO_MS = 120_000;

function assertShown(result: Finished): void {
  const shown = result.stdout.toString();
  assert.is(result.code, 0, `${shown}\n${result.stderr}`);
  assert.match(shown, /records +[\d,]{5,} counted, 0 missing/);
  assert.match(shown, /killed the daemon with SIGKILL/);
  assert.match(shown, /backlog .* 0 now/);
}

test('shows a consumer going on after a crash, and leaves nothing', () =>
  withFolder(async (folder) => {
    const env = { ...process.env, TMPDIR: folder };
    assertShown(await run(process.execPath, [DEMO], { env, timeoutMs: DEMO_MS }));
    assert.equal(fs.readdirSync(folder), []);
    assert.equal(mountsUnder(folder), []);
  }));

if (process.getuid?.() === 0 && (await userCanReadCheckout())) {
  test('works for an ordinary user', () =>
    withFolder((folder) =>
      withDeviceForAll(async () => {
        const home = makeHome(folder);
        assertShown(await runAsUser(process.execPath, [DEMO], home, { timeoutMs: DEMO_MS }));
        assert.equal(fs.readdirSync(home), []);
        assert.equal(mountsUnder(folder), []);
      }),
    ));
}

test.run();
