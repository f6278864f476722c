/** The command against real mounts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nameFromText } from '../../src/base/name.js';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { makeStore } from '../support/damage.js';
import { feedfs, MAIN, withFolder } from '../support/mount.js';
import { detach, isMounted } from '../support/mounts.js';
import { overwritePage, pagesOf } from '../support/pages.js';
import { within } from '../support/processes.js';

const WAIT_MS = 20_000;

interface Places {
  readonly store: string;
  readonly mnt: string;
}

/** A background mount of the command's own making; taken away whatever happens. */
async function withBackgroundMount(use: (places: Places) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const places = { store: path.join(folder, 'store'), mnt: path.join(folder, 'mnt') };
    fs.mkdirSync(places.mnt);
    const detachAll = () => {
      while (isMounted(places.mnt)) detach(places.mnt);
    };
    process.on('exit', detachAll);
    try {
      await ok('mount', places.store, places.mnt);
      await use(places);
      await ok('umount', places.mnt);
    } finally {
      process.off('exit', detachAll);
      detachAll();
    }
  });
}

async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await feedfs(args);
  assert.is(code, ExitCode.OK, `${args.join(' ')}: ${stderr}`);
  return stdout.toString();
}

async function fails(exitCode: ExitCode, message: RegExp, ...args: string[]): Promise<void> {
  const { code, stderr } = await feedfs(args);
  assert.is(code, exitCode, stderr);
  assert.match(stderr, message);
}

/** Output of a running command until it contains `text`. */
async function until(child: ChildProcess, text: string): Promise<string> {
  let output = '';
  const seen = new Promise<string>((resolve) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes(text)) resolve(output);
    });
  });
  return within(seen, WAIT_MS, `"${text}"`);
}

test('mount in the background, use it, unmount, mount again at once', () =>
  withBackgroundMount(async ({ store, mnt }) => {
    assert.ok(isMounted(mnt));
    fs.writeFileSync(path.join(mnt, 'file'), 'hello');
    for (let i = 0; i < 3; i++) {
      await ok('umount', mnt);
      assert.not.ok(isMounted(mnt));
      await ok('mount', store, mnt, '-o', 'nosuid,noatime,_netdev');
      assert.is(fs.readFileSync(path.join(mnt, 'file'), 'utf8'), 'hello');
    }
    await ok('umount', mnt);
    const verdict = JSON.parse(await ok('fsck', store, '--json')) as { findings: unknown[] };
    assert.equal(verdict.findings, []);
    await ok('mount', store, mnt);
  }));

test('mounting twice: a busy mountpoint, a store in use, named with its pid', () =>
  withBackgroundMount(async ({ store, mnt }) => {
    await fails(ExitCode.BUSY, /already mounted/, 'mount', store, mnt);
    const other = `${mnt}-2`;
    fs.mkdirSync(other);
    await fails(ExitCode.STORE_LOCKED, /in use by process \d+/, 'mount', store, other);
    await fails(ExitCode.STORE_LOCKED, /in use by process \d+/, 'mount', store, other, '-f');
    assert.not.ok(isMounted(other));
  }));

test('a directory that is not a store is refused and left alone', () =>
  withFolder(async (folder) => {
    const places = [path.join(folder, 'data'), path.join(folder, 'mnt')] as const;
    for (const place of places) fs.mkdirSync(place);
    fs.writeFileSync(path.join(places[0], 'mine'), '');
    await fails(ExitCode.STORE_UNUSABLE, /neither empty nor a feedfs store/, 'mount', ...places);
    assert.equal(fs.readdirSync(places[0]), ['mine']);
    assert.not.ok(isMounted(places[1]));
  }));

test('a store with a damaged page is refused, in a sentence, and mounts once it is repaired', () =>
  withFolder(async (folder) => {
    const [store, mnt] = [path.join(folder, 'store'), path.join(folder, 'mnt')] as const;
    fs.mkdirSync(mnt);
    await makeStore(store, (bench) => {
      bench.file('file');
    });
    for (const table of ['inode', 'meta', 'log'] as const) {
      if (table === 'log') await withFeed(store);
      const { root, pageBytes } = pagesOf(store, table);
      overwritePage(store, { page: root, pageBytes }, () => 0);
      await fails(ExitCode.STORE_UNUSABLE, /is damaged.*run feedfs fsck/, 'mount', store, mnt);
      const { code } = await feedfs(['fsck', '--repair', store]);
      assert.ok(code === ExitCode.FSCK_MENDED || code === ExitCode.FSCK_FOUND, `exit ${code}`);
      await ok('mount', store, mnt);
      await ok('umount', mnt);
    }
  }));

/** Logs something. */
function withFeed(store: string): Promise<void> {
  return makeStore(store, async (bench) => {
    await bench.call('feedCreate', { name: nameFromText('feed') });
    bench.file('told');
  });
}

test('umount of a mount in use names the user; -l detaches it', () =>
  withBackgroundMount(async ({ store, mnt }) => {
    const holder = spawn('sleep', ['60'], { cwd: mnt });
    await once(holder, 'spawn');
    const message = new RegExp(`sleep \\(pid ${holder.pid}\\): current directory`);
    await fails(ExitCode.BUSY, message, 'umount', mnt);
    await ok('umount', '-l', mnt);
    assert.not.ok(isMounted(mnt));
    holder.kill();
    await once(holder, 'exit');
    // The store is free once the daemon has seen its last user go.
    await mountWhenFree(store, mnt);
  }));

/** After a lazy unmount only the kernel knows when the daemon ends: the mount is tried until then. */
async function mountWhenFree(store: string, mnt: string): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const { code, stderr } = await feedfs(['mount', store, mnt]);
    if (code === ExitCode.OK) return;
    assert.is(code, ExitCode.STORE_LOCKED, stderr);
    assert.ok(performance.now() < deadline, 'the daemon did not end');
  }
}

test('a mount whose daemon was killed: refused as a mountpoint, then unmounted', () =>
  withBackgroundMount(async ({ store, mnt }) => {
    fs.mkdirSync(`${mnt}-2`);
    const locked = await feedfs(['mount', store, `${mnt}-2`]);
    const pid = Number(/process (\d+)/.exec(locked.stderr)?.[1]);
    assert.ok(pid > 1);
    await ok('feed', 'create', 'backup', '-m', mnt);
    process.kill(pid, 'SIGKILL');
    await fails(ExitCode.NO_MOUNT, /does not answer: feedfs umount/, 'feed', 'ls', '-m', mnt);
    const { code } = await feedfs(['mount', store, mnt]);
    assert.is(code, ExitCode.BUSY);
    await ok('umount', mnt);
    await ok('mount', store, mnt);
  }));

test('feeds, found from the current directory', () =>
  withBackgroundMount(async ({ mnt }) => {
    fs.mkdirSync(path.join(mnt, 'sub'));
    const inside = async (...args: string[]) => {
      const { code, stdout, stderr } = await feedfs(args, { cwd: path.join(mnt, 'sub') });
      assert.is(code, ExitCode.OK, stderr);
      return stdout.toString();
    };
    await inside('feed', 'create', 'backup');
    for (let i = 0; i < 5; i++) fs.writeFileSync(path.join(mnt, `f${i}`), '');
    assert.match(await inside('feed', 'ls'), /^backup +\d+ /m);
    const lines = (await inside('tail', 'backup', '--no-follow')).trimEnd().split('\n');
    assert.ok(lines.length >= 5);
    const info = JSON.parse(await inside('feed', 'show', 'backup', '--json')) as {
      nextIndex: string;
    };
    const to = String(Number(info.nextIndex) - 1);
    await fails(
      ExitCode.FAILURE,
      /the last record is/,
      'feed',
      'ack',
      'backup',
      '--to',
      info.nextIndex,
      '-m',
      mnt,
    );
    await inside('feed', 'ack', 'backup', '--to', to);
    assert.is(await inside('tail', 'backup', '--no-follow'), '');
    fs.writeFileSync(path.join(mnt, 'more'), '', { flush: true });
    await inside('feed', 'ack', 'backup', '--all');
    assert.is(await inside('tail', 'backup', '--no-follow', '--raw'), '');
    await inside('feed', 'rm', 'backup');
  }));

test('tail follows, and Ctrl-C stops it at once', () =>
  withBackgroundMount(async ({ mnt }) => {
    await ok('feed', 'create', 'live', '-m', mnt);
    const child = spawn(process.execPath, [MAIN, 'tail', 'live', '-m', mnt], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    fs.mkdirSync(path.join(mnt, 'one'));
    await until(child, 'one');
    fs.mkdirSync(path.join(mnt, 'two'));
    await until(child, 'two');
    child.kill('SIGINT');
    const [, signal] = (await within(ended, WAIT_MS, 'the end of tail')) as [unknown, unknown];
    assert.is(signal, 'SIGINT');
  }));

test('tail ends when the reader of its pipe goes away, even if nothing more happens', () =>
  withBackgroundMount(async ({ mnt }) => {
    await ok('feed', 'create', 'quiet', '-m', mnt);
    fs.mkdirSync(path.join(mnt, 'one'));
    const { code, stderr } = await feedfs(['feed', 'ls', '-m', mnt]);
    assert.is(code, ExitCode.OK, stderr);
    const line = `'${process.execPath}' '${MAIN}' tail quiet -m '${mnt}' | head -n 1`;
    const shell = spawn('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'inherit'] });
    const output = until(shell, 'one');
    await within(once(shell, 'exit'), WAIT_MS, 'the end of the pipeline');
    assert.match(await output, /mkdir +one/);
  }));

test.run();
