/** Where a stream goes to: standard output, or a command that receives and confirms. */
import * as fs from 'node:fs';
import type { ReceiverEvent } from '../bridges/send/receiver-events.js';
import {
  describeExit,
  type ReceiverExit,
  ReceiverProcess,
} from '../bridges/send/receiver-process.js';
import { SendError } from '../bridges/send/send-error.js';
import type { Copy } from '../bridges/send/start.js';
import { type Acknowledge, Window } from '../bridges/send/window.js';
import type { ByteSink } from '../bridges/stream/writer.js';
import { CliError, usageError } from './cli-error.js';
import { ExitCode } from './exit-codes.js';
import type { Output } from './output.js';
import { watchReader } from './watch-reader.js';

const STDOUT = 1;

export interface Destination {
  readonly sink: ByteSink;
  /** Where somebody confirms. */
  readonly window: Window | undefined;
  /** Aborts when nobody reads any more. */
  readonly gone: AbortSignal;
  /** It is a regular file: what is written can be made durable. */
  readonly isFile: boolean;
  /** A terminal or a file, beside which progress can be shown: another command shows its own. */
  readonly isAlone: boolean;
  /** What copy is there; undefined if nobody tells. */
  copy(): Promise<Copy | null | undefined>;
  /** Makes what was written durable, as far as that can be. */
  sync(): Promise<void>;
  /** No more comes. What whoever receives ended with. */
  finish(): Promise<ExitCode>;
  /** The stream broke off, because of `error`: what to tell. */
  abandon(error: unknown): Promise<unknown>;
}

/** Throws USAGE where standard output is a terminal. */
export function openDestination(
  command: string | undefined,
  output: Output,
  acknowledge: Acknowledge,
): Destination {
  if (command !== undefined) return new CommandDestination(command, acknowledge);
  const stat = fs.fstatSync(STDOUT);
  if (process.stdout.isTTY === true) {
    throw usageError(
      'a stream is nothing for a terminal: feedfs send FEED | feedfs receive DIR, ' +
        'feedfs send FEED > FILE, or --to COMMAND',
    );
  }
  const stop = new AbortController();
  watchReader(stop);
  return {
    sink: output,
    window: undefined,
    gone: AbortSignal.any([stop.signal, output.closed]),
    isFile: stat.isFile(),
    isAlone: !stat.isFIFO(),
    copy: async () => undefined,
    sync: async () => {
      if (stat.isFile()) await fsync(STDOUT);
    },
    finish: async () => {
      stop.abort();
      return ExitCode.OK;
    },
    abandon: async (error) => {
      stop.abort();
      return error;
    },
  };
}

function fsync(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.fdatasync(fd, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Exit codes of a receiver that mean the same here. */
const RECEIVER_CODES: ReadonlySet<number | null> = new Set([
  ExitCode.OK,
  ExitCode.STREAM_REFUSED,
  ExitCode.COPY_INCOMPLETE,
]);

class CommandDestination implements Destination {
  readonly window: Window;
  readonly isFile = false;
  readonly isAlone = false;
  readonly #process: ReceiverProcess;

  constructor(command: string, acknowledge: Acknowledge) {
    this.window = new Window(acknowledge);
    this.#process = new ReceiverProcess(command, (event) => this.#told(event));
    const { gone } = this.#process;
    gone.addEventListener('abort', () => this.window.fail(gone.reason), { once: true });
  }

  get sink(): ByteSink {
    return this.#process;
  }

  get gone(): AbortSignal {
    return this.#process.gone;
  }

  copy(): Promise<Copy | null> {
    return this.#process.hello;
  }

  async sync(): Promise<void> {}

  async finish(): Promise<ExitCode> {
    const exit = await this.#process.finish();
    const { reason } = this.gone;
    if (reason instanceof SendError && reason.kind === 'receiver') throw reason;
    await this.window.settled();
    return exitCodeOf(exit);
  }

  async abandon(error: unknown): Promise<unknown> {
    const exit = await this.#process.finish();
    if (!(error instanceof SendError) || error.kind !== 'ended') return error;
    // What it exited with says more than that it is gone.
    return exit.code === 0 ? error : new CliError(exitCodeOf(exit), describeExit(exit));
  }

  #told(event: ReceiverEvent): void {
    if (event.event === 'confirmed') this.window.confirm(event.place);
  }
}

function exitCodeOf({ code }: ReceiverExit): ExitCode {
  return RECEIVER_CODES.has(code) ? (code as ExitCode) : ExitCode.FAILURE;
}
