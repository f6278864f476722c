/** Steps done by several threads: the same tree, the first error, and no waiting for the dead. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../../../src/base/fid.js';
import { S_IFDIR } from '../../../../src/base/mode.js';
import {
  MESSAGE_CONTENTS_BYTES_MAX,
  TOGETHER_STEPS_MIN,
} from '../../../../src/bridges/receive/directory/hands-limits.js';
import type { Step } from '../../../../src/bridges/receive/directory/steps.js';
import { partition } from '../../../../src/bridges/receive/directory/worker-pool.js';
import type { Contents } from '../../../../src/bridges/stream/frame.js';
import { lgetxattr } from '../../../support/libc.js';
import {
  aside,
  attributes,
  contents,
  type Disk,
  data,
  failureOf,
  hole,
  isRoot,
  link,
  makeDirectory,
  makeFile,
  makeSymlink,
  remove,
  rename,
  withHands,
} from './hands-fixture.js';

const FILES = 4 * TOGETHER_STEPS_MIN;
const FOLDERS = 5;
/** Many files are made and removed at once, which a disk is slow at. */
const disk: Disk = isRoot ? 'tmpfs' : 'disk';

function folders(): Step[] {
  return Array.from({ length: FOLDERS }, (_, i) => makeDirectory(`d${i}`));
}

function pathOf(i: number): string {
  return `d${i % FOLDERS}/f${i}`;
}

function files(count = FILES): Step[] {
  return Array.from({ length: count }, (_, i) =>
    makeFile(pathOf(i), `contents of ${i}`, {
      xattrs: i % 3 === 0 ? [{ name: 'user.i', value: Buffer.from(`${i}`) }] : [],
    }),
  );
}

/** More than travels to a thread, in one buffer that is used again and again. */
function* largeContents(bytes: number): Iterable<Contents> {
  const buffer = Buffer.alloc(64 * 1024);
  for (let offset = 0; offset < bytes; offset += buffer.length) {
    buffer.fill(offset / buffer.length);
    yield { kind: 'data', fid: 7 as Fid, offset, bytes: buffer };
  }
}

test('threads do what one does, and say what they made in the order given', () =>
  withHands({ disk, jobs: 3 }, async ({ hands, target }) => {
    await hands.inOrder(folders());
    const steps = files();
    const made = await hands.together(steps);
    assert.equal(
      made,
      steps.map((step, i) => ({ fid: step.fid, inode: fs.statSync(`${target}/${pathOf(i)}`).ino })),
    );
    for (let i = 0; i < FILES; i++) {
      assert.is(fs.readFileSync(`${target}/${pathOf(i)}`, 'utf8'), `contents of ${i}`);
    }
    const path = Buffer.from(`${target}/${pathOf(3)}`);
    assert.is(`${lgetxattr(path, Buffer.from('user.i'))}`, '3');
  }));

test('all kinds of steps together, large contents among them', () =>
  withHands({ disk, jobs: 2 }, async ({ hands, target }) => {
    await hands.inOrder([...folders(), makeFile('away'), makeFile('d0/held')]);
    await hands.inOrder([rename('d0/held', aside('held'))]);
    await hands.together(files());
    const large = 2 * MESSAGE_CONTENTS_BYTES_MAX;
    const steps = Array.from({ length: FILES }, (_, i): Step => {
      if (i === 0) return contents(pathOf(i), { parts: largeContents(large) });
      if (i === 1) return rename(aside('held'), 'd0/held');
      switch (i % 6) {
        case 0:
          return remove(pathOf(i));
        case 1:
          return rename(pathOf(i), `d${(i + 1) % FOLDERS}/moved${i}`);
        case 2:
          return link(pathOf(i), `d${(i + 1) % FOLDERS}/linked${i}`);
        case 3:
          return attributes(pathOf(i), { attributes: { mode: 0o600, mtime: { sec: i, nsec: 0 } } });
        case 4:
          return makeSymlink(`d0/s${i}`, `${i}`);
        default:
          return contents(pathOf(i), { cut: 3, parts: [data(1, 'xy'), hole(8, 8)], size: 20 });
      }
    });
    await hands.together(steps);
    const exists = (name: string): boolean => fs.existsSync(`${target}/${name}`);
    for (let i = 2; i < FILES; i++) {
      const path = `${target}/${pathOf(i)}`;
      if (i % 6 === 0) assert.not(exists(pathOf(i)));
      else if (i % 6 === 1) assert.ok(exists(`d${(i + 1) % FOLDERS}/moved${i}`));
      else if (i % 6 === 2) assert.is(fs.statSync(path).nlink, 2);
      else if (i % 6 === 3) assert.is(fs.statSync(path).mtimeMs, i * 1000);
      else if (i % 6 === 4) assert.is(fs.readlinkSync(`${target}/d0/s${i}`), `${i}`);
      else assert.is(fs.readFileSync(path, 'latin1'), `cxy${'\0'.repeat(17)}`);
    }
    const written = fs.readFileSync(`${target}/${pathOf(0)}`);
    assert.is(written.length, large);
    assert.ok(written.every((byte, at) => byte === Math.floor(at / 65_536)));
    assert.ok(exists('d0/held'));
  }));

test('directories that were moved between two calls are found where they are', () =>
  withHands({ disk, jobs: 2 }, async ({ hands, target }) => {
    await hands.inOrder([...folders(), ...folders().map((_, i) => makeDirectory(`d${i}/in`))]);
    const inside = (name: string): Step[] =>
      Array.from({ length: FILES }, (_, i) => makeFile(`d${i % FOLDERS}/in/${name}${i}`));
    await hands.together(inside('a'));
    const type = S_IFDIR;
    await hands.inOrder([
      rename('d0', 'x', { type }),
      rename('d1', 'd0', { type }),
      rename('x', 'd1', { type }),
    ]);
    await hands.together(inside('b'));
    const names = fs.readdirSync(`${target}/d0/in`);
    const numbers = names.map((name) => Number(name.slice(1)) % FOLDERS);
    assert.ok(names.every((name, i) => numbers[i] === (name.startsWith('a') ? 1 : 0)));
  }));

test('the first error comes with its path, nothing is under way, and the hands go on', () =>
  withHands({ disk, jobs: 2 }, async ({ hands, target, outside }) => {
    await hands.inOrder(folders());
    fs.symlinkSync(outside, `${target}/way`);
    const steps = files();
    steps.splice(FILES / 2, 1, makeFile('way/out', 'x'));
    const error = await failureOf(hands.together(steps));
    assert.equal([error.name, error.code], ['HandsError', 'ENOTDIR']);
    assert.match(error.message, /^way: .*changed by others/);
    assert.equal(fs.readdirSync(outside), []);
    const again = steps.map((step) => (step.do === 'make' ? { ...step, replace: true } : step));
    again.splice(FILES / 2, 1);
    assert.is((await hands.together(again)).length, FILES - 1);
  }));

test('bad steps are told apart from a bad target, in threads too', () =>
  withHands({ disk, jobs: 2 }, async ({ hands }) => {
    await hands.inOrder(folders());
    const steps = files();
    steps.push({ ...makeFile('x'), at: { parent: 7 as Fid, name: '..', directory: 'd0' } });
    const error = await failureOf(hands.together(steps));
    assert.equal([error.code, 'kind' in error ? error.kind : undefined], ['EINVAL', 'stream']);
  }));

test('shortfalls of threads are counted and listed', () =>
  withHands({ disk, jobs: 2 }, async ({ hands }) => {
    await hands.inOrder(folders());
    const xattrs = [{ name: 'nonsense.x', value: Buffer.from('x') }];
    await hands.together(files().map((step) => ({ ...step, xattrs }) as Step));
    assert.is(hands.shortfalls.count, FILES);
    assert.is(hands.shortfalls.first.length, Math.min(FILES, 1_000));
    assert.is(hands.shortfalls.first[0]?.detail, 'nonsense.x');
  }));

const DEATHS = {
  'ends when it gets a task': "parentPort.on('message', () => process.exit(3));",
  'throws when it gets a task': "parentPort.on('message', () => { throw new Error('ill'); });",
  'ends as it starts': 'process.exit(0);',
  'cannot be started': 'this is no program',
};
for (const [how, program] of Object.entries(DEATHS)) {
  test(`a thread that ${how} is an error`, () =>
    withHands({ disk }, async ({ reopen, outside }) => {
      const script = join(outside, 'worker.mjs');
      fs.writeFileSync(script, `import { parentPort } from 'node:worker_threads';\n${program}\n`);
      const hands = await reopen({ jobs: 2, workerScript: pathToFileURL(script) });
      await hands.inOrder(folders());
      const error = await failureOf(hands.together(files()));
      assert.is(error.name, 'HandsError');
      assert.match(error.message, /a thread that changes the target ended: /);
    }));
}

test('few steps wake no thread', () =>
  withHands({ disk }, async ({ reopen, target }) => {
    const hands = await reopen({ jobs: 2, workerScript: new URL('file:///absent.mjs') });
    await hands.inOrder(folders());
    await hands.together(files(TOGETHER_STEPS_MIN - 1));
    assert.ok(fs.existsSync(`${target}/${pathOf(TOGETHER_STEPS_MIN - 2)}`));
  }));

test('steps are dealt out by directory, each once', () => {
  const steps = [...files(5_000), rename('d0/f0', 'new/f0'), remove('single')];
  const tasks = partition(steps);
  assert.equal(
    tasks.flat().sort((a, b) => a - b),
    [...steps.keys()],
  );
  assert.ok(tasks.length >= steps.length / 512);
  for (const task of tasks.slice(0, -3)) {
    const directories = new Set(task.map((i) => i % FOLDERS));
    assert.ok(directories.size <= 2, `${directories.size} directories`);
  }
});

if (isRoot) {
  test('descriptors are closed', () =>
    withHands({ disk, jobs: 2 }, async ({ reopen }) => {
      const before = fs.readdirSync('/proc/self/fd').length;
      for (let round = 0; round < 3; round++) {
        const hands = await reopen({ jobs: 2 });
        await hands.inOrder(round === 0 ? folders() : []);
        await hands.together(files().map((step) => ({ ...step, replace: true }) as Step));
        await hands.flush();
      }
      assert.ok(fs.readdirSync('/proc/self/fd').length <= before + 10);
    }));
}

test.run();
