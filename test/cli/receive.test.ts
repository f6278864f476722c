/** The receive command: what it refuses before it does anything, what it says, how it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ExitCode } from '../../src/cli/exit-codes.js';
import {
  baselineHead,
  commit,
  END,
  entries,
  file,
  frameBytes,
  header,
  ROOT,
  smallBaseline,
  smallStream,
} from '../bridges/receive/sample-stream.js';
import { feedfs, MAIN, withFolder } from '../support/mount.js';

const BASELINE = Buffer.concat(frameBytes(smallBaseline()));
const RECORDS = Buffer.concat(frameBytes(smallStream()));

/** An empty directory to receive into, and the command. */
function withTarget(
  use: (
    target: string,
    receive: (input: Uint8Array, ...args: string[]) => ReturnType<typeof feedfs>,
  ) => Promise<void>,
) {
  return withFolder(async (folder) => {
    const target = join(folder, 'target');
    fs.mkdirSync(target);
    await use(target, (input, ...args) => feedfs(['receive', target, ...args], { input }));
  });
}

function linesOf(stdout: Buffer): Record<string, unknown>[] {
  const lines = `${stdout}`.split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** What is beside the target: its state, if there is one. */
function beside(target: string): readonly string[] {
  return fs.readdirSync(join(target, '..')).sort();
}

test('a baseline and changes: hello, confirmed, done', () =>
  withTarget(async (target, receive) => {
    const { code, stdout, stderr } = await receive(BASELINE);
    assert.is(code, ExitCode.OK, stderr);
    const lines = linesOf(stdout).filter(({ event }) => event !== 'progress');
    assert.equal(lines[0], { event: 'hello', target: 'directory', copy: null });
    const last = lines.at(-1);
    assert.is(last?.event, 'done');
    assert.equal([last?.records, last?.baselines, last?.index], [2, 1, '12']);
    assert.equal(lines.at(-2), { event: 'confirmed', epoch: 0, offset: '2816', index: '12' });
    assert.equal(fs.readdirSync(target).sort(), ['file-1', 'file-2', 'file-3', 'file-4', 'second']);
    assert.equal(beside(target), ['.target.feedfs', 'target']);
    assert.is(fs.statSync(join(target, '../.target.feedfs')).mode & 0o777, 0o700);
  }));

test('it says where the copy is before it reads anything', () =>
  withTarget(async (target, receive) => {
    await receive(BASELINE);
    const child = spawn(process.execPath, [MAIN, 'receive', target], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const [hello] = (await once(child.stdout, 'data')) as [Buffer];
    const [line] = linesOf(hello);
    assert.is(line?.event, 'hello');
    const { baseline, index } = (line?.copy ?? {}) as Record<string, unknown>;
    assert.equal([baseline, index], ['complete', '12']);
    child.stdin.end();
    const [code] = (await once(child, 'close')) as [number];
    assert.is(code, ExitCode.STREAM_REFUSED);
  }));

test('Ctrl-C while it waits: what came is applied, exit 130', () =>
  withTarget(async (target, receive) => {
    const child = spawn(process.execPath, [MAIN, 'receive', target], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const frames = frameBytes(smallBaseline());
    child.stdin.write(Buffer.concat(frames.slice(0, 5)));
    let stdout = '';
    while (!stdout.includes('"confirmed"')) {
      const [part] = (await once(child.stdout, 'data')) as [Buffer];
      stdout += `${part}`;
    }
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number];
    assert.is(code, ExitCode.INTERRUPTED);
    assert.equal(fs.readdirSync(target).sort(), ['file-1', 'file-2', 'file-3', 'second']);
    // The same stream goes on from there.
    const again = await receive(BASELINE);
    assert.is(again.code, ExitCode.OK, again.stderr);
    assert.ok(fs.existsSync(join(target, 'file-4')));
  }));

test('a stream that is refused at its beginning leaves nothing behind', () =>
  withTarget(async (target, receive) => {
    const cases = [
      [Buffer.alloc(0), /stream is empty.*see why feedfs send ended/],
      [Buffer.from('no stream at all, but long enough to look at'), /none of feedfs send/],
      [RECORDS, /no baseline yet; send one first/],
    ] as const;
    for (const [input, reason] of cases) {
      const { code, stderr } = await receive(input);
      assert.is(code, ExitCode.STREAM_REFUSED, stderr);
      assert.match(stderr, reason);
      assert.is(stderr.trimEnd().split('\n').length, 1, stderr);
    }
    assert.equal(fs.readdirSync(target), []);
    assert.equal(beside(target), ['target']);
  }));

test('targets and options that cannot be: told before anything is read', () =>
  withTarget(async (target, receive) => {
    const other = join(target, '../other');
    fs.mkdirSync(other);
    fs.writeFileSync(join(other, 'theirs'), 'theirs');
    const at = (path: string, ...args: string[]) =>
      feedfs(['receive', path, ...args], { input: BASELINE });
    const cases = [
      [await at(join(target, 'missing')), ExitCode.USAGE, /missing/],
      [await at(join(other, 'theirs')), ExitCode.USAGE, /not a directory/],
      [await at(other), ExitCode.FAILURE, /not empty \(theirs\)/],
      [await at('/'), ExitCode.USAGE, /--state/],
      [await receive(BASELINE, '--state', join(target, 'in')), ExitCode.USAGE, /inside the target/],
      [await receive(BASELINE, '--map-uid', '5'), ExitCode.USAGE, /--map-uid takes FROM:TO/],
      [await receive(BASELINE, '--map-gid', '5:x'), ExitCode.USAGE, /--map-gid takes FROM:TO/],
      [await receive(BASELINE, '--jobs', 'many'), ExitCode.USAGE, /--jobs/],
      [await receive(BASELINE, '--promote'), ExitCode.STREAM_REFUSED, /not the root of a mounted/],
    ] as const;
    for (const [{ code, stderr }, expected, reason] of cases) {
      assert.match(stderr, reason);
      assert.is(code, expected, stderr);
    }
    assert.equal(fs.readdirSync(target), []);
    assert.equal(beside(target), ['other', 'target']);
    assert.equal(fs.readdirSync(other), ['theirs']);
  }));

test('a new filesystem with lost+found is empty', () =>
  withTarget(async (target, receive) => {
    fs.mkdirSync(join(target, 'lost+found'));
    const { code, stderr } = await receive(BASELINE);
    assert.is(code, ExitCode.OK, stderr);
    assert.ok(fs.existsSync(join(target, 'lost+found')));
  }));

test('--dry-run prints steps, and JSON if asked to; nothing is there afterwards', () =>
  withTarget(async (target, receive) => {
    const { code, stdout, stderr } = await receive(BASELINE, '--dry-run');
    assert.is(code, ExitCode.OK, stderr);
    assert.match(`${stdout}`, /^\+ file-1$/m);
    const json = linesOf((await receive(BASELINE, '--dry-run', '--json')).stdout);
    const steps = json.flatMap(({ event, step }) => (event === 'step' ? [step] : []));
    assert.ok(steps.includes('+ file-1'));
    assert.equal(fs.readdirSync(target), []);
    assert.equal(beside(target), ['target']);
  }));

test('nobody reads the output: the copy is made all the same', () =>
  withTarget(async (target) => {
    const child = spawn(process.execPath, [MAIN, 'receive', target], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    await once(child.stdout, 'data');
    child.stdout.destroy();
    child.stdin.end(BASELINE);
    const [code] = (await once(child, 'close')) as [number];
    assert.is(code, ExitCode.OK);
    assert.ok(fs.existsSync(join(target, 'file-4')));
  }));

test('a stream of a baseline that another directory has begun is not mixed with it', () =>
  withTarget(async (target, receive) => {
    await receive(BASELINE);
    const moved = join(target, '../moved');
    fs.renameSync(target, moved);
    fs.mkdirSync(target);
    const { code, stderr } = await receive(BASELINE);
    assert.is(code, ExitCode.STREAM_REFUSED, stderr);
    assert.match(stderr, /not the directory that the copy was made in/);
    assert.equal(fs.readdirSync(target), []);
  }));

test('a name that leads out of the target is refused, wherever it stands', () =>
  withTarget(async (target, receive) => {
    const bytes = entries(baselineHead(10, 2), ROOT, file(1, Buffer.from('one')));
    assert.ok(bytes.kind === 'entries');
    const bad = Buffer.from(bytes.bytes);
    bad.write('../abc', bad.indexOf('file-1'), 'latin1');
    const stream = frameBytes([
      { kind: 'header', header: header('baseline') },
      { kind: 'entries', bytes: bad },
      entries({ kind: 'end', objects: 2, names: 0 }),
      commit(undefined, 10),
      END,
    ]);
    const { code, stderr } = await receive(Buffer.concat(stream));
    assert.is(code, ExitCode.STREAM_REFUSED, stderr);
    assert.match(stderr, /no name of a directory entry/);
    assert.equal(beside(target).includes('abc'), false);
  }));

test.run();
