/** Other processes that take locks, from the side of the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { exitOf, until } from '../support/processes.js';
import type { LockFamily, LockType, Obstacle, Range } from './lock-calls.js';

const CHILD = fileURLToPath(new URL('./lock-agent-child.js', import.meta.url));

export type LockRequest =
  | { readonly call: 'open'; readonly path: string; readonly flags: string }
  | { readonly call: 'close'; readonly fd: number }
  | { readonly call: 'closeAll' }
  | {
      readonly call: 'set';
      readonly family: LockFamily;
      readonly fd: number;
      readonly type: LockType;
      readonly wait: boolean;
      readonly range: Range;
    }
  | {
      readonly call: 'get';
      readonly family: 'posix' | 'ofd';
      readonly fd: number;
      readonly type: LockType;
      readonly range: Range;
    };

export interface LockAnswer {
  readonly value?: unknown;
  /** Name of the errno. */
  readonly error?: string;
}

export class LockAgent {
  readonly #child: ChildProcess;
  readonly #waiting: ((answer: LockAnswer) => void)[] = [];
  readonly #lines: Interface;

  constructor() {
    const child = spawn(process.execPath, [CHILD], {
      cwd: '/',
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (child.stdout === null) throw new Error('the agent has no output');
    this.#child = child;
    this.#lines = createInterface(child.stdout);
    this.#lines.on('line', (line) => this.#waiting.shift()?.(JSON.parse(line) as LockAnswer));
    child.on('exit', () => {
      for (const answer of this.#waiting.splice(0)) answer({ error: 'ended' });
    });
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  #ask(request: LockRequest): Promise<LockAnswer> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    });
  }

  async open(path: string, flags = 'r+'): Promise<number> {
    const { value, error } = await this.#ask({ call: 'open', path, flags });
    if (typeof value !== 'number') throw new Error(`the agent could not open ${path}: ${error}`);
    return value;
  }

  async close(fd: number): Promise<void> {
    await this.#ask({ call: 'close', fd });
  }

  async closeAll(): Promise<void> {
    await this.#ask({ call: 'closeAll' });
  }

  /** 'ok', or the name of the errno. */
  async set(
    family: LockFamily,
    fd: number,
    type: LockType,
    range: Range = {},
    wait = false,
  ): Promise<string> {
    const { error } = await this.#ask({ call: 'set', family, fd, type, wait, range });
    return error ?? 'ok';
  }

  /** As {@link set}, waiting for the lock; resolves when it has it, or was interrupted. */
  async wait(family: LockFamily, fd: number, type: LockType, range: Range = {}): Promise<Waiting> {
    const outcome: { now: string | undefined } = { now: undefined };
    const promise = this.set(family, fd, type, range, true).then((result) => {
      outcome.now = result;
      return result;
    });
    await until(() => outcome.now !== undefined || this.#sleepsOn(fd), 'the lock call to wait');
    return { blocked: outcome.now === undefined, promise };
  }

  async get(
    family: 'posix' | 'ofd',
    fd: number,
    type: LockType,
    range: Range = {},
  ): Promise<Obstacle | string | null> {
    const { value, error } = await this.#ask({ call: 'get', family, fd, type, range });
    return error ?? (value as Obstacle | null);
  }

  /** The kernel tells in which call a sleeping process is: its number, then its arguments. */
  #sleepsOn(fd: number): boolean {
    const [call, first] = readFileSync(`/proc/${this.pid}/syscall`, 'latin1').split(' ');
    return call !== 'running' && Number(first) === fd;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Kills it and waits for its end. */
  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await exitOf(this.#child);
    this.#lines.close();
  }
}

export interface Waiting {
  /** False if the call came back at once. */
  readonly blocked: boolean;
  readonly promise: Promise<string>;
}
