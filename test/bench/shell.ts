/** Child processes of the bench: commands that end, and servers that mount. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cleanup } from './cleanup.js';
import { COMMAND_MS_MAX, MOUNT_WAIT_MS_MAX, STOP_WAIT_MS_MAX, TERM_WAIT_MS_MAX } from './limits.js';

const LOOK_EVERY_MS = 10;
/** What a failing server said last, for the error message. */
const STDERR_CHARS_MAX = 2_000;

const running = new Set<ChildProcess>();
let isStopping = false;

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || isGone(child)) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}

/** Ends the commands that still run, for instance a client in the middle of its work, and lets no new one begin. */
export function stopCommands(): void {
  isStopping = true;
  for (const child of running) killGroup(child);
}

async function closed(
  child: ChildProcess,
  done: () => void,
): Promise<[number | null, string | null]> {
  try {
    return (await once(child, 'close')) as [number | null, string | null];
  } finally {
    done();
    running.delete(child);
  }
}

/** Runs to its end and returns stdout. A bad exit or the time limit throws with stderr. */
export async function run(
  command: string,
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly timeoutMs?: number;
    /** Part of the clean-up. */
    readonly undoes?: boolean;
  } = {},
): Promise<string> {
  if (isStopping && options.undoes !== true) throw new Error(`${command}: the bench is ending`);
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: it is ended with its children, and Ctrl-C is for us.
    detached: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  running.add(child);
  const timer = setTimeout(() => killGroup(child), options.timeoutMs ?? COMMAND_MS_MAX);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_CHARS_MAX);
  });
  const [code, signal] = await closed(child, () => clearTimeout(timer));
  if (code === 0) return stdout;
  const said = stderr.trim().split('\n').at(-1) ?? '';
  throw new Error(
    `${path.basename(command)} ${args[0] ?? ''}: ${signal ?? `exit ${code}`}: ${said}`,
  );
}

/** True when `command` is found in PATH. */
export function has(command: string): boolean {
  const dirs = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
  return dirs.split(':').some((dir) => dir !== '' && fs.existsSync(`${dir}/${command}`));
}

export function isMounted(mountpoint: string): boolean {
  const lines = fs.readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return lines.some((line) => line.split(' ')[1] === mountpoint);
}

/** False when `holds` does not within the limit. */
export async function waitUntil(holds: () => boolean, limitMs: number): Promise<boolean> {
  for (let waited = 0; !holds(); waited += LOOK_EVERY_MS) {
    if (waited > limitMs) return false;
    await delay(LOOK_EVERY_MS);
  }
  return true;
}

/** The first line of what went wrong. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] ?? '';
}

export function isGone(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Unmounts, by force as the last resort; nothing to do when it is not mounted. */
export async function unmount(mountpoint: string, waitMs = STOP_WAIT_MS_MAX): Promise<void> {
  const isRoot = process.getuid?.() === 0;
  const ways = isRoot
    ? [['umount'], ['umount', '-l']]
    : [
        ['fusermount3', '-u'],
        ['fusermount3', '-uz'],
      ];
  for (const [command, ...args] of ways) {
    if (command === undefined || !isMounted(mountpoint)) return;
    const options = { timeoutMs: waitMs, undoes: true };
    await run(command, [...args, mountpoint], options).catch(() => undefined);
  }
}

export interface Server {
  readonly name: string;
  readonly mountpoint: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface ServerCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly mountpoint: string;
  /** How long unmounting, and its end after it, may take. */
  readonly stopMs?: number;
}

/** Starts a server that stays in the foreground and waits until it has mounted. */
export async function startServer(cleanup: Cleanup, options: ServerCommand): Promise<Server> {
  fs.mkdirSync(options.mountpoint, { recursive: true });
  let child: ChildProcess | undefined;
  const gone = () => child === undefined || child.pid === undefined || isGone(child);
  const stopMs = options.stopMs ?? STOP_WAIT_MS_MAX;
  const stop = cleanup.defer(`server ${options.name}`, async () => {
    await unmount(options.mountpoint, stopMs);
    if (!(await waitUntil(gone, stopMs))) {
      // A reader that cannot be interrupted keeps even a detached mount alive.
      child?.kill('SIGTERM');
      if (!(await waitUntil(gone, TERM_WAIT_MS_MAX))) child?.kill('SIGKILL');
      await waitUntil(gone, STOP_WAIT_MS_MAX);
    }
    // It may have been about to mount when this began.
    await unmount(options.mountpoint);
  });
  child = spawn(options.command, options.args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-STDERR_CHARS_MAX);
  });
  child.on('error', (error) => {
    said += String(error);
  });
  const mounted = () => isMounted(options.mountpoint);
  await waitUntil(() => mounted() || gone(), MOUNT_WAIT_MS_MAX);
  if (!mounted() || child.pid === undefined) {
    await stop();
    throw new Error(`${options.name} did not mount: ${said.trim()}`);
  }
  return { name: options.name, mountpoint: options.mountpoint, pid: child.pid, stop };
}
