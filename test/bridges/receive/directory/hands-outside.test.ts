/** Nothing outside the target is touched, whatever stands in it and whatever is asked for. */
import * as fs from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { S_IFDIR, S_IFIFO, S_IFLNK } from '../../../../src/base/mode.js';
import type { Step } from '../../../../src/bridges/receive/directory/steps.js';
import { runOk } from '../../../support/processes.js';
import {
  aside,
  at,
  attributes,
  contents,
  data,
  failureOf,
  isRoot,
  link,
  make,
  makeDirectory,
  makeFile,
  makeSymlink,
  remove,
  rename,
  withHands,
} from './hands-fixture.js';

interface Outside {
  readonly path: string;
  readonly text: string;
  readonly stat: readonly (bigint | number)[];
}

/** Everything of the folder that a step could change. */
function seen(folder: string): Outside[] {
  return ['', 'file', 'sub', 'sub/file'].map((name) => {
    const path = `${folder}/${name}`;
    const stat = fs.lstatSync(path, { bigint: true });
    const text = stat.isDirectory() ? fs.readdirSync(path).join() : fs.readFileSync(path, 'utf8');
    return { path, text, stat: [stat.ino, stat.mode, stat.uid, stat.mtimeNs, stat.ctimeNs] };
  });
}

function furnish(folder: string): void {
  fs.mkdirSync(`${folder}/sub`);
  for (const name of ['file', 'sub/file']) fs.writeFileSync(`${folder}/${name}`, 'outside');
}

/** Steps through `way`, a symlink to a directory that has what the name says. */
function stepsThrough(way: string): Step[] {
  const mode = 0o777;
  return [
    makeFile(`${way}/new`, 'x'),
    makeFile(`${way}/file`, 'x', { replace: true }),
    makeDirectory(`${way}/new`),
    makeDirectory(`${way}/sub`, { replace: true }),
    makeSymlink(`${way}/new`, 'x'),
    make(`${way}/new`, S_IFIFO),
    rename(`${way}/file`, 'stolen'),
    rename('mine', `${way}/given`),
    link(`${way}/file`, 'stolen'),
    link('mine', `${way}/given`),
    remove(`${way}/file`),
    contents(`${way}/file`, { parts: [data(0, 'x')], size: 0 }),
    attributes(`${way}/file`, { attributes: { mode } }),
    attributes(`${way}/sub`, { type: S_IFDIR, attributes: { mode } }),
  ];
}

for (const walk of [false, true]) {
  const without = walk ? ', without openat2' : '';

  test(`no step goes through a symlink${without}`, () =>
    withHands({ walk }, async ({ hands, target, outside }) => {
      furnish(outside);
      await hands.inOrder([makeFile('mine'), makeDirectory('d'), makeDirectory('d/e')]);
      fs.symlinkSync(outside, `${target}/absolute`);
      fs.symlinkSync('../../outside', `${target}/d/relative`);
      fs.symlinkSync('../d', `${target}/d/inside`);
      const before = seen(outside);
      for (const way of ['absolute', 'd/relative', 'absolute/sub']) {
        for (const step of stepsThrough(way)) {
          const error = await failureOf(hands.inOrder([step]));
          assert.ok(['ELOOP', 'ENOTDIR'].includes(`${error.code}`), `${step.do} ${error.message}`);
          assert.match(error.message, /changed by others/);
        }
      }
      const inside = await failureOf(hands.inOrder([makeFile('d/inside/new')]));
      assert.match(inside.message, /changed by others/);
      assert.equal(seen(outside), before);
    }));

  test(`a directory becomes a symlink between two steps${without}`, () =>
    withHands({ walk }, async ({ hands, target, outside }) => {
      furnish(outside);
      await hands.inOrder([makeDirectory('d'), makeFile('d/file', 'mine')]);
      assert.is(hands.look(at('d/file'))?.type, 0o100000);
      fs.renameSync(`${target}/d`, `${target}/moved`);
      fs.symlinkSync(outside, `${target}/d`);
      const before = seen(outside);
      for (const step of stepsThrough('d')) await failureOf(hands.inOrder([step]));
      assert.equal(seen(outside), before);
    }));
}

test('a symlink in place of a file is not followed', () =>
  withHands({}, async ({ hands, target, outside }) => {
    furnish(outside);
    fs.symlinkSync(`${outside}/file`, `${target}/f`);
    fs.symlinkSync(`${outside}/sub`, `${target}/d`);
    fs.symlinkSync(`${outside}/absent`, `${target}/dangling`);
    const before = seen(outside);
    const mode = 0o777;
    for (const step of [
      contents('f', { parts: [data(0, 'x')] }),
      contents('f', { parts: [data(0, 'x')], compare: true }),
      attributes('f', { attributes: { mode, uid: 1 } }),
      attributes('d', { type: S_IFDIR, attributes: { mode } }),
      makeFile('dangling', 'x'),
      makeDirectory('d'),
    ]) {
      await failureOf(hands.inOrder([step]));
    }
    // These change the symlink itself.
    await hands.inOrder([
      makeFile('dangling', 'x', { replace: true }),
      makeDirectory('d', { replace: true }),
      attributes('f', { type: S_IFLNK, attributes: { mode, mtime: { sec: 1, nsec: 1 } } }),
      link('f', 'g'),
      rename('g', 'h', { type: S_IFLNK }),
      remove('h', S_IFLNK),
    ]);
    assert.ok(fs.lstatSync(`${target}/d`).isDirectory());
    assert.equal(seen(outside), before);
  }));

test('names that are no names are refused', () =>
  withHands({}, async ({ hands, target, outside }) => {
    furnish(outside);
    await hands.inOrder([makeDirectory('d'), makeFile('mine')]);
    const before = seen(outside);
    for (const name of [
      '',
      '.',
      '..',
      '/',
      '../outside/file',
      'd/x',
      'a\0b',
      '/etc',
      '..\u012fx',
      'a\u0100',
    ]) {
      const place = { ...at('x'), name };
      const there = { ...makeFile('x'), at: place };
      for (const step of [
        there,
        { ...there, at: { ...place, directory: 'd' } },
        { ...there, at: { ...place, directory: undefined } },
        { ...remove('x'), at: place } as Step,
        rename('mine', place),
        rename(place, 'mine'),
      ]) {
        const error = await failureOf(hands.inOrder([step]));
        assert.equal([error.name, error.code], ['HandsError', 'EINVAL'], name);
      }
    }
    for (const directory of ['..', 'd/..', 'd/../../outside', '.', 'd//d', 'd/', '/..', 'a\0b']) {
      const error = await failureOf(
        hands.inOrder([{ ...makeFile('x'), at: { ...at('x'), directory } }]),
      );
      assert.is(error.code, 'EINVAL', directory);
    }
    assert.equal(fs.readdirSync(target).sort(), ['d', 'mine']);
    assert.equal(seen(outside), before);
  }));

test('the root can be changed, and neither made, moved nor removed', () =>
  withHands({}, async ({ hands, target }) => {
    const mtime = { sec: 10, nsec: 20 };
    const inode = fs.statSync(target).ino;
    const root = attributes('', { type: S_IFDIR, attributes: { mode: 0o711, mtime } });
    const made = await hands.inOrder([makeDirectory('', { replace: true }), root]);
    assert.equal(
      made.map((each) => each.inode),
      [inode],
    );
    const stat = fs.statSync(target, { bigint: true });
    assert.equal([stat.mode & 0o7777n, stat.mtimeNs], [0o711n, 10_000_000_020n]);
    for (const step of [
      remove('', S_IFDIR),
      rename('', 'x', { type: S_IFDIR }),
      link('', 'x'),
      makeFile(''),
    ]) {
      assert.is((await failureOf(hands.inOrder([step]))).code, 'EINVAL', step.do);
    }
  }));

if (isRoot) {
  test('another filesystem inside the target is not entered', () =>
    withHands({}, async ({ hands, target, reopen }) => {
      await hands.inOrder([makeDirectory('d'), makeDirectory('d/other'), makeFile('f')]);
      await runOk('mount', ['-t', 'tmpfs', 'tmpfs', `${target}/d/other`]);
      try {
        for (const walk of [false, true]) {
          const again = await reopen({ walk });
          const error = await failureOf(again.inOrder([makeFile('d/other/x')]));
          assert.is(error.code, 'EXDEV');
          assert.match(error.message, /^d\/other: .*mounted inside the target: unmount it/);
        }
        assert.equal(fs.readdirSync(`${target}/d/other`), []);
      } finally {
        await runOk('umount', [`${target}/d/other`]);
      }
    }));

  test('the limbo is in the target where the state is elsewhere, and goes', () =>
    withHands({ stateElsewhere: true }, async ({ hands, target, state, reopen }) => {
      await hands.inOrder([makeFile('f', 'x'), makeDirectory('d'), makeFile('d/g')]);
      const mtime = { sec: 10, nsec: 20 };
      await hands.inOrder([attributes('', { type: S_IFDIR, attributes: { mtime } })]);
      const before = fs.statSync(target, { bigint: true }).mtimeNs;
      await hands.inOrder([rename('d/g', aside('g'))]);
      const [limbo = ''] = fs
        .readdirSync(target)
        .filter((name) => name.startsWith('.feedfs-limbo-'));
      assert.match(limbo, /^\.feedfs-limbo-[0-9a-f]{16}$/);
      assert.is(fs.statSync(target, { bigint: true }).mtimeNs, before);
      const stranger = await failureOf(hands.inOrder([makeFile(limbo, 'x', { replace: true })]));
      assert.match(stranger.message, /in use by the receiver itself/);
      // A receiver that is run again finds what the one before it put aside.
      const again = await reopen();
      assert.equal(fs.readdirSync(`${target}/${limbo}`), ['g']);
      assert.is(again.look(aside('g'))?.type, 0o100000);
      await again.inOrder([rename(aside('g'), 'd/g')]);
      await again.flush();
      assert.equal(fs.readdirSync(target).sort(), ['d', 'f']);
      assert.is(fs.statSync(target, { bigint: true }).mtimeNs, before);
      await again.inOrder([rename('f', aside('f')), rename(aside('f'), 'f')]);
      assert.is(fs.readdirSync(target).length, 3);
      await again.close();
      assert.equal(
        [fs.readdirSync(target).sort(), fs.readdirSync(state)],
        [['d', 'f'], ['limbo-name']],
      );
    }));
}

test.run();
