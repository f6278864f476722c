/** A dry run says what would be done, finds what it said, and changes nothing. */
import * as fs from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { S_IFDIR, S_IFLNK } from '../../../../src/base/mode.js';
import { dryRunHands } from '../../../../src/bridges/receive/directory/dry-run.js';
import {
  aside,
  at,
  attributes,
  contents,
  data,
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

test('one line for each step', async () => {
  const lines: string[] = [];
  const hands = dryRunHands((line) => lines.push(line));
  const time = { sec: 1, nsec: 1 };
  await hands.inOrder([
    makeDirectory('d'),
    makeFile('d/f\n\xc3\xa9\xff'),
    makeSymlink('s', 'd/f'),
    link('d/f', 'g'),
    rename('d', 'e', { type: S_IFDIR }),
    rename('g', aside('[0x1]')),
    remove('e/f'),
    remove('e', S_IFDIR),
    contents('f', { cut: 3, parts: [data(0, 'abc'), hole(5, 5)], size: 20 }),
    contents('f', { parts: [data(0, 'abc')] }),
    attributes('f', {
      attributes: { mode: 0o600, uid: 1, mtime: time },
      xattrs: [{ name: 'user.a', value: undefined }],
    }),
    attributes('', { type: S_IFDIR, attributes: { atime: time } }),
    attributes('f'),
  ]);
  assert.equal(lines, [
    '+ d/',
    '+ d/f\\x0a\\xc3\\xa9\\xff',
    '+ s -> d/f',
    '+ g (link to d/f)',
    'R d/ -> e/',
    'R g -> limbo/[0x1]',
    '- e/f',
    '- e/',
    'M f (cut to 3 bytes, contents of 2 ranges, 3 bytes, size 20)',
    'M f (contents of 1 range, 3 bytes)',
    'M f (mode, owner, mtime, user.a)',
    'M ./ (atime)',
  ]);
});

test('what it said is found, over what is really there', () =>
  withHands({}, async ({ hands, target, reopen }) => {
    await hands.inOrder([makeDirectory('d'), makeDirectory('d/e'), makeFile('d/e/f', 'x')]);
    await hands.flush();
    const before = fs.readdirSync(target, { recursive: true });
    const real = hands.look(at('d/e/f'));
    const dry = await reopen({ print: () => {} });
    assert.equal(dry.look(at('d/e/f')), real);
    const [made, taken] = await dry.inOrder([
      makeSymlink('s', 'x'),
      makeDirectory('d', { replace: true }),
      rename('d', 'moved', { type: S_IFDIR }),
      rename('moved/e/f', aside('f')),
      link('s', 't'),
    ]);
    assert.equal(dry.look(at('s')), { inode: made?.inode, type: S_IFLNK });
    assert.equal(dry.look(at('t')), { inode: made?.inode, type: S_IFLNK });
    assert.equal(dry.look(at('moved')), { inode: taken?.inode, type: S_IFDIR });
    assert.equal(dry.look(aside('f')), real);
    for (const gone of ['d', 'd/e', 'moved/e/f', 'x/y']) assert.is(dry.look(at(gone)), undefined);
    assert.is(dry.look(at('moved/e'))?.type, S_IFDIR);
    await dry.inOrder([makeFile('moved/e/f', 'new')]);
    assert.is.not(dry.look(at('moved/e/f'))?.inode, real?.inode);
    await dry.flush();
    assert.equal(fs.readdirSync(target, { recursive: true }), before);
  }));

for (const stateElsewhere of isRoot ? [false, true] : [false]) {
  const where = stateElsewhere ? 'in the target' : 'in the state directory';
  test(`what a killed receiver left in a limbo ${where} is found`, () =>
    withHands({ stateElsewhere }, async ({ hands, target, state, reopen }) => {
      assert.equal(dryRunHands(() => {}, target, state).look(aside('d')), undefined);
      await hands.inOrder([makeDirectory('d'), makeFile('d/f')]);
      const file = hands.look(at('d/f'));
      await hands.inOrder([rename('d', aside('d'), { type: S_IFDIR })]);
      const dry = await reopen({ print: () => {} });
      assert.is(dry.look(aside('d'))?.type, S_IFDIR);
      assert.equal(dry.look({ ...at('f'), directory: '/d' }), file);
      await dry.inOrder([rename(aside('d'), 'e', { type: S_IFDIR })]);
      assert.equal(dry.look(at('e/f')), file);
    }));
}

test('nothing is made for a limbo', () =>
  withHands({ stateElsewhere: isRoot }, async ({ hands, target, state }) => {
    await hands.close();
    fs.rmSync(state, { recursive: true });
    const dry = dryRunHands(() => {}, target, state);
    assert.is(dry.look(aside('d')), undefined);
    await dry.close();
    assert.equal([fs.existsSync(state), fs.readdirSync(target)], [false, []]);
  }));

test.run();
