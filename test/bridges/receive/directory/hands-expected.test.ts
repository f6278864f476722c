/** Steps that say which object they are for touch no other, and no names outside of the copy. */
import * as fs from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { S_IFDIR } from '../../../../src/base/mode.js';
import type { HandsAndShortfalls } from '../../../../src/bridges/receive/directory/hands.js';
import { HandsError } from '../../../../src/bridges/receive/directory/hands-error.js';
import { TOGETHER_STEPS_MIN } from '../../../../src/bridges/receive/directory/hands-limits.js';
import type { Expected, Step } from '../../../../src/bridges/receive/directory/steps.js';
import { refusalOf } from '../../../../src/bridges/receive/refusal.js';
import {
  attributes,
  contents,
  data,
  failureOf,
  link,
  makeDirectory,
  makeFile,
  remove,
  rename,
  withHands,
} from './hands-fixture.js';

async function isConflict(
  hands: Pick<HandsAndShortfalls, 'inOrder'>,
  step: Step,
  why: RegExp,
): Promise<void> {
  const error = await failureOf(hands.inOrder([step]));
  assert.instance(error, HandsError);
  assert.is(error instanceof HandsError && error.kind, 'conflict', `${step.do} ${error.message}`);
  assert.match(error.message, why);
  // Whoever receives is told to do something about the copy.
  assert.is(refusalOf(error, undefined)?.message, error.message);
}

function expecting(step: Step, expect: Expected): Step {
  return { ...step, expect } as Step;
}

test('another object at the place is not touched', () =>
  withHands({}, async ({ hands, target }) => {
    const steps = [makeFile('f', 'mine'), makeDirectory('d'), makeFile('gone'), makeFile('over')];
    const [f, d, gone, over] = (await hands.inOrder(steps)).map(({ inode }) => inode);
    const inode = (made: number | undefined): Expected => ({ inode: made ?? -1, names: 1 });
    for (const name of ['f', 'gone', 'over', 'd']) {
      fs.renameSync(`${target}/${name}`, `${target}/kept-${name}`);
    }
    for (const name of ['f', 'gone', 'over']) fs.writeFileSync(`${target}/${name}`, 'others');
    fs.mkdirSync(`${target}/d`);
    const mode = { attributes: { mode: 0o600 } };
    const fid = makeFile('over').fid;
    const moved = rename('kept-f', 'over', { over: fid }) as Extract<Step, { do: 'rename' }>;
    for (const step of [
      expecting(contents('f', { parts: [data(0, 'x')], cut: 0, size: 0 }), inode(f)),
      expecting(contents('f', { parts: [data(0, 'x')], compare: true }), inode(f)),
      expecting(attributes('f', mode), inode(f)),
      expecting(attributes('d', { type: S_IFDIR, ...mode }), inode(d)),
      expecting(remove('gone'), inode(gone)),
      expecting(remove('d', S_IFDIR), inode(d)),
      expecting(rename('f', 'g'), inode(f)),
      { ...moved, overInode: over },
    ]) {
      await isConflict(hands, step, /: something else is there: .*changed by others/);
    }
    for (const name of ['f', 'gone', 'over']) {
      assert.is(fs.readFileSync(`${target}/${name}`, 'utf8'), 'others');
      assert.is(fs.statSync(`${target}/${name}`).mode & 0o777, 0o644);
    }
    assert.is(fs.readFileSync(`${target}/kept-f`, 'utf8'), 'mine');
    // Those that it is for are found, wherever others put them.
    await hands.inOrder([
      expecting(contents('kept-f', { parts: [data(0, 'MINE')] }), inode(f)),
      expecting(attributes('kept-f', mode), inode(f)),
      expecting(remove('kept-d', S_IFDIR), inode(d)),
      expecting(remove('kept-gone'), inode(gone)),
      // What is gone already is no failure.
      expecting(remove('kept-gone'), inode(gone)),
      expecting(
        { ...(rename('kept-f', 'kept-over', { over: fid }) as typeof moved), overInode: over },
        inode(f),
      ),
    ]);
    assert.is(fs.readFileSync(`${target}/kept-over`, 'utf8'), 'MINE');
  }));

test('a file with names outside of the copy is not written', () =>
  withHands({}, async ({ hands, target, outside }) => {
    const [made] = await hands.inOrder([makeFile('f', 'old'), link('f', 'g')]);
    const expect = { inode: made?.inode ?? -1, names: 2 };
    const [write, change] = [
      contents('f', { parts: [data(0, 'new')] }),
      attributes('g', { attributes: { mode: 0o600 } }),
    ];
    await hands.inOrder([expecting(write, expect), expecting(change, { ...expect, names: 3 })]);
    fs.chmodSync(`${target}/f`, 0o644);
    fs.linkSync(`${target}/f`, `${outside}/backup`);
    for (const step of [write, change]) {
      await isConflict(hands, expecting(step, expect), /it has 1 name outside of the copy/);
    }
    assert.equal(
      [fs.readFileSync(`${outside}/backup`, 'utf8'), fs.statSync(`${target}/f`).mode & 0o777],
      ['new', 0o644],
    );
    // Its names are the copy's own.
    await hands.inOrder([
      expecting(rename('f', 'h'), expect),
      expecting(remove('h'), expect),
      expecting(remove('g'), { ...expect, names: 1 }),
    ]);
    assert.equal(fs.readdirSync(target), []);
    assert.is(fs.readFileSync(`${outside}/backup`, 'utf8'), 'new');
  }));

test('threads refuse it in the same way', () =>
  withHands({ jobs: 2 }, async ({ hands, target, outside }) => {
    const names = Array.from({ length: TOGETHER_STEPS_MIN }, (_, i) => `f${i}`);
    const made = await hands.inOrder(names.map((name) => makeFile(name, 'old')));
    fs.linkSync(`${target}/f7`, `${outside}/backup`);
    const steps = names.map((name, i) =>
      expecting(contents(name, { parts: [data(0, 'new')] }), {
        inode: made[i]?.inode ?? -1,
        names: 1,
      }),
    );
    const together = { inOrder: () => hands.together(steps) };
    await isConflict(together, steps[0] as Step, /^f7: it has 1 name outside of the copy/);
    assert.is(fs.readFileSync(`${outside}/backup`, 'utf8'), 'old');
  }));

test.run();
