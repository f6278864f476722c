/** What is mounted at the very place that a step names is neither opened, changed nor found. */
import * as fs from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { S_IFDIR } from '../../../../src/base/mode.js';
import type { HandsAndShortfalls } from '../../../../src/bridges/receive/directory/hands.js';
import type { Step } from '../../../../src/bridges/receive/directory/steps.js';
import { runOk } from '../../../support/processes.js';
import {
  at,
  attributes,
  contents,
  data,
  failureOf,
  isRoot,
  makeDirectory,
  makeFile,
  remove,
  rename,
  withHands,
} from './hands-fixture.js';

/** Everything of the two that a step could change. */
function seen(folder: string): unknown[] {
  return ['file', 'sub'].map((name) => {
    const { ino, mode, uid, mtimeNs, ctimeNs } = fs.statSync(`${folder}/${name}`, { bigint: true });
    return [ino, mode, uid, mtimeNs, ctimeNs];
  });
}

async function isRefused(hands: HandsAndShortfalls, step: Step): Promise<void> {
  const error = await failureOf(hands.inOrder([step]));
  assert.is(error.code, 'EXDEV', `${step.do}: ${error.message}`);
  assert.match(error.message, /^[fd]: .*mounted inside the target: unmount it/);
}

if (isRoot) {
  for (const walk of [false, true]) {
    for (const same of [false, true]) {
      const what = `${same ? 'the same' : 'another'} filesystem${walk ? ', without openat2' : ''}`;

      test(`a file and a directory of ${what} mounted at the last names`, () =>
        withHands({ walk }, async ({ hands, target, outside }) => {
          await hands.inOrder([makeFile('f', 'mine'), makeDirectory('d'), makeFile('free')]);
          const mounts: string[] = [];
          const mount = async (...args: string[]): Promise<void> => {
            await runOk('mount', args);
            mounts.unshift(String(args.at(-1)));
          };
          try {
            if (!same) await mount('-t', 'tmpfs', 'tmpfs', outside);
            fs.writeFileSync(`${outside}/file`, 'outside');
            fs.mkdirSync(`${outside}/sub`);
            await mount('--bind', `${outside}/file`, `${target}/f`);
            await mount('--bind', `${outside}/sub`, `${target}/d`);
            const before = seen(outside);
            const changed = { mode: 0o4777, uid: 1000 };
            for (const step of [
              contents('f', { parts: [data(0, 'EVIL')], size: 0 }),
              contents('f', { parts: [data(0, 'EVIL')], compare: true }),
              attributes('f', { attributes: changed, exactXattrs: true }),
              attributes('d', { type: S_IFDIR, attributes: changed }),
              makeDirectory('d', { replace: true, attributes: changed }),
            ]) {
              await isRefused(hands, step);
            }
            for (const step of [
              makeFile('f', 'x', { replace: true }),
              remove('f'),
              remove('d', S_IFDIR),
              rename('f', 'stolen'),
              rename('free', 'f', { over: makeFile('f').fid }),
            ]) {
              assert.match((await failureOf(hands.inOrder([step]))).message, /mount/, step.do);
            }
            for (const name of ['f', 'd']) {
              assert.throws(() => hands.look(at(name)), /mounted inside the target/);
            }
            assert.equal(seen(outside), before);
            assert.is(fs.readFileSync(`${outside}/file`, 'utf8'), 'outside');
          } finally {
            for (const each of mounts) await runOk('umount', [each]);
          }
          await hands.inOrder([contents('f', { parts: [data(0, 'MINE')] })]);
          assert.is(fs.readFileSync(`${target}/f`, 'utf8'), 'MINE');
        }));
    }
  }
}

test.run();
