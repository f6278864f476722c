/** What cannot be put back as it was costs nobody a descriptor and is left to the next run. */
import * as fs from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type HandsAndShortfalls,
  openHands,
} from '../../../../src/bridges/receive/directory/hands.js';
import type { Step } from '../../../../src/bridges/receive/directory/steps.js';
import { withFolder } from '../../../support/mount.js';
import { failureOf, isRoot, makeDirectory, makeFile, remove } from './hands-fixture.js';

const USER = 65_534;
const READ_ONLY = { attributes: { mode: 0o555 } };

function as(uid: number): void {
  process.seteuid?.(0);
  process.setegid?.(uid);
  process.seteuid?.(uid);
}

interface Scene {
  readonly target: string;
  readonly state: string;
  open(): HandsAndShortfalls;
}

/** This process is an ordinary user meanwhile. */
async function withUser(use: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    fs.chmodSync(folder, 0o755);
    const [target, state] = [`${folder}/target`, `${folder}/state`];
    for (const each of [target, state]) {
      fs.mkdirSync(each);
      fs.chownSync(each, USER, USER);
    }
    as(USER);
    try {
      await use({
        target,
        state,
        open: () => openHands({ target, stateDirectory: state, jobs: 1 }),
      });
    } finally {
      as(0);
    }
  });
}

/** While the step is done, root does something. */
function asRoot(use: () => void): Step {
  return {
    ...remove('nothing'),
    get do(): 'remove' {
      as(0);
      use();
      as(USER);
      return 'remove';
    },
  } as Step;
}

function descriptors(): string[] {
  return fs.readdirSync('/proc/self/fd');
}

if (isRoot) {
  test('a mode that cannot be put back: the others are, once, and the next run does it', () =>
    withUser(async ({ target, state, open }) => {
      const hands = open();
      const modes = (): number[] =>
        ['a', 'b', 'c'].map((name) => fs.statSync(`${target}/${name}`).mode & 0o777);
      await hands.inOrder(['a', 'b', 'c'].map((name) => makeDirectory(name, READ_ONLY)));
      const steal = asRoot(() => fs.chownSync(`${target}/b`, 0, 0));
      const files = ['a/x', 'b/x', 'c/x'].map((path) => makeFile(path));
      const error = await failureOf(hands.inOrder([...files, steal]));
      assert.match(error.message, /^b: putting its mode back: not permitted/);
      assert.equal(modes(), [0o555, 0o755, 0o555]);
      // Why the work failed says more.
      const refused = await failureOf(
        hands.inOrder([
          makeFile('c/y'),
          asRoot(() => fs.chownSync(`${target}/c`, 0, 0)),
          makeDirectory('a'),
        ]),
      );
      assert.match(refused.message, /^a: making it/);
      assert.equal(modes(), [0o555, 0o755, 0o755]);
      const mine = Array.from({ length: 8 }, () => fs.openSync('/proc/self/status', 'r'));
      await hands.flush();
      await hands.close();
      // Throws if somebody closed them.
      for (const fd of mine) fs.closeSync(fd);
      as(0);
      for (const name of ['b', 'c']) fs.chownSync(`${target}/${name}`, USER, USER);
      as(USER);
      await open().close();
      assert.equal(modes(), [0o555, 0o555, 0o555]);
      assert.equal(fs.readdirSync(state), []);
    }));

  test('what cannot be written down is not made writable, and leaves nothing open', () =>
    withUser(async ({ target, state, open }) => {
      const hands = open();
      await hands.inOrder([makeDirectory('d', READ_ONLY)]);
      const before = descriptors().length;
      as(0);
      fs.chownSync(state, 0, 0);
      as(USER);
      const error = await failureOf(hands.inOrder([makeFile('d/x')]));
      assert.match(error.message, /EACCES.*made-writable/);
      assert.is(descriptors().length, before);
      assert.is(fs.statSync(`${target}/d`).mode & 0o777, 0o555);
      await hands.close();
    }));
}

test('what tells of writes that failed is open from the start', () =>
  withFolder(async (folder) => {
    for (const each of ['target', 'state']) fs.mkdirSync(`${folder}/${each}`);
    const { ino } = fs.statSync(`${folder}/target`);
    const before = descriptors();
    const hands = openHands({
      target: `${folder}/target`,
      stateDirectory: `${folder}/state`,
      jobs: 1,
    });
    const readable = (): string[] =>
      descriptors().filter((fd) => {
        if (before.includes(fd) || !fs.existsSync(`/proc/self/fd/${fd}`)) return false;
        const isPath = /^flags:\s+0?[0-7]*[1357][0-7]{7}$/m;
        const info = fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
        return !isPath.test(info) && fs.fstatSync(Number(fd)).ino === ino;
      });
    const [fd, ...others] = readable();
    assert.ok(fd !== undefined && others.length === 0);
    await hands.flush();
    assert.equal(readable(), [fd]);
    await hands.close();
    assert.equal(readable(), []);
  }));

test.run();
