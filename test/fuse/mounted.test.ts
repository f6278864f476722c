/**
 * The session on the machine's own kernel. Every mount is served by a child
 * process; whatever fails, it is unmounted and the child has ended afterwards.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmdirSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import { UnmountError } from '../../src/fuse/index.js';
import * as libc from '../../src/fuse/libc.js';
import { isMountpoint } from '../../src/fuse/mount-helper.js';
import { unmount } from '../../src/fuse/unmount.js';

const here = dirname(fileURLToPath(import.meta.url));
const run = promisify(execFile);

function canMount(): boolean {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** A server in a child process, and the words that it reports. */
class Served {
  readonly path: string;
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  readonly #words: string[] = [];
  readonly #waiters: (() => void)[] = [];

  constructor(program: string, args: readonly string[] = []) {
    this.path = mkdtempSync(join(tmpdir(), 'feedfs-mounted-'));
    this.child = spawn(process.execPath, [program, this.path, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.exited = new Promise((resolve) => this.child.on('exit', resolve));
    if (this.child.stdout !== null) {
      createInterface(this.child.stdout).on('line', (word) => {
        this.#words.push(word);
        for (const waiter of this.#waiters.splice(0)) waiter();
      });
    }
  }

  /** Consumes reported words up to `word`. */
  async said(word: string): Promise<void> {
    for (;;) {
      const at = this.#words.indexOf(word);
      if (at >= 0) {
        this.#words.splice(0, at + 1);
        return;
      }
      const next = new Promise<void>((resolve) => this.#waiters.push(resolve));
      const code = await Promise.race([next, this.exited]);
      if (typeof code === 'number' && !this.#words.includes(word)) {
        throw new Error(`the server ended (${code}) before it said ${word}`);
      }
    }
  }

  async end(): Promise<void> {
    if (isMountpoint(this.path)) await unmount(this.path, { lazy: true });
    this.child.kill('SIGKILL');
    await this.exited;
    rmdirSync(this.path);
  }
}

async function serving(
  program: string,
  body: (served: Served) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  const served = new Served(program, args);
  try {
    await served.said('mounted');
    await body(served);
  } finally {
    await served.end();
  }
}

const fixture = join(here, 'fixture-server.js');
const memfs = join(here, '..', 'bench', 'memfs-mount.js');

const test = suite('mounted');

test('ordinary use of a memory filesystem, then umount ends the server', () =>
  serving(memfs, async ({ path, exited }) => {
    await fs.mkdir(join(path, 'a/b'), { recursive: true });
    const data = Buffer.alloc(3_000_000, 'feed');
    await fs.writeFile(join(path, 'a/file'), data);
    await fs.rename(join(path, 'a/file'), join(path, 'a/b/moved'));
    assert.ok((await fs.readFile(join(path, 'a/b/moved'))).equals(data));
    await fs.symlink('b/moved', join(path, 'a/link'));
    assert.is(await fs.readlink(join(path, 'a/link')), 'b/moved');
    await fs.link(join(path, 'a/b/moved'), join(path, 'a/hard'));
    assert.is((await fs.stat(join(path, 'a/hard'))).nlink, 2);
    await fs.truncate(join(path, 'a/hard'), 10);
    assert.is((await fs.stat(join(path, 'a/link'))).size, 10);
    const hard = join(path, 'a/hard');
    await run('touch', ['-a', '-d', '1969-12-31T23:59:54.5Z', hard]);
    await run('touch', ['-m', '-d', '@1700000000.25', hard]);
    const times = await fs.stat(join(path, 'a/hard'));
    assert.equal([times.atimeMs, times.mtimeMs], [-5500, 1_700_000_000_250]);
    const names = Array.from({ length: 2000 }, (_, i) => `entry-${i}`);
    for (const name of names) await fs.writeFile(join(path, 'a', name), '');
    assert.is((await fs.readdir(join(path, 'a'))).length, 2003);
    await fs.rm(join(path, 'a'), { recursive: true });
    assert.equal(await fs.readdir(path), []);
    await fs.stat(join(path, 'a')).then(
      () => assert.unreachable(),
      (error) => assert.is(error.code, 'ENOENT'),
    );
    await unmount(path);
    assert.is(await exited, 0);
  }));

test('a memory filesystem without page cache and without busy-polling', () =>
  serving(
    memfs,
    async ({ path }) => {
      await fs.writeFile(join(path, 'f'), 'direct');
      assert.is(await fs.readFile(join(path, 'f'), 'utf8'), 'direct');
      const { stdout } = await run('cat', [join(path, 'f')]);
      assert.is(stdout, 'direct');
    },
    ['--direct-io', '--busy-poll=0'],
  ));

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`a blocked reader dies of ${signal}`, () =>
    serving(fixture, async (served) => {
      const cat = spawn('cat', [join(served.path, 'block')], { stdio: 'ignore' });
      const gone = new Promise<string | null>((resolve) => {
        cat.on('exit', (_code, by) => resolve(by));
      });
      await served.said('parked');
      cat.kill(signal);
      assert.is(await gone, signal);
      await served.said('interrupted');
    }));
}

test('poll waits for its wake-up', () =>
  serving(fixture, async (served) => {
    const file = await fs.open(join(served.path, 'ready'));
    try {
      const pollfd = Buffer.alloc(8);
      pollfd.writeInt32LE(file.fd, 0);
      pollfd.writeInt16LE(1, 4);
      const woken = new Promise<number>((resolve) => {
        libc.poll.async(pollfd, 1, 30_000, (_error, count) => resolve(count));
      });
      await served.said('polled');
      await fs.stat(join(served.path, 'wake'));
      assert.is(await woken, 1);
      assert.is(pollfd.readInt16LE(6), 1);
    } finally {
      await file.close();
    }
  }));

test('an invalidation that waits for a request does not keep others from being served', () =>
  serving(fixture, async (served) => {
    const held = fs.stat(join(served.path, 'dir/x')).then(
      () => 'found',
      (error) => error.code,
    );
    await served.said('held');
    await fs.stat(join(served.path, 'release'));
    assert.is(await held, 'ENOENT');
  }));

test('unmounting what is in use is refused as busy', () =>
  serving(memfs, async ({ path, exited }) => {
    await fs.writeFile(join(path, 'f'), '');
    const file = await fs.open(join(path, 'f'));
    try {
      const refused = await unmount(path).then(
        () => undefined,
        (error: unknown) => error,
      );
      assert.ok(refused instanceof UnmountError);
      assert.is(refused.code, 'busy');
    } finally {
      await file.close();
    }
    await unmount(path);
    assert.is(await exited, 0);
  }));

test('a closed session lets go of its callers', () =>
  serving(fixture, async (served) => {
    const error = await fs.stat(join(served.path, 'close')).then(
      () => undefined,
      (failure) => failure,
    );
    assert.is(error?.errno, -Errno.ECONNABORTED);
    await served.said('closed');
    assert.is(await served.exited, 0);
  }));

if (canMount()) test.run();
