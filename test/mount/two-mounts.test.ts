// test-timeout: 120 s
/** One file, used by programs on two mounts of one server: data, appends, mappings, locks. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { withSite } from '../cli/mds-fixture.js';
import { LockAgent } from '../posix/lock-agent.js';
import { exitOf } from '../support/processes.js';
import { Random } from '../support/random.js';

const STEPS = 400;
/** Small contents and large ones. */
const BYTES_MAX = 24_000;
const APPENDS = 60;

function withTwo(use: (one: string, two: string) => Promise<void>): Promise<void> {
  return withSite(async (site) => {
    const server = await site.serve();
    const daemons = [await site.mount('one'), await site.mount('two')];
    await use(site.mountpoint('one'), site.mountpoint('two'));
    for (const [i, daemon] of daemons.entries()) {
      await site.unmount(i === 0 ? 'one' : 'two', daemon);
    }
    await site.stop(server);
  });
}

/** A model and four descriptors: both mounts, one that writes and one that only reads on each. */
class SharedFile {
  contents = Buffer.alloc(0);
  readonly #random: Random;
  readonly #writers: readonly number[];
  readonly #readers: readonly number[];

  constructor(paths: readonly string[], seed: number) {
    this.#random = new Random(seed);
    this.#writers = paths.map((path) => fs.openSync(path, 'a+'));
    const all = paths.map((path) => fs.openSync(path, 'r+'));
    for (const fd of this.#writers) fs.closeSync(fd);
    this.#writers = all;
    this.#readers = paths.map((path) => fs.openSync(path, 'r'));
  }

  step(): void {
    const random = this.#random;
    const fd = must(random.pick(this.#writers), 'descriptor');
    const at = random.below(BYTES_MAX);
    const bytes = Buffer.alloc(1 + random.below(3_000), random.below(256));
    switch (random.below(4)) {
      case 0:
        fs.ftruncateSync(fd, at);
        this.contents = Buffer.concat([this.contents, Buffer.alloc(BYTES_MAX)], BYTES_MAX);
        this.contents = this.contents.subarray(0, at);
        break;
      case 1:
        // What others wrote at the end stays.
        this.#write(fd, this.contents.length % BYTES_MAX, bytes);
        break;
      default:
        this.#write(fd, at, bytes);
    }
  }

  #write(fd: number, at: number, bytes: Buffer): void {
    fs.writeSync(fd, bytes, 0, bytes.length, at);
    const size = Math.max(this.contents.length, at + bytes.length);
    const grown = Buffer.alloc(size);
    this.contents.copy(grown);
    bytes.copy(grown, at);
    this.contents = grown;
  }

  check(what: string): void {
    for (const fd of [...this.#readers, ...this.#writers]) {
      const found = Buffer.alloc(2 * BYTES_MAX);
      const length = fs.readSync(fd, found, 0, found.length, 0);
      assert.is(fs.fstatSync(fd).size, this.contents.length, what);
      assert.ok(found.subarray(0, length).equals(this.contents), what);
    }
  }

  close(): void {
    for (const fd of [...this.#readers, ...this.#writers]) fs.closeSync(fd);
  }
}

test('writes and cuts from either side are seen on both at once', () =>
  withTwo(async (one, two) => {
    for (let seed = 0; seed < 3; seed++) {
      const file = new SharedFile([join(one, `f${seed}`), join(two, `f${seed}`)], seed);
      for (let step = 0; step < STEPS / 3; step++) {
        file.step();
        file.check(`seed ${seed}, step ${step}`);
      }
      file.close();
    }
  }));

test('no line is lost of what two programs append at the same time', () =>
  withTwo(async (one, two) => {
    for (const length of [10, 1_000]) {
      const program = `
        const fd = require('node:fs').openSync(process.argv[1], 'a');
        const line = process.argv[2].repeat(${length}) + '\\n';
        for (let i = 0; i < ${APPENDS}; i++) require('node:fs').writeSync(fd, line);`;
      const children = [one, two].map((mnt, i) =>
        spawn(process.execPath, ['-e', program, join(mnt, `log${length}`), `${i}`], {
          stdio: ['ignore', 'ignore', 'inherit'],
        }),
      );
      for (const child of children) assert.is((await exitOf(child)).code, 0);
      const lines = fs.readFileSync(join(one, `log${length}`), 'latin1').split('\n');
      assert.is(lines.pop(), '');
      for (const letter of ['0', '1']) {
        assert.is(lines.filter((line) => line === letter.repeat(length)).length, APPENDS);
      }
      assert.is(lines.length, 2 * APPENDS);
    }
  }));

test('locks of all kinds hold on both, and end with their owner', () =>
  withTwo(async (one, two) => {
    fs.writeFileSync(join(one, 'file'), 'x');
    const [a, b] = [new LockAgent(), new LockAgent()];
    try {
      for (const family of ['posix', 'ofd', 'flock'] as const) {
        const [fa, fb] = [await a.open(join(one, 'file')), await b.open(join(two, 'file'))];
        assert.is(await a.set(family, fa, 'exclusive', { start: 0, length: 5 }), 'ok');
        assert.is(await b.set(family, fb, 'shared', { start: 4, length: 1 }), 'EAGAIN', family);
        const waiting = await b.wait(family, fb, 'exclusive', { start: 0, length: 1 });
        assert.ok(waiting.blocked, family);
        // The last descriptor: an open file description ends, and so does what it has locked.
        await a.close(fa);
        assert.is(await waiting.promise, 'ok', family);
        const again = await a.open(join(one, 'file'));
        const interrupted = await a.wait(family, again, 'shared', { start: 0, length: 1 });
        assert.ok(interrupted.blocked, family);
        a.signal('SIGUSR2');
        assert.is(await interrupted.promise, 'EINTR', family);
        await b.close(fb);
        // The kernel tells of the end of an open after close(2) has returned.
        assert.is(await a.set(family, again, 'exclusive', {}, true), 'ok', family);
        await a.close(again);
      }
    } finally {
      await a.end();
      await b.end();
    }
  }));

test.run();
