// test-timeout: 300 s
/** The races and bursts in which watchers lose events: a feed has all, in order. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type TestMount, withMount } from '../support/mount.js';
import { runOk, until } from '../support/processes.js';

interface Line {
  readonly index: string;
  readonly op: string;
  readonly fid: string;
  readonly parent: string;
  readonly name: string;
}

/** Reads until nothing more is owed beyond what was read; the records by their order. */
async function readAll(
  mount: TestMount,
  feed: string,
  last: (line: Line) => boolean,
): Promise<Line[]> {
  const path = join(mount.mnt, '.lustre', 'feeds', feed, 'stream.ndjson');
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  const lines: Line[] = [];
  const buffer = Buffer.alloc(1024 * 1024);
  let rest = '';
  let done = false;
  const read = (): boolean => {
    try {
      const length = fs.readSync(fd, buffer);
      const parts = (rest + buffer.toString('latin1', 0, length)).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) {
        const line = JSON.parse(part) as Line;
        lines.push(line);
        done ||= last(line);
      }
      return length > 0;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return false;
      throw error;
    }
  };
  try {
    await until(
      () => {
        while (!done && read());
        return done;
      },
      'the last record',
      60_000,
    );
  } finally {
    fs.closeSync(fd);
  }
  return lines;
}

function assertGapless(lines: readonly Line[]): void {
  const first = Number(lines[0]?.index);
  assert.equal(
    lines.map((line) => Number(line.index)),
    lines.map((_, i) => first + i),
  );
}

test('500 times mkdir -p i/a/b with a file: all are there, in order', () =>
  withMount(async (mount) => {
    mount.feed('f');
    const script = 'for i in $(seq 500); do mkdir -p $i/a/b; : > $i/a/b/file; done; mkdir the-end';
    await runOk('sh', ['-c', script], { cwd: mount.mnt, timeoutMs: 120_000 });
    const lines = await readAll(mount, 'f', (line) => line.name === 'the-end');
    assertGapless(lines);
    const paths = new Map<string, string>();
    const made: string[] = [];
    for (const line of lines) {
      if (line.op !== 'mkdir' && line.op !== 'create') continue;
      const path = [paths.get(line.parent), line.name]
        .filter((part) => part !== undefined)
        .join('/');
      paths.set(line.fid, path);
      made.push(path);
    }
    const expected = Array.from({ length: 500 }, (_, i) => {
      const n = i + 1;
      return [`${n}`, `${n}/a`, `${n}/a/b`, `${n}/a/b/file`];
    }).flat();
    assert.equal(made, [...expected, 'the-end']);
  }));

test('100,000 changes while the reader sleeps: all are there', () =>
  withMount(async (mount) => {
    mount.feed('f');
    const program = `
      const fs = require('fs');
      for (let i = 0; i < 50000; i++) { fs.mkdirSync('d'); fs.rmdirSync('d'); }
      fs.mkdirSync('the-end');`;
    await runOk(process.execPath, ['-e', program], { cwd: mount.mnt, timeoutMs: 240_000 });
    const lines = await readAll(mount, 'f', (line) => line.name === 'the-end');
    assertGapless(lines);
    assert.is(lines.filter((line) => line.op === 'mkdir').length, 50_001);
    assert.is(lines.filter((line) => line.op === 'rmdir').length, 50_000);
  }));

test('two feeds see the same records, each keeps its own place', () =>
  withMount(async (mount) => {
    const [one, two] = [mount.feed('one'), mount.feed('two')];
    for (let i = 0; i < 100; i++) fs.mkdirSync(join(mount.mnt, `d-${i}`));
    const first = await readAll(mount, 'one', (line) => line.name === 'd-99');
    const second = await readAll(mount, 'two', (line) => line.name === 'd-99');
    assert.equal(first, second);
    const { size } = fs.statSync(join(one, 'stream.ndjson'));
    await runOk('fallocate', ['-p', '-o', '0', '-l', `${size}`, join(one, 'stream.ndjson')]);
    assert.is(fs.statSync(join(one, 'stream.ndjson')).blocks, 0);
    assert.ok(fs.statSync(join(two, 'stream.ndjson')).blocks > 0);
  }));

test.run();
