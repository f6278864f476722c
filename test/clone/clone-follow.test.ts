// test-timeout: 300 s
/**
 * A pair that runs on: programs work on the source while the copy follows, and once they
 * are done and everything is confirmed, source and copy are identical.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { makeOddTree } from '../programs/odd-tree.js';
import { MAIN, withMount } from '../support/mount.js';
import { run, runOk, until } from '../support/processes.js';
import {
  assertIdentical,
  CloneEnd,
  type CloneEvent,
  quiesce,
  sendArguments,
  startPair,
  untilNothingOwed,
} from './cloning.js';
import { withMounts } from './targets.js';

const FEED = 'copy';
/** Nothing of the machine's own configuration. */
const ENV = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_AUTHOR_NAME: 'test',
  GIT_AUTHOR_EMAIL: 'test@localhost',
  GIT_COMMITTER_NAME: 'test',
  GIT_COMMITTER_EMAIL: 'test@localhost',
};

const WORK = `
git init -q -b main repository
cd repository
for i in $(seq 40); do mkdir -p part-$i; seq $i 9 3000 > part-$i/file; done
git add . && git commit -qm first
git checkout -qb other && git mv part-1 moved && rm -r part-2 && git add -A && git commit -qm second
git checkout -q main && git merge -q --no-ff -m merge other && git gc -q
cd ..
cp -a repository again
tar cf all.tar again && mkdir out && tar xf all.tar -C out && rm -r again
mv out/again repository/inside
rsync -a --delete repository/part-3/ repository/part-4/
`;

/** Of a receiver that followed and was told to end. */
function assertEndedWell(events: readonly CloneEvent[]): void {
  assert.is(events[0]?.event, 'hello');
  assert.ok(events.some(({ event }) => event === 'confirmed'));
}

test('programs are followed by a directory and by a feedfs at once', () =>
  withMounts(2, async (source, copy) => {
    const { mnt, folder } = source;
    const target = join(folder, 'target');
    fs.mkdirSync(target);
    const feeds = ['directory', 'feedfs'];
    for (const feed of feeds) source.feed(feed);
    const pairs = [target, copy.mnt].map((at, i) =>
      startPair({ mnt, feed: feeds[i] ?? '' }, { target: at }),
    );
    await runOk('sh', ['-euc', WORK], { cwd: mnt, env: ENV, timeoutMs: 120_000 });
    makeOddTree(join(mnt, 'odd'));
    quiesce(mnt);
    for (const feed of feeds) await untilNothingOwed(mnt, feed);
    for (const { send, receive } of pairs) {
      send.kill('SIGINT');
      const [sent, received] = await Promise.all([send.end(), receive.end()]);
      assert.ok([0, ExitCode.INTERRUPTED].includes(sent.code ?? -1), sent.stderr);
      assert.ok([0, ExitCode.STREAM_REFUSED].includes(received.code ?? -1), received.stderr);
      assertEndedWell(receive.events);
    }
    await assertIdentical(mnt, target);
    await assertIdentical(mnt, copy.mnt);
  }));

test('the feed is removed: the pair ends', () =>
  withMount(async ({ mnt, folder }) => {
    const target = join(folder, 'target');
    fs.mkdirSync(target);
    const feed = join(mnt, '.lustre', 'feeds', FEED);
    fs.mkdirSync(feed);
    const { send, receive } = startPair({ mnt, feed: FEED }, { target });
    fs.writeFileSync(join(mnt, 'file'), 'x');
    quiesce(mnt);
    await until(() => fs.existsSync(join(target, 'file')), 'the file', 30_000);
    await untilNothingOwed(mnt, FEED);
    fs.rmdirSync(feed);
    const [sent, received] = await Promise.all([send.end(), receive.end()]);
    assert.equal([sent.signal, received.signal], [null, null], sent.stderr + received.stderr);
    assert.not.match(sent.stderr + received.stderr, /this is a bug/);
    await assertIdentical(mnt, target);
  }));

test('--to chooses baseline or records by what the copy says, and acknowledges', () =>
  withMount(async (mount) => {
    const { mnt, folder } = mount;
    mount.feed(FEED);
    const target = join(folder, 'target');
    fs.mkdirSync(target);
    // As over ssh: the receiver cannot acknowledge by itself.
    const receive = `exec '${process.execPath}' '${MAIN}' receive '${target}' --no-confirm`;
    for (let round = 0; round < 3; round++) {
      fs.mkdirSync(join(mnt, `round-${round}`));
      fs.writeFileSync(join(mnt, `round-${round}`, 'file'), 'x');
      quiesce(mnt);
      const args = sendArguments({ mnt, feed: FEED, args: ['--once', '--to', receive] });
      const { code, stderr } = await run(process.execPath, [MAIN, ...args], {
        timeoutMs: 60_000,
        env: { ...process.env, XDG_STATE_HOME: folder },
      });
      assert.is(code, 0, stderr);
      await assertIdentical(mnt, target);
      await untilNothingOwed(mnt, FEED);
    }
    const args = sendArguments({ mnt, feed: FEED, args: ['--to', receive] });
    const follower = new CloneEnd(
      spawn(process.execPath, [MAIN, ...args], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, XDG_STATE_HOME: folder },
      }),
    );
    fs.renameSync(join(mnt, 'round-1'), join(mnt, 'renamed'));
    quiesce(mnt);
    await until(() => fs.existsSync(join(target, 'renamed')), 'the rename', 30_000);
    await untilNothingOwed(mnt, FEED);
    follower.kill('SIGTERM');
    await follower.end();
    await assertIdentical(mnt, target);
  }));

test.run();
