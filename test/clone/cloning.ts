/** `feedfs send … | feedfs receive …` as a test runs it, and what either end said. */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { MAIN } from '../support/mount.js';
import { exitOf, run, runOk, until } from '../support/processes.js';
import { makePipe } from './pipe.js';

/** How long anything that ends by itself may take, in milliseconds. */
const END_MS = 60_000;

/** One line of `receive --json`. */
export interface CloneEvent {
  readonly event: 'hello' | 'progress' | 'confirmed' | 'done';
  readonly [member: string]: unknown;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** One end of a running pair. */
export class CloneEnd {
  readonly child: ChildProcess;
  readonly events: CloneEvent[] = [];
  stderr = '';
  readonly #closed: Promise<void>;

  constructor(child: ChildProcess) {
    this.child = child;
    this.#closed = new Promise((resolve) => child.once('close', () => resolve()));
    let rest = '';
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      const lines = (rest + part).split('\n');
      rest = lines.pop() ?? '';
      this.events.push(...lines.map((line) => JSON.parse(line) as CloneEvent));
    });
    child.stderr?.setEncoding('utf8').on('data', (part: string) => {
      this.stderr += part;
    });
  }

  /** Whether it has said so far that it did so. */
  count(event: CloneEvent['event']): number {
    return this.events.filter((one) => one.event === event).length;
  }

  /** False when it was gone already. */
  kill(signal: NodeJS.Signals = 'SIGKILL'): boolean {
    return this.child.kill(signal);
  }

  /** Its end, and all of its output read. */
  async end(): Promise<Ended> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = this.kill();
    }, END_MS);
    const { code, signal } = await exitOf(this.child);
    await this.#closed;
    clearTimeout(timer);
    if (isLate) throw new Error(`no end within ${END_MS} ms: ${this.stderr}`);
    return { code, signal, stderr: this.stderr };
  }
}

export interface SenderOptions {
  readonly mnt: string;
  readonly feed: string;
  /** Words such as `--once`. */
  readonly args?: readonly string[];
}

export interface ReceiverOptions {
  readonly target: string;
  readonly args?: readonly string[];
}

/** What a sender remembers, and what a killed receiver leaves behind, lies beside the mount. */
function environment(mnt: string): NodeJS.ProcessEnv {
  const beside = join(mnt, '..');
  return { ...process.env, XDG_STATE_HOME: join(beside, 'state-home'), TMPDIR: beside };
}

export function sendArguments({ mnt, feed, args = [] }: SenderOptions): string[] {
  return ['send', feed, '-m', mnt, ...args];
}

/** A sender and a receiver with a pipe between them, both running. */
export function startPair(
  sender: SenderOptions,
  { target, args = [] }: ReceiverOptions,
): { readonly send: CloneEnd; readonly receive: CloneEnd } {
  const pipe = makePipe();
  try {
    const env = environment(sender.mnt);
    const send = spawn(process.execPath, [MAIN, ...sendArguments(sender)], {
      stdio: ['ignore', pipe.write, 'pipe'],
      env,
    });
    const receive = spawn(process.execPath, [MAIN, 'receive', target, '--json', ...args], {
      stdio: [pipe.read, 'pipe', 'pipe'],
      env,
    });
    return { send: new CloneEnd(send), receive: new CloneEnd(receive) };
  } finally {
    fs.closeSync(pipe.read);
    fs.closeSync(pipe.write);
  }
}

/** Runs a pair that ends by itself (`--once`), and that must succeed; what the receiver said. */
export async function clone(
  sender: SenderOptions,
  receiver: ReceiverOptions,
): Promise<readonly CloneEvent[]> {
  const args = [...(sender.args ?? []), '--once'];
  const { send, receive } = startPair({ ...sender, args }, receiver);
  const [sent, received] = await Promise.all([send.end(), receive.end()]);
  assert.equal(
    [sent.code, received.code],
    [0, 0],
    `send: ${sent.stderr}\nreceive: ${received.stderr}`,
  );
  return receive.events;
}

/** The stream as bytes, from a sender that must succeed. */
export async function streamOf(sender: SenderOptions): Promise<Buffer> {
  const { code, stdout, stderr } = await run(
    process.execPath,
    [MAIN, ...sendArguments({ ...sender, args: [...(sender.args ?? []), '--once'] })],
    { env: environment(sender.mnt), timeoutMs: END_MS },
  );
  assert.is(code, 0, stderr);
  return stdout;
}

export interface Received extends Ended {
  readonly events: readonly CloneEvent[];
}

/** Gives a receiver these bytes as its stream. */
export async function receiveBytes(
  stream: Uint8Array,
  target: string,
  args: readonly string[] = [],
  user: { readonly uid?: number; readonly gid?: number } = {},
): Promise<Received> {
  const command = [MAIN, 'receive', target, '--json', ...args];
  const result = await run(process.execPath, command, {
    input: stream,
    timeoutMs: END_MS,
    cwd: '/',
    ...user,
  });
  const lines = result.stdout.toString().split('\n').slice(0, -1);
  return { ...result, events: lines.map((line) => JSON.parse(line) as CloneEvent) };
}

/** Throws unless `feedfs verify` and rsync both find the trees equal. */
export async function assertIdentical(source: string, copy: string): Promise<void> {
  const verified = await run(process.execPath, [MAIN, 'verify', source, copy], {
    timeoutMs: END_MS,
  });
  assert.is(verified.code, 0, `verify: ${verified.stdout}${verified.stderr}`);
  assert.is(await rsyncDifferences(source, copy), '', 'rsync would change');
}

/** What rsync would do to make `copy` like `source`, one line each. */
export function rsyncDifferences(source: string, copy: string): Promise<string> {
  const args = ['-naiHAX', '--checksum', '--delete', `${source}/`, `${copy}/`];
  return runOk('rsync', args, { timeoutMs: END_MS });
}

/** Waits until everything that was done to the mount is on disk, and so on its feeds. */
export function quiesce(mnt: string): void {
  const fd = fs.openSync(mnt, 'r');
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** Waits until the receiver has confirmed that the copy has everything the feed has. */
export async function untilNothingOwed(mnt: string, feed: string): Promise<void> {
  const info = join(mnt, '.lustre', 'feeds', feed, 'info');
  const owed = () => JSON.parse(fs.readFileSync(info, 'utf8')) as { readonly owedRecords: string };
  await until(() => Number(owed().owedRecords) === 0, 'all records confirmed', END_MS);
}
