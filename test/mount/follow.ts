/** Programs that follow a feed file, run by a test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { exitOf, isBlockedReading, until, within } from '../support/processes.js';

/** A running program whose output is collected. */
export class Follower {
  readonly child: ChildProcess;
  readonly pid: number;
  #text = '';
  #lookers = new Set<() => void>();

  constructor(command: string, args: readonly string[]) {
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    if (this.child.pid === undefined) throw new Error(`cannot start ${command}`);
    this.pid = this.child.pid;
    const take = (part: Buffer) => {
      this.#text += part.toString('latin1');
      for (const look of this.#lookers) look();
    };
    this.child.stdout?.on('data', take);
    this.child.stderr?.on('data', take);
  }

  /** Everything it has printed, as a binary string. */
  get text(): string {
    return this.#text;
  }

  /** The complete lines it has printed, parsed; empty ones (filler) left out. */
  get records(): { op: string; name: string; index: string }[] {
    const lines = this.#text.split('\n').slice(0, -1);
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  }

  /** Resolves once `condition` holds for the output; fails after `ms`. */
  async prints(condition: () => boolean, what: string, ms = 10_000): Promise<void> {
    let look: (() => void) | undefined;
    const seen = new Promise<void>((resolve) => {
      look = () => {
        if (condition()) resolve();
      };
      this.#lookers.add(look);
      look();
    });
    try {
      await within(seen, ms, `${what}; the output so far:\n${this.#text}\n`);
    } finally {
      if (look) this.#lookers.delete(look);
    }
  }

  /** Resolves once it sleeps in a read of the feed's file. */
  blocks(file = 'stream.ndjson'): Promise<void> {
    return until(() => isBlockedReading(this.pid, file), `read of ${file} to block`);
  }

  /** Sends a signal and waits for the end; the milliseconds that took. */
  async end(signal: NodeJS.Signals = 'SIGINT'): Promise<number> {
    const begun = performance.now();
    this.child.kill(signal);
    await within(exitOf(this.child), 10_000, `end after ${signal}`);
    return performance.now() - begun;
  }
}

/** Starts a program for the time of `use`; it has ended afterwards in any case. */
export async function following<T>(
  command: string,
  args: readonly string[],
  use: (follower: Follower) => Promise<T>,
): Promise<T> {
  const follower = new Follower(command, args);
  try {
    return await use(follower);
  } finally {
    follower.child.kill('SIGKILL');
    await exitOf(follower.child);
  }
}
