/** Feeds with limits on a mount that is loaded and killed: what the tests of each policy share. */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, fallocate } from '../posix/libc.js';
import type { Line } from '../support/feed-line.js';
import type { TestMount } from '../support/mount.js';
import { until, within } from '../support/processes.js';
import { read, withPuncher, withReader } from './feed-fixture.js';

const CHILD = fileURLToPath(new URL('../support/limited-load-child.js', import.meta.url));
const END_MS = 20_000;
const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

/** As `info` has it. */
export interface LimitedInfo {
  readonly state: string;
  readonly owedBytes: string;
  readonly owedRecords: string;
  readonly nextIndex: string;
  readonly full: boolean;
  readonly lastError: string | null;
  readonly expired: { readonly records: string; readonly why: string } | null;
}

export type LimitedLine = Line & {
  readonly lost?: {
    readonly firstIndex: string;
    readonly lastIndex: string;
    readonly records: string;
  };
};

export class LimitedFeed {
  readonly folder: string;

  constructor(mount: TestMount, name: string, policy?: string) {
    this.folder = mount.feed(name);
    if (policy !== undefined) fs.writeFileSync(join(this.folder, 'policy'), policy);
  }

  get text(): string {
    return join(this.folder, 'stream.ndjson');
  }

  info(): LimitedInfo {
    return JSON.parse(fs.readFileSync(join(this.folder, 'info'), 'utf8')) as LimitedInfo;
  }

  /** What it owes now, as lines. */
  lines(): LimitedLine[] {
    return withReader(this.text, (fd) => {
      const parts: Buffer[] = [];
      for (;;) {
        const part = read(fd, 256 * 1024);
        if (part === 'EAGAIN') break;
        if (typeof part === 'string') throw new Error(`read of the feed: ${part}`);
        parts.push(part);
      }
      const lines = Buffer.concat(parts).toString('utf8').split('\n');
      assert.is(lines.pop(), '', 'the feed ends with a whole line');
      return lines.map((line) => JSON.parse(line) as LimitedLine);
    });
  }

  acknowledgeAll(): void {
    withPuncher(this.text, (fd) => fallocate(fd, PUNCH, 0, fs.fstatSync(fd).size));
  }
}

/** A process that changes the mount without end. */
export class LimitedLoad {
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  #output = '';

  constructor(mnt: string, round: number) {
    this.#child = spawn(process.execPath, [CHILD, mnt, `${round}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child.stdout?.on('data', (part: Buffer) => {
      this.#output += part.toString();
    });
    this.#closed = new Promise((resolve) => this.#child.once('close', () => resolve()));
  }

  get refused(): boolean {
    return this.#output.includes('refused');
  }

  async started(): Promise<void> {
    await until(() => this.#output.includes('started'), 'the load');
  }

  /** After the kill of the mount: nothing else has ended it. */
  async end(): Promise<void> {
    await within(this.#closed, END_MS, 'the end of the load');
    assert.is(this.#child.exitCode, 0);
  }

  /** Where the mount lives on. */
  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await within(this.#closed, END_MS, 'the end of the load');
  }

  abandon(): void {
    this.#child.kill('SIGKILL');
  }
}

/** Loads the mount until `enough`, kills the daemon, and mounts the store again. */
export async function loadAndKill(
  mount: TestMount,
  round: number,
  enough: (load: LimitedLoad) => boolean,
): Promise<void> {
  const load = new LimitedLoad(mount.mnt, round);
  try {
    await load.started();
    await until(() => enough(load), `round ${round}`);
    await mount.kill('SIGKILL');
    await load.end();
  } finally {
    load.abandon();
  }
  await mount.mount();
}

/** Bytes that LMDB's file takes on the disk. */
export function storeBytes(mount: TestMount): number {
  return fs.statSync(join(mount.store, 'meta', 'data.mdb')).blocks * 512;
}

/** Returns once everything that was done is on disk, and so on the feeds. */
export function quiesce(mnt: string): void {
  const fd = fs.openSync(mnt, 'r');
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

/**
 * Every record up to the one before `next` is among the lines or in the range of a LOST
 * record. One that came while they were read may tell of lines that were read before it.
 */
export function assertComplete(lines: readonly LimitedLine[], next: number): void {
  let expected = 1;
  for (const { index, lost } of lines) {
    if (lost === undefined) assert.is(Number(index), expected++);
    else {
      assert.ok(Number(lost.firstIndex) <= expected, `a gap before record ${expected}`);
      assert.ok(Number(lost.lastIndex) >= expected, 'a loss that was told before');
      expected = Number(lost.lastIndex) + 1;
    }
  }
  assert.is(expected, next);
}
