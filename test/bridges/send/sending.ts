/** `feedfs send` as a test runs it, on a mount of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import type { Frame } from '../../../src/bridges/stream/frame.js';
import { StreamReader } from '../../../src/bridges/stream/reader.js';
import { StreamError } from '../../../src/bridges/stream/stream-error.js';
import { feedfs, MAIN, type TestMount } from '../../support/mount.js';
import { exitOf, type Finished, within } from '../../support/processes.js';

const WAIT_MS = 20_000;

/** What senders remember of files lies in the folder of the mount. */
export function environment(mount: TestMount): NodeJS.ProcessEnv {
  return { ...process.env, XDG_STATE_HOME: join(mount.folder, 'state') };
}

/** Makes what was written so far visible in feeds. */
export function settle(mount: TestMount): void {
  const fd = fs.openSync(mount.mnt, 'r');
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

/** A sender that ends by itself. */
export function send(mount: TestMount, ...args: readonly string[]): Promise<Finished> {
  settle(mount);
  return feedfs(['send', 'backup', '-m', mount.mnt, ...args], { env: environment(mount) });
}

/** The stream of one that must succeed. */
export async function sendOk(mount: TestMount, ...args: readonly string[]): Promise<Buffer> {
  const { code, stdout, stderr } = await send(mount, '--once', ...args);
  assert.is(code, 0, stderr);
  assert.is(stderr, '');
  return stdout;
}

export async function sendFails(
  mount: TestMount,
  exitCode: number,
  message: RegExp,
  ...args: readonly string[]
): Promise<void> {
  const { code, stdout, stderr } = await send(mount, '--once', ...args);
  assert.match(stderr, message);
  assert.is(code, exitCode, stderr);
  assert.is(stdout.length, 0, 'nothing was sent');
  assert.is(stderr.trim().split('\n').length, 1, stderr);
}

/** A sender whose standard output is a file, made anew. */
export async function sendToFile(
  mount: TestMount,
  file: string,
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly stderr: string }> {
  settle(mount);
  const fd = fs.openSync(file, 'w');
  const child = spawn(
    process.execPath,
    [MAIN, 'send', 'backup', '-m', mount.mnt, '--once', ...args],
    { stdio: ['ignore', fd, 'pipe'], env: environment(mount) },
  );
  fs.closeSync(fd);
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const { code } = await within(exitOf(child), WAIT_MS, 'its end');
  return { code, stderr };
}

/** A sender that follows, and its frames as they come. */
export class Following {
  readonly child: ChildProcess;
  stderr = '';
  readonly #frames: AsyncGenerator<Frame, void, void>;

  constructor(mount: TestMount, ...args: readonly string[]) {
    this.child = spawn(process.execPath, [MAIN, 'send', 'backup', '-m', mount.mnt, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment(mount),
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.#frames = framesOf(this.child);
  }

  /** The next frame of that kind; those before it are dropped. */
  async until<K extends Frame['kind']>(kind: K): Promise<Extract<Frame, { kind: K }>> {
    for (;;) {
      const { value, done } = await within(this.#frames.next(), WAIT_MS, kind);
      if (done === true) throw new Error(`the stream ended before ${kind}: ${this.stderr}`);
      if (value.kind === kind) return value as Extract<Frame, { kind: K }>;
    }
  }

  /** What is left of the stream: the kinds of frames but idle ones, or how it broke off. */
  async rest(): Promise<string> {
    const kinds: string[] = [];
    try {
      for (;;) {
        const { value, done } = await within(this.#frames.next(), WAIT_MS, 'the end');
        if (done === true) return kinds.join(' ');
        if (value.kind !== 'idle') kinds.push(value.kind);
      }
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      return [...kinds, error.kind].join(' ');
    }
  }

  async exit(): Promise<number | null> {
    return (await within(exitOf(this.child), WAIT_MS, 'its end')).code;
  }
}

async function* framesOf(child: ChildProcess): AsyncGenerator<Frame, void, void> {
  for await (const { frame } of new StreamReader(must(child.stdout, 'its output'))) yield frame;
}

const RECEIVER = fileURLToPath(new URL('./scripted-receiver.js', import.meta.url));

/** A command for `--to` that does as it is told (scripted-receiver.ts). */
export function receiver(script: unknown): string {
  return `'${process.execPath}' '${RECEIVER}' '${JSON.stringify(script)}'`;
}
