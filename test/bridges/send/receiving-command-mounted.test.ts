/** `feedfs send --to`: what its command says before anything is sent, and what a signal does to both. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import { ExitCode } from '../../../src/cli/exit-codes.js';
import { openFeed } from '../../../src/consumer/feeds.js';
import type { FeedInfo } from '../../../src/consumer/types.js';
import { MAIN, type TestMount, withMount } from '../../support/mount.js';
import { exitOf, within } from '../../support/processes.js';
import { environment, receiver, send, sendFails, settle } from './sending.js';

const WAIT_MS = 20_000;

async function infoOf(mount: TestMount): Promise<FeedInfo> {
  const feed = await openFeed(mount.mnt, 'backup');
  try {
    return await feed.info();
  } finally {
    feed.close();
  }
}

function write(mount: TestMount, name: string): void {
  fs.writeFileSync(join(mount.mnt, name), name);
  settle(mount);
}

test('--ack goes without a command only: one that fails confirms nothing', () =>
  withMount(async (mount) => {
    mount.feed('backup');
    write(mount, 'a');
    const failing = receiver({ copy: null, exitCode: 1 });
    await sendFails(mount, ExitCode.USAGE, /--ack and --to exclude/, '--ack', '--to', failing);
    assert.is((await infoOf(mount)).acknowledged.index, 1);
  }));

test('what a copy has by its own account is acknowledged before anything is sent', () =>
  withMount(async (mount) => {
    mount.feed('backup');
    for (const name of ['a', 'b', 'c']) write(mount, name);
    const { epoch, nextOffset, nextIndex, filesystem, id } = await infoOf(mount);
    // It was killed when all was on disk and nothing confirmed.
    const place = { epoch, offset: `${nextOffset}`, index: `${nextIndex}` };
    const copy = { filesystem, feed: id, baseline: 'complete', ...place };
    const { code, stderr } = await send(mount, '--once', '--to', receiver({ copy }));
    assert.equal([code, stderr], [0, '']);
    const { acknowledged, owedRecords } = await infoOf(mount);
    assert.equal([acknowledged.index, owedRecords], [nextIndex, 0]);
  }));

test('a copy that is ahead, because the source was set back, gets a baseline', () =>
  withMount(async (mount) => {
    mount.feed('backup');
    write(mount, 'a');
    const { epoch, nextOffset, nextIndex, filesystem, id } = await infoOf(mount);
    const place = { epoch, offset: `${nextOffset + 800}`, index: `${nextIndex + 5}` };
    const copy = { filesystem, feed: id, baseline: 'complete', ...place };
    const file = join(mount.folder, 'kinds');
    const { code, stderr } = await send(mount, '--once', '--to', receiver({ copy, file }));
    assert.is(code, 0, stderr);
    assert.match(stderr, /a new baseline is sent, since the copy is ahead/);
    assert.is(fs.readFileSync(file, 'utf8'), 'header entries commit end');
    // Nothing is acknowledged that never was.
    assert.is((await infoOf(mount)).acknowledged.index, 1);
  }));

test('Ctrl-C, which the command gets as well, is no error', () =>
  withMount(async (mount) => {
    mount.feed('backup');
    write(mount, 'a');
    const file = join(mount.folder, 'kinds');
    const script = { copy: null, confirm: 'all', file };
    const plain = receiver(script);
    const patient = receiver({ ...script, ignoresInterrupt: true, exitCode: 130 });
    // It is ended by the signal, ends with an exit code before the stream does, or after it.
    const commands = [plain, `trap 'exit 130' INT; ${plain}`, `trap '' INT; ${patient}`];
    for (const command of commands) {
      fs.rmSync(file, { force: true });
      const child = spawn(
        process.execPath,
        [MAIN, 'send', 'backup', '-m', mount.mnt, '--to', command],
        {
          stdio: ['ignore', 'ignore', 'pipe'],
          env: environment(mount),
          detached: true,
        },
      );
      let stderr = '';
      child.stderr?.on('data', (chunk: Buffer) => {
        stderr += chunk.toString();
      });
      await within(commits(mount, file), WAIT_MS, 'the first commit');
      process.kill(-must(child.pid, 'a process'), 'SIGINT');
      const { code } = await within(exitOf(child), WAIT_MS, 'its end');
      assert.equal([code, stderr], [ExitCode.INTERRUPTED, ''], command);
    }
  }));

/** Resolves when the receiver wrote that a commit came. */
function commits({ folder }: TestMount, file: string): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!fs.existsSync(file) || !fs.readFileSync(file, 'utf8').includes('commit')) return;
      watcher.close();
      resolve();
    };
    const watcher = fs.watch(folder, look);
    look();
  });
}

test.run();
