/**
 * A feedfs of a test's own: a new store, a new mountpoint, and the daemon as a
 * child process, all gone afterwards, whatever became of the test. The test
 * process is not the server, so plain fs calls on the mount are fine in it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ExitCode } from '../../src/cli/exit-codes.js';
import { detach, isMounted } from './mounts.js';
import { exitOf, run, within } from './processes.js';

/** The prefix of every temporary folder of a test. */
export const TEMP_PREFIX = 'feedfs-test-';
export const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** How long a mount or its end may take, in milliseconds. */
const MOUNT_MS = 20_000;
const END_MS = 20_000;

export interface MountOptions {
  /** For `-o`, such as `visibility=commit`. */
  readonly options?: string;
  /** Added to the daemon's environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Runs the daemon (not the test) as this user. */
  readonly uid?: number;
  readonly gid?: number;
}

/** Makes a temporary folder that others may enter, and removes it after `use`. */
export async function withFolder<T>(use: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = fs.mkdtempSync(join(tmpdir(), TEMP_PREFIX));
  fs.chmodSync(folder, 0o755);
  const remove = () => removeFolder(folder);
  process.on('exit', remove);
  try {
    return await use(folder);
  } finally {
    process.off('exit', remove);
    remove();
  }
}

/** Removes a temporary folder; tries again while a daemon that was just killed still writes there. */
export function removeFolder(folder: string): void {
  fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}

/** Mounts a new store, runs `use`, and takes everything away again. */
export function withMount<T>(
  use: (mount: TestMount) => T | Promise<T>,
  options: MountOptions = {},
): Promise<T> {
  return withFolder(async (folder) => {
    const mount = new TestMount(folder, options);
    const abandon = () => mount.abandon();
    process.on('exit', abandon);
    try {
      await mount.mount();
      const result = await use(mount);
      await mount.unmount();
      return result;
    } finally {
      process.off('exit', abandon);
      await mount.destroy();
    }
  });
}

export class TestMount {
  /** Where store and mountpoint are; free for a test's own files. */
  readonly folder: string;
  readonly store: string;
  readonly mnt: string;
  #options: MountOptions;
  #daemon: ChildProcess | undefined;
  #log = '';

  constructor(folder: string, options: MountOptions) {
    this.folder = folder;
    this.store = join(folder, 'store');
    this.mnt = join(folder, 'mnt');
    this.#options = options;
    fs.mkdirSync(this.mnt);
    if (options.uid !== undefined) {
      for (const path of [folder, this.mnt]) fs.chownSync(path, options.uid, options.gid ?? 0);
    }
  }

  /** The daemon's process id. */
  get pid(): number {
    const pid = this.#daemon?.pid;
    if (pid === undefined) throw new Error('not mounted');
    return pid;
  }

  /** What the daemons of this mount have written so far. */
  get log(): string {
    return this.#log;
  }

  /** The folder of a feed, which is made if it does not exist. */
  feed(name: string): string {
    const path = join(this.mnt, '.lustre', 'feeds', name);
    fs.mkdirSync(path, { recursive: true });
    return path;
  }

  /** Starts a daemon on the store and waits until the mount answers. */
  async mount(options: MountOptions = this.#options): Promise<void> {
    const { uid, gid } = options;
    const extra = options.options === undefined ? [] : ['-o', options.options];
    const args = ['mount', this.store, this.mnt, '-f', '--ready-fd', '3', ...extra];
    const daemon = spawn(process.execPath, [MAIN, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      ...(uid === undefined ? {} : { uid, gid: gid ?? uid }),
    });
    this.#daemon = daemon;
    const collect = (chunk: Buffer) => {
      this.#log += chunk.toString();
    };
    daemon.stdout?.on('data', collect);
    daemon.stderr?.on('data', collect);
    const line = await within(firstLine(daemon.stdio[3] as Readable), MOUNT_MS, 'the mount');
    if (!line.includes('"ready":true')) {
      await within(exitOf(daemon), END_MS, 'the end of a daemon that did not mount');
      throw new Error(
        `the daemon did not mount (exit code ${daemon.exitCode}): ${line}${this.#log}`,
      );
    }
    // The kernel holds this call until the daemon has answered INIT.
    await within(fs.promises.statfs(this.mnt), MOUNT_MS, 'the first answer');
  }

  /** umount(8), or fusermount3 for an ordinary user; the daemon must then end by itself, well or as told. */
  async unmount(exitCode: number = ExitCode.OK): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined) return;
    const root = process.getuid?.() === 0;
    const [command, args] = root ? ['umount', [this.mnt]] : ['fusermount3', ['-u', this.mnt]];
    const result = await run(command, args);
    if (result.code !== 0) throw new Error(`${command} failed: ${result.stderr}`);
    const { code, signal } = await within(exitOf(daemon), END_MS, 'the daemon’s end');
    this.#daemon = undefined;
    if (code !== exitCode)
      throw new Error(`the daemon ended with ${signal ?? code}:\n${this.#log}`);
  }

  /** Ends the daemon by a signal, waits for its end, and takes the dead mount away. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined) return;
    daemon.kill(signal);
    await within(exitOf(daemon), END_MS, `the daemon’s end after ${signal}`);
    this.#daemon = undefined;
    while (isMounted(this.mnt)) detach(this.mnt);
  }

  /** Mounts the same store again, after {@link unmount} or {@link kill}, or after an orderly unmount now. */
  async remount(options: MountOptions = this.#options): Promise<void> {
    await this.unmount();
    await this.mount(options);
  }

  /** Takes everything away, however things stand. */
  async destroy(): Promise<void> {
    const daemon = this.#daemon;
    this.abandon();
    if (daemon?.pid !== undefined) await exitOf(daemon);
  }

  /** As {@link destroy}, for a process that is about to end and can wait for nothing. */
  abandon(): void {
    this.#daemon?.kill('SIGKILL');
    this.#daemon = undefined;
    while (isMounted(this.mnt)) detach(this.mnt);
  }
}

/** What a pipe brings until its first newline, or until its end. */
function firstLine(pipe: Readable): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    pipe.setEncoding('utf8');
    pipe.on('data', (part: string) => {
      text += part;
      if (text.includes('\n')) resolve(text);
    });
    pipe.on('error', () => resolve(text));
    pipe.on('end', () => resolve(text));
  });
}

/** Runs the feedfs command, as built beside the tests. */
export function feedfs(
  args: readonly string[],
  options: Parameters<typeof run>[2] = {},
): ReturnType<typeof run> {
  return run(process.execPath, [MAIN, ...args], options);
}

// An interrupted test leaves through the exit handlers above.
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
