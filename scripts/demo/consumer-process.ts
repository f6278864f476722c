/** The consumer process as the demo sees it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { exitOf, within } from '../../test/support/processes.js';
import type { ConsumerReport } from './consumer.js';

/** A record that takes longer than this to arrive is taken for lost. */
const SEEN_MS_MAX = 30_000;
const PROGRAM = fileURLToPath(new URL('consumer.js', import.meta.url));

interface Waiter {
  readonly name: string;
  readonly resolve: (awake: bigint) => void;
  readonly reject: (error: Error) => void;
}

export class ConsumerProcess {
  #child: ChildProcess;
  #latest: ConsumerReport | undefined;
  #waiters: Waiter[] = [];
  #stopping = false;

  /** Starts it on a feed's directory. */
  constructor(feed: string) {
    const child = spawn(process.execPath, [PROGRAM, feed], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    let text = '';
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (part: string) => {
      const lines = (text + part).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) this.#take(JSON.parse(line) as ConsumerReport);
    });
    child.on('exit', (code, signal) => {
      if (this.#stopping) return;
      const error = new Error(`the consumer ended by itself (${signal ?? code})`);
      for (const waiter of this.#waiters) waiter.reject(error);
    });
  }

  /** What it has said last; undefined before its first record. */
  get latest(): ConsumerReport | undefined {
    return this.#latest;
  }

  /** Resolves, when it has read the mkdir of `name`, with the time its epoll returned for it. */
  sees(name: string): Promise<bigint> {
    const seen = new Promise<bigint>((resolve, reject) => {
      this.#waiters.push({ name, resolve, reject });
    });
    return within(seen, SEEN_MS_MAX, `the record of ${name} at the consumer`);
  }

  /** Ends it; resolves once its files are closed. */
  async stop(): Promise<void> {
    this.abandon();
    await exitOf(this.#child);
  }

  /** As {@link stop}, for a process that is about to end and can wait for nothing. */
  abandon(): void {
    this.#stopping = true;
    this.#child.kill('SIGKILL');
  }

  #take(report: ConsumerReport): void {
    this.#latest = report;
    if (report.made.length === 0) return;
    const made = new Set(report.made);
    for (const waiter of this.#waiters)
      if (made.has(waiter.name)) waiter.resolve(BigInt(report.awake));
    this.#waiters = this.#waiters.filter((waiter) => !made.has(waiter.name));
  }
}
