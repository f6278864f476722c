/** Does steps in a directory of any filesystem, beneath one descriptor of it. */
import * as fs from 'node:fs';
import { availableParallelism } from 'node:os';
import { Errno } from '../../../base/errno.js';
import { syncfs } from '../../libc/data.js';
import { close, O_CLOEXEC, O_DIRECTORY_PATH, openat } from '../../libc/tree.js';
import { dryRunHands } from './dry-run.js';
import { filesystemIdentity } from './filesystem-identity.js';
import { succeed } from './hands-error.js';
import {
  JOBS_DEFAULT_MAX,
  JOBS_MAX,
  STEPS_BEFORE_THREADS,
  TOGETHER_STEPS_MIN,
} from './hands-limits.js';
import type { IdMap } from './id-map.js';
import { Limbo } from './limbo.js';
import { OwnersFailed } from './owners-failed.js';
import { keptAt, lookAt } from './places.js';
import { Relaxed } from './relaxed.js';
import { type ShortfallList, Shortfalls } from './shortfalls.js';
import { isDenied, StepRunner } from './step-runner.js';
import type { Found, Hands, Kept, Made, Step, StepPlace } from './steps.js';
import { TargetTree } from './target-tree.js';
import { WorkerPool } from './worker-pool.js';

export interface HandsOptions {
  /** An existing directory. */
  readonly target: string;
  /** An existing directory of ours alone: on the target's filesystem if that can be. */
  readonly stateDirectory: string;
  /** Threads that work at the same time; 0 and 1: this one alone. */
  readonly jobs?: number | undefined;
  readonly mapUid?: IdMap | undefined;
  readonly mapGid?: IdMap | undefined;
  /** Nothing is done: each step is a line given to it. */
  readonly print?: ((line: string) => void) | undefined;
  /** As on kernels without openat2(2): for tests. */
  readonly walk?: boolean | undefined;
  /** What threads run: for tests. */
  readonly workerScript?: URL | undefined;
}

export interface HandsAndShortfalls extends Hands {
  /** Since they were opened. */
  readonly shortfalls: ShortfallList;
}

/** Throws what Node's own calls throw if one of the directories cannot be opened, or HandsError. */
export function openHands(options: HandsOptions): HandsAndShortfalls {
  if (options.print !== undefined) {
    return dryRunHands(options.print, options.target, options.stateDirectory);
  }
  return new DirectoryHands(options);
}

export class DirectoryHands implements HandsAndShortfalls {
  readonly shortfalls = new Shortfalls();
  readonly #root: number;
  /**
   * Readable, as syncfs(2) wants it, and open from the start: it tells what failed to be written
   * since then.
   */
  readonly #synced: number;
  readonly #limbo: Limbo;
  readonly #tree: TargetTree;
  readonly #relaxed: Relaxed;
  readonly #ownersFailed: OwnersFailed;
  readonly #runner: StepRunner;
  readonly #pool: WorkerPool | undefined;
  /** Steps that can be done together, until threads are worth starting. */
  #stepsBeforeThreads: number;
  #closed = false;

  constructor(options: HandsOptions) {
    const { target, stateDirectory, walk } = options;
    const uid = process.geteuid?.() ?? 0;
    const maps = { uids: options.mapUid ?? new Map(), gids: options.mapGid ?? new Map() };
    // The target itself may be reached by a symlink: it is what the user named.
    this.#root = fs.openSync(`${target}/.`, O_DIRECTORY_PATH);
    this.#limbo = Limbo.of(this.#root, stateDirectory);
    const { reserved } = this.#limbo;
    const limbo = (): number => this.#limbo.open();
    this.#tree = new TargetTree({ root: this.#root, limbo, reserved, walk });
    const { shortfalls } = this;
    this.#ownersFailed = new OwnersFailed(stateDirectory, shortfalls);
    this.#relaxed = new Relaxed({ tree: this.#tree, uid, stateDirectory, shortfalls });
    this.#runner = new StepRunner({
      tree: this.#tree,
      maps,
      shortfalls,
      uid,
      relaxed: this.#relaxed,
    });
    this.#synced = this.#openForSync();
    this.#stepsBeforeThreads = options.jobs === undefined ? STEPS_BEFORE_THREADS : 0;
    const threads = Math.min(options.jobs ?? defaultJobs(), JOBS_MAX);
    if (threads > 1) {
      const setup = { root: this.#root, reserved, walk, uid, ...maps };
      this.#pool = new WorkerPool({ threads, setup, script: options.workerScript });
    }
  }

  async inOrder(steps: readonly Step[]): Promise<readonly Made[]> {
    return this.#whole(() => this.#here(steps));
  }

  async together(steps: readonly Step[]): Promise<readonly Made[]> {
    const pool = this.#pool;
    this.#stepsBeforeThreads -= steps.length;
    const worthIt = steps.length >= TOGETHER_STEPS_MIN && this.#stepsBeforeThreads < 0;
    if (pool === undefined || !worthIt) return this.inOrder(steps);
    const made: (Made | undefined)[] = [];
    const here = (index: number, step: Step): void => {
      made[index] = this.#runner.run(step);
    };
    const denied: number[] = [];
    try {
      await pool.run(steps, {
        ownersFailed: this.shortfalls.ownersFailed,
        here,
        made: (index, inode) => {
          const step = steps[index];
          if (step !== undefined) made[index] = { fid: step.fid, inode };
        },
        denied: (index) => denied.push(index),
        shortfalls: (list) => this.shortfalls.addAll(list),
      });
    } finally {
      this.#tree.forget();
      this.#ownersFailed.keep();
    }
    return this.#whole(() => {
      // One after the other: what one makes writable another may not put back under it.
      for (const index of denied) {
        const step = steps[index];
        if (step !== undefined) here(index, step);
      }
      return made.filter((each) => each !== undefined);
    });
  }

  get filesystem(): string | undefined {
    return filesystemIdentity(this.#root);
  }

  kept(at: StepPlace): Kept | undefined {
    return this.#seeing(at, () => keptAt(this.#tree, at));
  }

  look(at: StepPlace): Found | undefined {
    const { directory } = at;
    const inLimbo = directory === undefined || directory.startsWith('/');
    if (inLimbo && this.#limbo.find() === undefined) return undefined;
    return this.#seeing(at, () => lookAt(this.#tree, at));
  }

  async flush(): Promise<void> {
    this.#relaxed.restore();
    this.#limbo.tidy();
    succeed(await syncfs(this.#synced), 'writing to disk', '');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#pool?.close();
      this.#relaxed.restore();
      this.#limbo.tidy();
    } finally {
      this.#tree.forget();
      this.#limbo.close();
      close(this.#synced);
      fs.closeSync(this.#root);
    }
  }

  /** The way there is made passable if it is ours and is not. */
  #seeing<T>(at: StepPlace, see: () => T): T {
    try {
      return see();
    } catch (error) {
      if (!isDenied(error) || !this.#relaxed.openPlace(at)) throw error;
      return see();
    }
  }

  #here(steps: readonly Step[]): Made[] {
    const made: Made[] = [];
    for (const step of steps) {
      const one = this.#runner.run(step);
      if (one !== undefined) made.push(one);
    }
    return made;
  }

  /**
   * Directories are looked up anew each time: between two calls others may have put something
   * else in their place. What was made writable is as it was when the call is over.
   */
  #whole<T>(work: () => T): T {
    this.#tree.forget();
    let failed = true;
    try {
      const done = work();
      failed = false;
      return done;
    } finally {
      this.#tree.forget();
      this.#putBack(failed);
      this.#ownersFailed.keep();
    }
  }

  /** Why the work failed says more than what could not be put back after it, which the next run does. */
  #putBack(failed: boolean): void {
    try {
      this.#relaxed.restore();
    } catch (error) {
      if (!failed) throw error;
    }
  }

  #openForSync(): number {
    const open = (): number => openat(this.#root, '.', OPEN_ROOT);
    const fd = open();
    if (fd !== -Errno.EACCES || !this.#relaxed.openPlace(ROOT)) {
      return succeed(fd, 'opening it', '');
    }
    try {
      return succeed(open(), 'opening it', '');
    } finally {
      this.#relaxed.restore();
    }
  }
}

const ROOT: StepPlace = { parent: 0, name: '', directory: '' };
const OPEN_ROOT = fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | O_CLOEXEC;

function defaultJobs(): number {
  return Math.min(JOBS_DEFAULT_MAX, availableParallelism());
}
