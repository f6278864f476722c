/** A command of the user that receives: the stream is its standard input, what it says its output. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { must } from '../../base/assert.js';
import type { ByteSink } from '../stream/writer.js';
import { type ReceiverEvent, ReceiverEvents } from './receiver-events.js';
import { SendError } from './send-error.js';
import type { Copy } from './start.js';

export interface ReceiverExit {
  /** Null: a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
}

export class ReceiverProcess implements ByteSink {
  /** Aborts when it ended, or said what makes no sense (the reason says what). */
  readonly gone: AbortSignal;
  readonly exit: Promise<ReceiverExit>;
  /** What kind of copy is there; rejects with SendError if it ends before it says so. */
  readonly hello: Promise<Copy | null>;
  readonly #gone = new AbortController();
  readonly #child: ChildProcess;
  readonly #stdin: Writable;

  /** Runs it in a shell; what it writes to standard error is ours. `onEvent` may throw SendError. */
  constructor(command: string, onEvent: (event: ReceiverEvent) => void) {
    this.gone = this.#gone.signal;
    this.#child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#stdin = must(this.#child.stdin, 'its standard input');
    // Every write tells of it, too.
    this.#stdin.on('error', () => {});
    this.exit = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code, signal) => resolve({ code, signal }));
    });
    const lost = (error: unknown): void => this.#gone.abort(error);
    this.exit.then((exit) => lost(new SendError('ended', describeExit(exit))), lost);
    this.hello = this.#listen(must(this.#child.stdout, 'its standard output'), onEvent);
    this.hello.catch(() => {});
  }

  /** Throws SendError `ended` when it does not read any more. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stdin.write(bytes, (error) => {
        if (error) reject(new SendError('ended', 'the receiving command does not read on'));
        else resolve();
      });
    });
  }

  /** Nothing more comes; resolves when it ended. */
  async finish(): Promise<ReceiverExit> {
    this.#stdin.end();
    return await this.exit;
  }

  #listen(stdout: Readable, onEvent: (event: ReceiverEvent) => void): Promise<Copy | null> {
    const events = new ReceiverEvents();
    return new Promise((resolve, reject) => {
      this.gone.addEventListener('abort', () => reject(this.gone.reason), { once: true });
      stdout.on('data', (bytes: Buffer) => {
        if (this.gone.aborted) return;
        try {
          for (const event of events.push(bytes)) {
            if (event.event === 'hello') resolve(event.copy);
            onEvent(event);
          }
        } catch (error) {
          this.#gone.abort(error);
        }
      });
    });
  }
}

export function describeExit({ code, signal }: ReceiverExit): string {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  return `the receiving command ended ${how}`;
}
