// test-timeout: 900 s
// test-one-node: a minute of load, which is the same with each
/**
 * Programs on three mounts, and a server that is killed every few seconds: no program sees an
 * error, the tree is what they say it is, and the feed leads to it, each record once.
 *
 * FEEDFS_LOAD_S sets how long, FEEDFS_SEED when it is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Daemon, type Site, withSite } from '../cli/mds-fixture.js';
import { ReplayMount } from '../mount/replay-mount.js';
import { feedfs } from '../support/mount.js';
import { exitOf, within } from '../support/processes.js';
import { Random } from '../support/random.js';
import { load, type Running } from './load.js';
import { COUNTER, LOG, type LoadReport } from './load-child.js';

const SECONDS = Number(process.env.FEEDFS_LOAD_S ?? 60);
const SEED = Number(process.env.FEEDFS_SEED ?? 1);
const MOUNTS = ['one', 'two', 'three'];
/** Of progress, from one start of the server to its end: some seconds at most. */
const LIFE_LINES_MIN = 5;
const LIFE_LINES_MAX = 150;
/** What a program may take to end after its time. */
const END_MS = 60_000;

/** Lines of progress that the programs have written, together. */
class Progress {
  #lines = 0;
  #waiting: { readonly at: number; readonly done: () => void } | undefined;

  add(lines: number): void {
    this.#lines += lines;
    if (this.#waiting !== undefined && this.#lines >= this.#waiting.at) this.#waiting.done();
  }

  /** Until there are so many more. */
  more(lines: number): Promise<void> {
    return new Promise((done) => {
      this.#waiting = { at: this.#lines + lines, done };
    });
  }
}

/** Kills the server whenever the programs have got some way, until they have ended. */
async function killing(
  site: Site,
  server: Daemon,
  programs: readonly Running[],
  progress: Progress,
): Promise<{ served: Daemon; kills: number }> {
  const random = new Random(SEED);
  let served = server;
  const some = Promise.race(programs.map(({ report }) => report));
  some.catch(() => {});
  for (let kills = 0; ; kills++) {
    const life = progress.more(LIFE_LINES_MIN + random.below(LIFE_LINES_MAX - LIFE_LINES_MIN));
    await Promise.race([life, some]).catch(() => {});
    if (programs.some(({ ended }) => ended)) return { served, kills };
    await site.kill(served);
    served = await site.serve();
  }
}

function checkShared(mountpoint: string, reports: readonly LoadReport[]): void {
  const counted = Number(fs.readFileSync(join(mountpoint, COUNTER), 'latin1'));
  const increments = reports.reduce((sum, report) => sum + report.increments, 0);
  assert.is(counted, increments, 'increments under a fcntl lock');
  const next = reports.map(() => 0);
  for (const line of fs.readFileSync(join(mountpoint, LOG), 'latin1').split('\n').slice(0, -1)) {
    const [program = -1, number] = line.split(' ').map(Number);
    assert.is(number, next[program], `line ${line}`);
    next[program] = (next[program] ?? 0) + 1;
  }
  assert.equal(
    next,
    reports.map(({ lines }) => lines),
    'lines appended under a flock',
  );
}

function checkFiles(mountpoint: string, reports: readonly LoadReport[]): void {
  for (const [i, { files }] of reports.entries()) {
    const folder = join(mountpoint, `p${i}`);
    assert.equal(fs.readdirSync(folder).sort(), Object.keys(files).sort());
    for (const [name, contents] of Object.entries(files)) {
      const found = fs.readFileSync(join(folder, name)).toString('base64');
      assert.ok(found === contents, `contents of ${folder}/${name}`);
    }
  }
}

test(`${SECONDS} s of load on three mounts, the server killed again and again`, () =>
  withSite(async (site) => {
    const server = await site.serve();
    const mounts: Daemon[] = [];
    for (const name of MOUNTS) mounts.push(await site.mount(name));
    const [first = ''] = MOUNTS.map((name) => site.mountpoint(name));
    const feed = (name: string): string => {
      const path = join(first, '.lustre', 'feeds', name);
      fs.mkdirSync(path, { recursive: true });
      return path;
    };
    const replay = new ReplayMount({ mnt: first, folder: site.folder, feed });
    replay.begin();
    for (const name of [COUNTER, LOG]) fs.writeFileSync(join(first, name), '');
    const reader = followed(join(site.mountpoint('two'), '.lustre', 'feeds', 'replay'));
    const progress = new Progress();
    const programs = MOUNTS.map((name, i) =>
      load(site.mountpoint(name), i, SECONDS, (lines) => progress.add(lines)),
    );
    const { served, kills } = await killing(site, server, programs, progress);
    const all = Promise.all(programs.map(({ report }) => report));
    const reports = await within(all, END_MS, 'the end of the programs').catch((error: Error) => {
      error.message += `\n${[...mounts, served].map((daemon) => daemon.log()).join('\n')}`;
      throw error;
    });
    for (const name of MOUNTS) {
      checkShared(site.mountpoint(name), reports);
      checkFiles(site.mountpoint(name), reports);
    }
    replay.check({ atime: false });
    const text = contentsOf(join(feed('replay'), 'stream.ndjson'));
    checkIndices(text);
    await reader.until(text.length);
    assert.ok(reader.text() === text, 'what a reader saw that waited all the time');
    reader.child.kill('SIGKILL');
    await within(exitOf(reader.child), END_MS, 'the end of the reader');
    for (const [i, name] of MOUNTS.entries()) {
      const daemon = mounts[i];
      if (daemon !== undefined) await site.unmount(name, daemon);
    }
    await site.stop(served);
    const fsck = await feedfs(['fsck', site.store]);
    assert.is(fsck.code, 0, fsck.stdout.toString());
    const steps = reports.map((report) => report.steps);
    const longest = Math.max(...reports.map(({ longestMs }) => longestMs));
    console.log(
      `${kills} kills, ${steps.join(' + ')} steps, the longest ${Math.round(longest)} ms`,
    );
    assert.ok(kills >= Math.min(3, SECONDS / 10), 'it was killed');
  }));

interface Followed {
  readonly child: ChildProcess;
  readonly text: () => string;
  /** It has so many characters. */
  until(length: number): Promise<void>;
}

/** A program that reads the feed and waits at its end, over all ends of the server. */
function followed(feed: string): Followed {
  const child = spawn('cat', [join(feed, 'stream.ndjson')], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const more: (() => void)[] = [];
  child.stdout.setEncoding('latin1').on('data', (part: string) => {
    text += part;
    for (const look of more) look();
  });
  let complaint = '';
  child.stderr.on('data', (part: Buffer) => {
    complaint += part.toString();
  });
  const until = (length: number): Promise<void> => {
    const come = new Promise<void>((resolve) => {
      const look = (): void => {
        if (text.length >= length) resolve();
      };
      more.push(look);
      look();
    });
    return within(come, END_MS, `${length} bytes of the feed (${text.length}; ${complaint})`);
  };
  return { child, text: () => text, until };
}

/** Of a feed that nobody adds to. */
function contentsOf(path: string): string {
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  const parts: string[] = [];
  const buffer = Buffer.alloc(1024 * 1024);
  try {
    for (;;) parts.push(buffer.toString('latin1', 0, fs.readSync(fd, buffer)));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
  } finally {
    fs.closeSync(fd);
  }
  return parts.join('');
}

/** Each record once, in order. */
function checkIndices(text: string): void {
  let last: number | undefined;
  for (const line of text.split('\n').slice(0, -1)) {
    const index = Number((JSON.parse(line) as { readonly index: string }).index);
    if (last !== undefined) assert.is(index, last + 1, 'index');
    last = index;
  }
}

test.run();
