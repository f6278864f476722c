/** What an object is to lose it loses first, and nothing is given to it meanwhile. */
import * as fs from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../../../src/base/fid.js';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../../../../src/base/mode.js';
import { HandsError } from '../../../../src/bridges/receive/directory/hands-error.js';
import { narrowed } from '../../../../src/bridges/receive/directory/narrowed.js';
import type { Step, StepRights } from '../../../../src/bridges/receive/directory/steps.js';
import { ACCESS, aclOf } from '../../../support/acl.js';
import { CAPABILITY, llistxattr } from '../../../support/libc.js';
import {
  at,
  attributes,
  type Bench,
  contents,
  DISKS,
  data,
  failureOf,
  isRoot,
  makeDirectory,
  makeFile,
  makeSymlink,
  withHands,
} from './hands-fixture.js';

const CAPABLE = Buffer.from('0100000200040000000000000000000000000000', 'hex');
const OTHERWISE = Buffer.from('0100000200080000000000000000000000000000', 'hex');

/** Now, wanted, whether the owner changes, whether it is closed; what it has meanwhile. */
const MODES: readonly (readonly [number, number | undefined, boolean, boolean, number])[] = [
  [0o644, 0o600, false, false, 0o600],
  [0o600, 0o644, false, false, 0o600],
  [0o640, 0o604, false, false, 0o600],
  [0o700, 0o000, false, false, 0o700],
  [0o644, undefined, false, false, 0o644],
  [0o6755, 0o2755, false, false, 0o2755],
  [0o755, 0o6755, false, false, 0o755],
  // Neither group may have more than both have, and all others.
  [0o644, undefined, true, false, 0o644],
  [0o640, 0o640, true, false, 0o600],
  [0o654, 0o645, true, false, 0o644],
  [0o4755, 0o4755, true, false, 0o755],
  [0o4755, 0o4755, false, true, 0o4700],
];

for (const [now, wanted, changesOwner, closed, meanwhile] of MODES) {
  const words = [changesOwner ? 'another owner' : '', closed ? 'closed' : ''].join(' ');
  test(`${now.toString(8)} that is to be ${wanted?.toString(8)} ${words}`, () => {
    const mode = narrowed({ now: S_IFREG | now, wanted, changesOwner, closed });
    assert.is(mode.toString(8), meanwhile.toString(8));
  });
}

test('the sticky bit of a directory forbids: it comes first and goes last', () => {
  const rest = { changesOwner: false, closed: false };
  assert.is(narrowed({ now: S_IFDIR | 0o1777, wanted: 0o777, ...rest }), 0o1777);
  assert.is(narrowed({ now: S_IFDIR | 0o777, wanted: 0o1755, ...rest }), 0o1755);
});

function narrow(path: string, rights: Partial<StepRights>, rest: Partial<Step> = {}): Step {
  return {
    do: 'narrow',
    fid: 7 as Fid,
    at: at(path),
    type: S_IFREG,
    rights: { closed: false, ...rights },
    ...rest,
  } as Step;
}

for (const disk of DISKS) {
  const check = (name: string, use: (bench: Bench) => Promise<void>): void => {
    test(`${name}, on ${disk}`, () => withHands({ disk }, use));
  };
  const modeOf = (path: string): number => fs.statSync(path).mode & 0o7777;
  const namesOf = (path: string): string[] => llistxattr(Buffer.from(path)).map(String);

  check('a mode', async ({ hands, target }) => {
    await hands.inOrder([makeFile('f'), makeDirectory('d'), makeSymlink('l', 'f')]);
    await hands.inOrder([
      narrow('f', { mode: 0o620 }),
      narrow('d', { mode: 0o1770 }, { type: S_IFDIR }),
      narrow('l', { mode: 0o600, closed: true }, { type: S_IFLNK }),
    ]);
    assert.is(modeOf(`${target}/f`), 0o600);
    assert.is(modeOf(`${target}/d`), 0o1750);
  });

  check('the root', async ({ hands, target }) => {
    fs.chmodSync(target, 0o755);
    await hands.inOrder([narrow('', { mode: 0o700 }, { type: S_IFDIR })]);
    assert.is(modeOf(target), 0o700);
  });

  check('an owner: it is nobody but ours until the new one gets it', async ({ hands, target }) => {
    if (!isRoot) return;
    const given = { mode: 0o6750, uid: 12, gid: 34 };
    await hands.inOrder([makeFile('f', '', { attributes: given })]);
    await hands.inOrder([narrow('f', { uid: 12, gid: 34 })]);
    assert.is(modeOf(`${target}/f`), 0o6750);
    await hands.inOrder([narrow('f', { uid: 56 })]);
    const { uid, gid } = fs.statSync(`${target}/f`);
    assert.equal([uid, gid, modeOf(`${target}/f`)], [0, 34, 0o700]);
  });

  check('a list of permissions', async ({ hands, target }) => {
    const [list, other] = [
      aclOf('u::rw-', 'u:1234:rw-', 'g::r--', 'm::rw-', 'o::r--'),
      aclOf('u::rw-', 'u:1234:r--', 'g::r--', 'm::rw-', 'o::r--'),
    ];
    const xattrs = [{ name: ACCESS, value: list }];
    await hands.inOrder([makeFile('f', '', { attributes: { mode: 0o664 }, xattrs })]);
    await hands.inOrder([makeFile('g', '', { attributes: { mode: 0o664 } })]);
    const modes = (): string[] => ['f', 'g'].map((name) => modeOf(`${target}/${name}`).toString(8));
    await hands.inOrder([narrow('f', { acl: list }), narrow('g', { acl: 'none' })]);
    assert.equal(modes(), ['664', '664']);
    await hands.inOrder([narrow('f', { acl: other }), narrow('g', { acl: list })]);
    assert.equal(modes(), ['600', '600']);
  });

  check('a list that goes', async ({ hands, target }) => {
    const list = aclOf('u::rw-', 'u:1234:rw-', 'g::r--', 'm::rw-', 'o::r--');
    const xattrs = [{ name: ACCESS, value: list }];
    await hands.inOrder([makeFile('f', '', { attributes: { mode: 0o664 }, xattrs })]);
    await hands.inOrder([narrow('f', { acl: 'none' })]);
    assert.is(modeOf(`${target}/f`), 0o600);
  });

  check('capabilities', async ({ hands, target }) => {
    if (!isRoot) return;
    const xattrs = [{ name: CAPABILITY, value: CAPABLE }];
    await hands.inOrder([makeFile('f', 'x', { xattrs })]);
    assert.ok(hands.kept(at('f'))?.capability !== undefined);
    await hands.inOrder([narrow('f', { capability: CAPABLE })]);
    assert.equal(namesOf(`${target}/f`), [CAPABILITY]);
    await hands.inOrder([narrow('f', { capability: OTHERWISE })]);
    assert.equal(namesOf(`${target}/f`), []);
    await hands.inOrder([narrow('f', { capability: 'none' })]);
    assert.equal(hands.kept(at('f')), { mode: 0o644, capability: undefined });
  });

  check('a file is closed before anything in it differs, and only then', async (bench) => {
    const { hands, target } = bench;
    await hands.inOrder([makeFile('f', 'text')]);
    const put = (text: string): Step =>
      contents('f', { parts: [data(0, text)], size: text.length, compare: true, closes: true });
    await hands.inOrder([put('text')]);
    assert.is(modeOf(`${target}/f`), 0o644);
    await hands.inOrder([put('tent')]);
    assert.is(modeOf(`${target}/f`), 0o600);
    await hands.inOrder([attributes('f', { attributes: { mode: 0o644 } }), put('ten')]);
    assert.is(modeOf(`${target}/f`), 0o600);
  });

  check('something else is left alone', async ({ hands, target }) => {
    await hands.inOrder([makeFile('f')]);
    const { ino } = fs.statSync(`${target}/f`);
    const step = narrow('f', { mode: 0 }, {
      expect: { inode: ino + 1, names: 1 },
    } as Partial<Step>);
    const error = await failureOf(hands.inOrder([step]));
    assert.ok(error instanceof HandsError && error.kind === 'conflict');
    assert.is(modeOf(`${target}/f`), 0o644);
  });

  check('where there is nothing, nothing is kept', async ({ hands }) => {
    await hands.inOrder([makeSymlink('l', 'f')]);
    assert.is(hands.kept(at('f')), undefined);
    assert.is(hands.kept(at('l')), undefined);
  });
}

test.run();
