/** A metadata server of its own, which a measurement kills and starts again. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { must } from '../../../src/base/assert.js';
import type { Cleanup } from '../cleanup.js';
import { STOP_WAIT_MS_MAX } from '../limits.js';
import { feedfsMain } from '../project.js';
import { isGone, waitUntil } from '../shell.js';

export class MdsServer {
  readonly address: string;
  readonly #store: string;
  #child: ChildProcess | undefined;
  readonly stop: () => Promise<void>;

  constructor(cleanup: Cleanup, store: string, socket: string) {
    this.#store = store;
    this.address = `unix:${socket}`;
    this.stop = cleanup.defer(`mds ${store}`, () => this.#end('SIGTERM'));
  }

  get pid(): number {
    return must(this.#child?.pid, 'a process');
  }

  /** Until it listens. */
  async start(): Promise<void> {
    const args = [feedfsMain, 'mds', '-f', '--ready-fd', '3', '--listen', this.address];
    const child = spawn(process.execPath, [...args, this.#store], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    });
    this.#child = child;
    const ready = child.stdio[3] as Readable;
    await new Promise<void>((resolve, reject) => {
      ready.once('data', () => resolve());
      ready.once('end', () => reject(new Error('the metadata server did not start')));
    });
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    child.kill(signal);
    if (!(await waitUntil(() => isGone(child), STOP_WAIT_MS_MAX))) child.kill('SIGKILL');
  }
}
