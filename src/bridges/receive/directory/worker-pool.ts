/** Threads that do steps at the same time, and how a heap of steps is dealt out to them. */
import { Worker } from 'node:worker_threads';
import { Errno } from '../../../base/errno.js';
import { HandsError } from './hands-error.js';
import { MESSAGE_BYTES_MAX, MESSAGE_STEPS_MAX, TASKS_AHEAD } from './hands-limits.js';
import type { ShortfallList } from './shortfalls.js';
import { pack, prepare } from './step-message.js';
import type { Step } from './steps.js';
import type { WorkerReply, WorkerSetup, WorkerTask } from './worker-protocol.js';

export interface PoolOptions {
  readonly threads: number;
  readonly setup: WorkerSetup;
  /** What a thread runs; of this folder unless a test has another. */
  readonly script?: URL | undefined;
}

/** What is done by whoever deals the steps out. */
export interface Dealer {
  readonly ownersFailed: boolean;
  /** Does a step in this thread. */
  here(index: number, step: Step): void;
  made(index: number, inode: number): void;
  /** It lacked permission and did nothing. */
  denied(index: number): void;
  shortfalls(list: ShortfallList): void;
}

/** Positions of steps, in a heap. */
type Task = number[];

interface Thread {
  readonly worker: Worker;
  /** Tasks that it has, the oldest first. */
  readonly has: Task[];
}

export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #threads: Thread[] = [];
  #deal: Deal | undefined;
  #closing = false;

  /** Starts no thread yet. */
  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Resolves when all of them are done. Rejects with the first HandsError, when nothing is under way any more. */
  run(steps: readonly Step[], dealer: Dealer): Promise<void> {
    this.#start();
    return new Promise((resolve, reject) => {
      const deal = new Deal(steps, dealer, (error) => {
        this.#deal = undefined;
        for (const { worker } of this.#threads) worker.unref();
        if (error === undefined) resolve();
        else reject(error);
      });
      this.#deal = deal;
      for (const { worker } of this.#threads) worker.ref();
      for (const thread of this.#threads) deal.feed(thread);
      deal.settle(this.#threads);
    });
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all(this.#threads.splice(0).map(({ worker }) => worker.terminate()));
  }

  #start(): void {
    const { script, setup, threads } = this.#options;
    const file = script ?? new URL('./hands-worker.js', import.meta.url);
    while (this.#threads.length < threads) {
      const worker = new Worker(file, { workerData: setup, execArgv: [], name: 'feedfs hands' });
      const thread: Thread = { worker, has: [] };
      worker.on('message', (reply: WorkerReply) => this.#replied(thread, reply));
      worker.on('messageerror', (error) => this.#died(thread, error));
      worker.on('error', (error) => this.#died(thread, error));
      worker.on('exit', (code) => this.#died(thread, `exit code ${code}`));
      this.#threads.push(thread);
    }
  }

  #replied(thread: Thread, reply: WorkerReply): void {
    const task = thread.has.shift();
    if (task === undefined || this.#deal === undefined) return;
    this.#deal.take(task, reply);
    this.#deal.feed(thread);
    this.#deal.settle(this.#threads);
  }

  #died(thread: Thread, why: unknown): void {
    const at = this.#threads.indexOf(thread);
    if (at < 0 || this.#closing) return;
    this.#threads.splice(at, 1);
    const text = why instanceof Error ? (why.stack ?? why.message) : String(why);
    const message = `a thread that changes the target ended: ${text}`;
    this.#deal?.fail(new HandsError('target', Errno.EIO, '', message));
    this.#deal?.settle(this.#threads);
  }
}

/** One heap of steps while it is dealt out. */
class Deal {
  readonly #steps: readonly Step[];
  readonly #dealer: Dealer;
  readonly #done: (error: unknown) => void;
  readonly #tasks: Task[];
  #failed = false;
  #error: unknown;
  #settled = false;

  constructor(steps: readonly Step[], dealer: Dealer, done: (error: unknown) => void) {
    this.#steps = steps;
    this.#dealer = dealer;
    this.#done = done;
    // Taken from the end.
    this.#tasks = partition(steps).reverse();
  }

  /** Gives a thread enough to go on. */
  feed(thread: Thread): void {
    try {
      while (!this.#failed && thread.has.length < TASKS_AHEAD) {
        const task = this.#tasks.pop();
        if (task === undefined) return;
        this.#send(thread, task);
      }
    } catch (error) {
      this.fail(error);
    }
  }

  take(task: Task, reply: WorkerReply): void {
    this.#dealer.shortfalls(reply.shortfalls);
    for (const [i, inode] of reply.inodes.entries()) {
      const index = task[i];
      if (inode >= 0 && index !== undefined) this.#dealer.made(index, inode);
    }
    for (const i of reply.denied) {
      const index = task[i];
      if (index !== undefined) this.#dealer.denied(index);
    }
    if (reply.failure !== undefined) {
      const { kind, errno, path, message } = reply.failure;
      this.fail(new HandsError(kind, errno, path, message));
    }
  }

  fail(error: unknown): void {
    if (!this.#failed) this.#error = error;
    this.#failed = true;
  }

  /** Ends it when nothing is under way any more. */
  settle(threads: readonly Thread[]): void {
    if (this.#settled || threads.some(({ has }) => has.length > 0)) return;
    this.#settled = true;
    this.#done(this.#failed ? this.#error : undefined);
  }

  /** What has too much to carry is done here at once; what is left over is a task of its own. */
  #send(thread: Thread, task: Task): void {
    const [indices, steps]: [Task, Step[]] = [[], []];
    let bytes = 0;
    let taken = 0;
    for (const index of task) {
      if (bytes >= MESSAGE_BYTES_MAX) break;
      taken++;
      const step = this.#steps[index];
      if (step === undefined) continue;
      const prepared = prepare(step);
      if (!prepared.travels) {
        this.#dealer.here(index, prepared.step);
        continue;
      }
      indices.push(index);
      steps.push(prepared.step);
      bytes += prepared.bytes;
    }
    if (taken < task.length) this.#tasks.push(task.slice(taken));
    if (steps.length === 0) return;
    const packed = pack(steps, bytes);
    const { ownersFailed } = this.#dealer;
    const message: WorkerTask = { steps: packed.steps, ownersFailed };
    thread.worker.postMessage(message, [packed.buffer]);
    thread.has.push(indices);
  }
}

/** Positions of steps by the directory that they change, so that threads rarely meet. */
export function partition(steps: readonly Step[]): Task[] {
  const byDirectory = new Map<string | undefined, Task>();
  for (const [index, step] of steps.entries()) {
    const { directory } = step.do === 'rename' || step.do === 'link' ? step.to : step.at;
    const list = byDirectory.get(directory);
    if (list === undefined) byDirectory.set(directory, [index]);
    else list.push(index);
  }
  const tasks: Task[] = [];
  let open: Task = [];
  for (const list of byDirectory.values()) {
    for (let at = 0; at < list.length; at += MESSAGE_STEPS_MAX) {
      open.push(...list.slice(at, at + MESSAGE_STEPS_MAX));
      if (open.length < MESSAGE_STEPS_MAX / 2) continue;
      tasks.push(open);
      open = [];
    }
  }
  if (open.length > 0) tasks.push(open);
  return tasks;
}
