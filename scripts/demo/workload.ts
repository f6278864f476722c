/** What the demo does to the mounted filesystem, and the crash in the middle of it. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { TestMount } from '../../test/support/mount.js';
import type { ConsumerProcess } from './consumer-process.js';
import { type Progress, thousands } from './terminal.js';
import { copyFile, isCopied, type TreeFile } from './tree.js';

const FILES_WANTED = 5000;
/** Files between two looks at the consumer. */
const BATCH = 25;
const WAKE_UPS = 200;
/** Every so manieth file of a copy is renamed, or deleted. */
const RENAME_EVERY = 4;
const DELETE_EVERY = 5;

export interface Crash {
  /** Copies that were not on disk yet and were made again. */
  readonly copiedAgain: number;
  /** From the kill until the mount answered again. */
  readonly milliseconds: number;
  /** The highest index that the consumer had seen before. */
  readonly seenBefore: number;
}

interface Copy {
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
}

export class Workload {
  #mount: TestMount;
  #consumer: ConsumerProcess;
  #progress: Progress;
  #info: string;
  copied = 0;
  bytes = 0;
  renamed = 0;
  deleted = 0;
  backlogPeak = 0;
  readonly latenciesUs: number[] = [];
  crash: Crash | undefined;

  constructor(mount: TestMount, feed: string, consumer: ConsumerProcess, progress: Progress) {
    this.#mount = mount;
    this.#consumer = consumer;
    this.#progress = progress;
    this.#info = join(feed, 'info');
  }

  /** Copies `files` of `root` in as often as it takes, with a SIGKILL of the daemon in the middle. */
  async copyTrees(root: string, files: readonly TreeFile[]): Promise<void> {
    const rounds = Math.max(2, Math.ceil(FILES_WANTED / files.length));
    const copies = Array.from({ length: rounds }, (_, round) =>
      files.map(({ path, bytes }) => ({
        from: join(root, path),
        to: join(this.#mount.mnt, `copy-${round + 1}`, path),
        bytes,
      })),
    ).flat();
    const middle = Math.floor(copies.length / 2);
    for (const [i, copy] of copies.entries()) {
      if (i === middle) await this.#crash(copies.slice(0, middle));
      this.#copy(copy);
      if (i % BATCH === 0)
        await this.#look(`copying ${thousands(i)} of ${thousands(copies.length)}`);
    }
  }

  /** Renames some of what was copied and deletes some. */
  async shuffle(): Promise<void> {
    const files = fs
      .readdirSync(this.#mount.mnt, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    for (const [i, path] of files.entries()) {
      if (i % RENAME_EVERY === 0) {
        fs.renameSync(path, `${path}.renamed`);
        this.renamed += 1;
      } else if (i % DELETE_EVERY === 0) {
        fs.unlinkSync(path);
        this.deleted += 1;
      }
      if (i % BATCH === 0) await this.#look(`renaming and deleting: ${thousands(i)}`);
    }
  }

  /** Waits until the consumer has read everything up to now. */
  async drain(): Promise<void> {
    const name = `mark-${this.copied}-${this.renamed}-${this.latenciesUs.length}`;
    const seen = this.#consumer.sees(name);
    fs.mkdirSync(join(this.#mount.mnt, name));
    await seen;
  }

  /** Single changes while the consumer sleeps in epoll: from the start of each until it is awake. */
  async measureWakeUps(): Promise<void> {
    for (let i = 0; i < WAKE_UPS; i++) {
      await this.#quiet();
      const name = `wake-${i}`;
      const seen = this.#consumer.sees(name);
      const begun = process.hrtime.bigint();
      fs.mkdirSync(join(this.#mount.mnt, name));
      this.latenciesUs.push(Number((await seen) - begun) / 1000);
      this.#progress.now(() => `waking the consumer: ${i} of ${WAKE_UPS}`);
    }
  }

  /** Records that the feed owes now. */
  backlog(): number {
    const info = JSON.parse(fs.readFileSync(this.#info, 'utf8')) as { owedRecords: string };
    return Number(info.owedRecords);
  }

  /** Until the consumer has acknowledged all, and so is back in epoll. */
  async #quiet(): Promise<void> {
    while (this.backlog() > 0) await turn();
  }

  #copy({ from, to, bytes }: Copy): void {
    copyFile(from, to);
    this.copied += 1;
    this.bytes += bytes;
  }

  /** Lets the consumer's reports in and notes how far behind it is. */
  async #look(what: string): Promise<void> {
    this.backlogPeak = Math.max(this.backlogPeak, this.backlog());
    const records = this.#consumer.latest?.records ?? 0;
    this.#progress.now(() => `${what}; the consumer has counted ${thousands(records)} records`);
    await turn();
  }

  async #crash(done: readonly Copy[]): Promise<void> {
    await turn();
    const seenBefore = this.#consumer.latest?.index ?? 0;
    const started = performance.now();
    await this.#mount.kill('SIGKILL');
    this.#progress.step(`killed the daemon with SIGKILL after ${thousands(this.copied)} files`);
    await this.#mount.mount();
    const milliseconds = performance.now() - started;
    // Nobody called fsync: the last instant before a crash may be lost, from tree and feed alike.
    const lost = done.filter((copy) => !isCopied(copy.to, copy.bytes));
    for (const copy of lost) copyFile(copy.from, copy.to);
    this.crash = { copiedAgain: lost.length, milliseconds, seenBefore };
    this.#progress.step(`mounted again after ${Math.round(milliseconds)} ms`);
  }
}
