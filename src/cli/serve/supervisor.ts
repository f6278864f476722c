/**
 * `-o ha`: a mount has a server of its own as a child process, and starts it again whenever it
 * ends. Where another process serves the store already, that one is used for as long as it does.
 *
 * The child holds the read end of a pipe: once the mount is gone it ends, if nobody else is
 * connected, or as soon as nobody is.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import createDebug from 'debug';
import { CliError } from '../cli-error.js';
import { PROGRAM, READY_FD, readMessage } from '../daemon.js';
import { ExitCode } from '../exit-codes.js';
import {
  CRASHES_MAX,
  CRASHES_WITHIN_MS,
  OTHER_LOOK_MS,
  OTHER_READY_MS_MAX,
  RESTART_MS_MAX,
  RESTART_MS_MIN,
  RESTART_SELDOM_MS,
} from '../limits.js';
import type { StoreState } from './store-state.js';

const debug = createDebug('feedfs:cli');

const PIPE_FD = READY_FD + 1;

export interface SupervisorOptions {
  /** What follows `feedfs mds -f`, the store last. */
  readonly argv: readonly string[];
  /** What runs it; default this process's node. */
  readonly program?: string;
  /** Where the child writes its messages; undefined: where this process does. */
  readonly log: string | undefined;
  /** Milliseconds, of a clock that only goes forward. */
  readonly nowMs: () => number;
  readonly say: (line: string) => void;
  /** What another process does with the store: cheap, for it is asked often. */
  readonly state: () => StoreState;
}

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #crashes: number[] = [];
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #told = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Resolves when there is a server. CliError with what it failed with. */
  async start(): Promise<void> {
    const { nowMs, state } = this.#options;
    const untilMs = nowMs() + OTHER_READY_MS_MAX;
    for (;;) {
      const failure = await this.#startOnce();
      if (failure === undefined) return;
      const isLocked = failure.exitCode === ExitCode.STORE_LOCKED;
      if (isLocked && state() === 'served') return this.#watchOther();
      if (!isLocked || state() === 'other' || nowMs() >= untilMs) {
        this.#stopped = true;
        throw failure;
      }
      // Another one that starts now has the lock before it listens.
      await delay(OTHER_LOOK_MS);
      if (state() === 'served') return this.#watchOther();
    }
  }

  /** The server's process; undefined while there is none, or it is not of this mount. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The mount has ended. `wait`: nobody else is connected, so the server ends too. */
  async stop(wait: boolean): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined) return;
    (child.stdio[PIPE_FD] as Writable | undefined)?.destroy();
    if (wait && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    else child.unref();
  }

  /** Why there is no server; undefined if there is one. */
  async #startOnce(): Promise<CliError | undefined> {
    const { argv, log, program = process.execPath } = this.#options;
    const own = ['mds', '-f', '--ready-fd', `${READY_FD}`, '--supervised-fd', `${PIPE_FD}`];
    const logged = log === undefined ? [] : ['--log', log];
    const child = spawn(program, [...process.execArgv, PROGRAM, ...own, ...logged, ...argv], {
      cwd: '/',
      // A Ctrl-C that ends the mount must not end its server first.
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'pipe', 'pipe'],
    });
    // An error is one of starting it; none of killing it, which may follow, is of interest.
    let failed: Error | undefined;
    child.on('error', (error) => {
      failed ??= error;
    });
    const ended = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(`${signal ?? code}`));
    });
    const ready = child.stdio[READY_FD] as Readable | null | undefined;
    // Without memory or processes for it there are no pipes either.
    const message = ready ? await readMessage(ready) : undefined;
    ready?.destroy();
    if (message?.ready === true) {
      debug('server %d serves', child.pid);
      // The mount ended meanwhile: so does this, once nobody uses it.
      if (this.#stopped) {
        (child.stdio[PIPE_FD] as Writable | undefined)?.destroy();
        child.unref();
        return undefined;
      }
      this.#child = child;
      ended.then((how) => this.#ended(how));
      return undefined;
    }
    child.kill('SIGKILL');
    if (message === undefined) {
      const why = failed === undefined ? 'ended' : `cannot be started: ${failed.message}`;
      return new CliError(ExitCode.FAILURE, `the metadata server ${why}`, { cause: failed });
    }
    return new CliError(message.failure.exitCode, message.failure.message);
  }

  #ended(how: string): void {
    this.#child = undefined;
    if (this.#stopped) return;
    this.#options.say(`the metadata server ended (${how}); it is started again`);
    this.#again();
  }

  #again(): void {
    this.#timer = setTimeout(() => this.#try(), this.#pauseMs());
  }

  /** Until the other process is gone. */
  #watchOther(): void {
    this.#timer = setTimeout(() => {
      if (this.#options.state() === 'served') this.#watchOther();
      else this.#try();
    }, OTHER_LOOK_MS);
  }

  #try(): void {
    this.#startOnce().then(
      (failure) => this.#tried(failure),
      (error: unknown) => this.#tried(new CliError(ExitCode.FAILURE, String(error))),
    );
  }

  #tried(failure: CliError | undefined): void {
    if (failure === undefined) return;
    if (this.#stopped) return;
    if (failure.exitCode === ExitCode.STORE_LOCKED && this.#options.state() === 'served') {
      return this.#watchOther();
    }
    this.#options.say(failure.message);
    this.#again();
  }

  /** Longer with each crash in a row; much longer when it does nothing but crash. */
  #pauseMs(): number {
    const now = this.#options.nowMs();
    this.#crashes.push(now);
    while ((this.#crashes[0] ?? now) < now - CRASHES_WITHIN_MS) this.#crashes.shift();
    const count = this.#crashes.length;
    if (count <= CRASHES_MAX) {
      this.#told = false;
      return Math.min(RESTART_MS_MAX, RESTART_MS_MIN * 2 ** (count - 1));
    }
    if (!this.#told) {
      const seconds = RESTART_SELDOM_MS / 1000;
      this.#options.say(
        `the metadata server ended ${count} times within a minute: it is tried every ${seconds} s`,
      );
    }
    this.#told = true;
    return RESTART_SELDOM_MS;
  }
}
