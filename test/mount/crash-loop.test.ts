// test-timeout: 600 s
/**
 * SIGKILL under load, again and again: what a consumer has seen is never taken
 * back, what fsync has acknowledged is never lost, what was cancelled stays so.
 *
 * FEEDFS_KILLS sets how often, FEEDFS_SEED when.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  fallocate,
  lseek,
  SEEK_SET,
} from '../posix/libc.js';
import { contentsOf } from '../support/crash-load-child.js';
import type { Line } from '../support/feed-line.js';
import { feedfs, type TestMount, withMount } from '../support/mount.js';
import { within } from '../support/processes.js';
import { firstOwed, poll, read, withPuncher, withReader } from './feed-fixture.js';
import { NameModel } from './name-model.js';
import { ReplayMount } from './replay-mount.js';

const KILLS = Number(process.env.FEEDFS_KILLS ?? 200);
const SEED = Number(process.env.FEEDFS_SEED ?? 1);
/** A round is killed after the consumer has seen so many records, or at most so many. */
const RECORDS_MIN = 5;
const RECORDS_MAX = 600;
/** After so many kills the whole feed is applied and compared, contents and all. */
const REPLAY_EVERY = 50;
const END_MS = 20_000;
const CHILD = fileURLToPath(new URL('../support/crash-load-child.js', import.meta.url));
const PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

/** Numbers in [0, 1) that a seed repeats (a multiplicative congruential generator). */
function generator(seed: number): () => number {
  let state = (seed * 2 + 1) % 2_147_483_647;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Follows one feed over all kills, and believes what it has read. */
class Consumer {
  readonly model = new NameModel();
  readonly #path: string;
  readonly #acked: string;
  /** Everything up to there has been read. */
  offset = 0;
  /** What was read since the last mount, which must be there again. */
  #bytes: Buffer[] = [];
  #begin = 0;
  #rest = '';
  /** Everything up to there is cancelled on the other feed. */
  #ackedTo = 0;
  records = 0;

  constructor(mount: TestMount) {
    this.#path = join(mount.feed('replay'), 'stream.ndjson');
    this.#acked = join(mount.feed('acked'), 'stream.ndjson');
  }

  /** Reads what is there; the number of records. */
  drain(fd: number): number {
    const before = this.records;
    for (;;) {
      const part = read(fd, 256 * 1024);
      if (part === 'EAGAIN') return this.records - before;
      if (typeof part === 'string') throw new Error(`read of the feed: ${part}`);
      this.#bytes.push(part);
      this.offset += part.length;
      const lines = (this.#rest + part.toString('utf8')).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) this.model.apply(JSON.parse(line) as Line);
      this.records += lines.length;
    }
  }

  /** Reads until so many records have come. */
  async follow(count: number): Promise<void> {
    await withReader(this.#path, async (fd) => {
      lseek(fd, this.offset, SEEK_SET);
      for (let seen = this.drain(fd); seen < count; seen += this.drain(fd)) {
        assert.ok(await poll(fd, END_MS), 'a record under load');
      }
    });
  }

  /** Cancels on the other feed what has been seen on this one. */
  acknowledge(): void {
    withPuncher(this.#acked, (fd) => fallocate(fd, PUNCH, 0, this.offset));
    this.#ackedTo = this.offset;
  }

  /** After a crash: what was seen is there, byte by byte, and what was cancelled is not. */
  recheck(): void {
    const seen = Buffer.concat(this.#bytes);
    withReader(this.#path, (fd) => {
      const again = Buffer.alloc(seen.length);
      for (let at = 0; at < again.length; ) {
        const length = fs.readSync(fd, again, at, again.length - at, this.#begin + at);
        assert.ok(length > 0, 'the feed ends before what was seen of it');
        at += length;
      }
      assert.ok(again.equals(seen), 'the feed shows other bytes than before the crash');
    });
    assert.ok(firstOwed(this.#acked) === this.#ackedTo, 'what was cancelled has changed');
    this.#bytes = [];
    this.#begin = this.offset;
    withReader(this.#path, (fd) => {
      lseek(fd, this.offset, SEEK_SET);
      this.drain(fd);
    });
    assert.is(this.#rest, '', 'the feed ends with a whole record');
  }
}

/** One process that loads the mount. */
class Load {
  readonly child: ChildProcess;
  readonly started: Promise<void>;
  readonly closed: Promise<void>;
  /** The highest number that it has printed: of a file that fsync has acknowledged. */
  last = -1;

  constructor(kind: 'churn' | 'sync', folder: string, round: number) {
    const child = spawn(process.execPath, [CHILD, kind, folder, `${round}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.child = child;
    this.closed = new Promise((resolve) => child.once('close', () => resolve()));
    let rest = '';
    this.started = new Promise((resolve) => {
      child.stdout.on('data', (part: Buffer) => {
        const lines = (rest + part.toString()).split('\n');
        rest = lines.pop() ?? '';
        this.last = Number(lines.at(-1) ?? this.last);
        resolve();
      });
    });
  }

  /** After the kill: its output is complete, and nothing but the end of the mount ended it. */
  async end(): Promise<void> {
    await within(this.closed, END_MS, 'the end of the load');
    assert.is(this.child.exitCode, 0);
  }
}

/** Starts both kinds of load, and returns when both are at work. */
async function startLoad(mnt: string, round: number): Promise<{ sync: Load; churn: Load }> {
  const synced = join(mnt, `sync-${round}`);
  fs.mkdirSync(synced);
  const load = { sync: new Load('sync', synced, round), churn: new Load('churn', mnt, round) };
  await within(Promise.all([load.sync.started, load.churn.started]), END_MS, 'the load');
  return load;
}

/** Every file that was acknowledged is there, whole. */
function assertSynced(mnt: string, round: number, acknowledged: number): void {
  for (let i = 0; i <= acknowledged; i++) {
    const actual = fs.readFileSync(join(mnt, `sync-${round}`, `s-${i}`));
    assert.ok(actual.equals(contentsOf(round, i)), `s-${i} of ${acknowledged}, round ${round}`);
  }
}

/** Takes away what a round has made, so that the tree stays small. */
function tidy(mnt: string): void {
  for (const name of fs.readdirSync(mnt)) fs.rmSync(join(mnt, name), { recursive: true });
}

/** The replay compares access times too, which the feed tells exactly then. */
const NOATIME = { options: 'noatime' };

test(`${KILLS} kills under load (seed ${SEED})`, () =>
  withMount(async (mount) => {
    const random = generator(SEED);
    const replay = new ReplayMount(mount);
    replay.begin();
    const consumer = new Consumer(mount);
    let synced = 0;
    for (let round = 0; round < KILLS; round++) {
      const { sync, churn } = await startLoad(mount.mnt, round);
      try {
        await consumer.follow(RECORDS_MIN + Math.floor(random() ** 2 * RECORDS_MAX));
        if (round % 3 === 0) consumer.acknowledge();
        await mount.kill('SIGKILL');
        await Promise.all([sync.end(), churn.end()]);
      } finally {
        for (const { child } of [sync, churn]) child.kill('SIGKILL');
      }
      await mount.mount({ options: round % 4 === 0 ? 'noatime,visibility=commit' : 'noatime' });
      replay.quiesce();
      consumer.recheck();
      assert.equal(consumer.model.differences(mount.mnt), [], `round ${round}`);
      assertSynced(mount.mnt, round, sync.last);
      synced += sync.last + 1;
      if ((round + 1) % REPLAY_EVERY === 0) replay.check();
      tidy(mount.mnt);
    }
    assert.ok(consumer.records > KILLS * RECORDS_MIN);
    assert.ok(synced > 0, 'fsync has acknowledged something');
    console.log(`${KILLS} kills, ${consumer.records} records, ${synced} files synced`);
    await mount.unmount();
    const { code, stdout, stderr } = await feedfs(['fsck', mount.store], { timeoutMs: 60_000 });
    assert.is(code, 0, `${stdout}${stderr}`);
  }, NOATIME));

test.run();
