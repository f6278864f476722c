/**
 * What the machine's own kernel does with the notifications that keep several mounts of one
 * filesystem coherent (native-notes/coherence.md). The server is a child process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmdirSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import { unmount } from '../../src/fuse/unmount.js';
import { detach, isMounted } from '../support/mounts.js';

const FIXTURE = fileURLToPath(new URL('./coherence-fixture.js', import.meta.url));
const FILE = 3;

class Mounted {
  readonly path = mkdtempSync(join(tmpdir(), 'feedfs-coherence-'));
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #lines: string[] = [];
  #waiters: (() => void)[] = [];

  constructor() {
    this.#child = spawn(process.execPath, [FIXTURE, this.path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#ended = new Promise((resolve) => this.#child.on('exit', resolve));
    const stdout = this.#child.stdout;
    if (stdout === null) throw new Error('no pipe');
    createInterface(stdout).on('line', (line) => {
      this.#lines.push(line);
      for (const waiter of this.#waiters.splice(0)) waiter();
    });
  }

  /** Everything said up to that line, without it. */
  async until(line: string): Promise<string[]> {
    for (;;) {
      const at = this.#lines.indexOf(line);
      if (at >= 0) return this.#lines.splice(0, at + 1).slice(0, -1);
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** What was said since the last time, the effects of `command` among it. */
  async tell(command: string): Promise<string[]> {
    this.#child.stdin?.write(`${command}\n`);
    return this.until('did');
  }

  /** Requests since the last question. */
  requests(): Promise<string[]> {
    return this.tell('');
  }

  in(name: string): string {
    return join(this.path, name);
  }

  async end(): Promise<void> {
    if (isMounted(this.path)) await unmount(this.path, { lazy: true });
    this.#child.kill('SIGKILL');
    await this.#ended;
    while (isMounted(this.path)) detach(this.path);
    rmdirSync(this.path);
  }
}

async function mounted(body: (mount: Mounted) => Promise<void>): Promise<void> {
  const mount = new Mounted();
  try {
    await mount.until('mounted');
    await body(mount);
  } finally {
    await mount.end();
  }
}

async function missing(path: string): Promise<boolean> {
  return fs.stat(path).then(
    () => false,
    () => true,
  );
}

const test = suite('coherence');

/** With `f` open: closed before the mount ends, also when a check fails. */
function withFile(work: (mount: Mounted, file: fs.FileHandle) => Promise<void>): Promise<void> {
  return mounted(async (mount) => {
    const file = await fs.open(mount.in('f'));
    try {
      await work(mount, file);
    } finally {
      await file.close();
    }
  });
}

test('an epoch has names looked up again, also those that are not there', () =>
  mounted(async (mount) => {
    await fs.stat(mount.in('f'));
    assert.ok(await missing(mount.in('later')));
    await mount.requests();
    await fs.stat(mount.in('f'));
    assert.ok(await missing(mount.in('later')));
    assert.equal(await mount.requests(), []);
    await mount.tell('make later');
    assert.ok((await mount.tell('epoch')).includes('epoch true'));
    await fs.stat(mount.in('f'));
    assert.not(await missing(mount.in('later')));
    assert.equal(await mount.requests(), ['lookup f', 'lookup later']);
    await fs.stat(mount.in('f'));
    assert.equal(await mount.requests(), []);
  }));

test('a name that is being looked up while the epoch begins is looked up again', () =>
  mounted(async (mount) => {
    await mount.tell('hold lookup');
    const first = missing(mount.in('later'));
    await mount.until('held');
    await mount.tell('make later');
    await mount.tell('epoch');
    await mount.tell('release');
    assert.ok(await first);
    await mount.requests();
    assert.not(await missing(mount.in('later')));
    assert.equal(await mount.requests(), ['lookup later']);
  }));

test('neither waits for a create that is not answered', () =>
  mounted(async (mount) => {
    await fs.stat(mount.in('f'));
    await mount.tell('hold create');
    const file = fs.open(mount.in('new'), 'wx');
    await mount.until('held');
    assert.equal(await mount.tell('epoch'), ['epoch true']);
    await mount.tell('inode 1 0');
    await mount.until('told 0');
    await mount.tell('fence');
    await mount.until('fenced');
    // Names that the kernel has it looks up without the directory's lock.
    await mount.tell('release');
    await (await file).close();
  }));

test('an invalidation drops attributes and pages; with offset -1 attributes only', () =>
  withFile(async (mount, file) => {
    const first = async (): Promise<string> =>
      (await file.read(Buffer.alloc(1), 0, 1, 0)).buffer.toString();
    assert.equal([await first(), (await file.stat()).size], ['a', 5]);
    await mount.tell('set 7 b');
    await mount.requests();
    assert.equal([await first(), (await file.stat()).size], ['a', 5]);
    assert.equal(await mount.requests(), []);
    await mount.tell(`inode ${FILE} -1`);
    await mount.until('told 0');
    assert.is((await file.stat()).size, 7);
    assert.equal(await mount.requests(), [`getattr ${FILE}`]);
    await mount.tell(`inode ${FILE} 0`);
    await mount.until('told 0');
    assert.is(await first(), 'b');
    assert.equal(await mount.requests(), ['read 0']);
    assert.is((await file.stat()).size, 7);
    assert.equal(await mount.requests(), [`getattr ${FILE}`]);
  }));

test('attributes that are on their way when they are invalidated are not kept', () =>
  withFile(async (mount, file) => {
    await mount.tell(`inode ${FILE} -1`);
    await mount.until('told 0');
    await mount.tell('hold getattr');
    const stat = file.stat();
    await mount.until('held');
    await mount.tell('set 9 c');
    await mount.tell(`inode ${FILE} -1`);
    await mount.until('told 0');
    await mount.tell('release');
    await stat;
    await mount.requests();
    assert.is((await file.stat()).size, 9);
    assert.equal(await mount.requests(), [`getattr ${FILE}`]);
  }));

test('the invalidation of pages waits for a READ that fills one, and drops it', () =>
  withFile(async (mount, file) => {
    await mount.tell('hold read');
    const read = file.read(Buffer.alloc(1), 0, 1, 0);
    await mount.until('held');
    await mount.tell('set 5 b');
    await mount.tell(`inode ${FILE} 0`);
    assert.not((await mount.requests()).includes('told 0'));
    await mount.tell('release');
    await mount.until('told 0');
    // The page may be gone before its reader has copied it: then it is read again.
    assert.match((await read).buffer.toString(), /^[ab]$/);
    assert.is((await file.read(Buffer.alloc(1), 0, 1, 0)).buffer.toString(), 'b');
  }));

test('what the kernel does not know is ENOENT; an unknown notification is EINVAL', () =>
  mounted(async (mount) => {
    await mount.tell('inode 77 0');
    await mount.until('told ENOENT');
    await mount.tell('code 100');
    await mount.until(`wrote ${Errno.EINVAL}`);
  }));

function kernelHasEpochs(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 16);
}

function canMount(): boolean {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    return kernelHasEpochs();
  } catch {
    return false;
  }
}

if (canMount()) test.run();
else console.log('coherence: no /dev/fuse, or a kernel older than 6.16');
