/** What an ordinary user's watch shows of a rename of which one side is private (native-notes/user-watch.md). */
import * as assert from 'uvu/assert';
import { ROOT_FID } from '../../src/base/fid.js';
import { done, make, renameOf } from './reint-fixture.js';
import { chmod, directory, fidText, OpenWatch, tree, USER, watchSuite } from './watch-fixture.js';

const test = watchSuite('user watches: renames');

test('a rename shows its visible side alone, and no trace of the other', async ({ sim }) => {
  const { open, shut } = tree(sim);
  make(sim, open, 'going');
  make(sim, shut, 'coming');
  const moved = directory(sim, shut, 'moved');
  make(sim, open, 'replaced');
  make(sim, shut, 'replacing');
  const watch = new OpenWatch(sim, USER);
  done(sim, renameOf([open, 'going'], [shut, 'secret1']));
  done(sim, renameOf([shut, 'coming'], [open, 'came']));
  done(sim, renameOf([shut, 'moved'], [open, 'moved']));
  done(sim, renameOf([shut, 'replacing'], [open, 'replaced']));
  done(sim, renameOf([shut, 'secret1'], [shut, 'secret2']));
  await sim.settle();
  const lines = watch.lines();
  assert.equal(
    lines.map(({ op, name }) => `${op} ${name}`),
    ['unlink going', 'link came', 'link moved', 'unlink replaced', 'link replaced'],
  );
  assert.is(lines[2]?.fid, fidText(moved));
  const text = JSON.stringify(lines);
  for (const secret of ['secret', 'coming', 'replacing', 'shut', fidText(shut), '"last"']) {
    assert.not.match(text, secret);
  }
});

test('an exchange with a private directory shows what left and what came', async ({ sim }) => {
  const { open, shut } = tree(sim);
  make(sim, open, 'mine');
  directory(sim, shut, 'theirs');
  const watch = new OpenWatch(sim, USER);
  done(sim, renameOf([open, 'mine'], [shut, 'theirs'], 2));
  done(sim, renameOf([shut, 'theirs'], [open, 'mine'], 2));
  await sim.settle();
  assert.equal(watch.brief(), ['unlink mine', 'link mine', 'rmdir mine', 'link mine']);
});

test('a rename whose other side is shut before the delivery is reduced then', async ({ sim }) => {
  const { open } = tree(sim);
  const other = directory(sim, ROOT_FID, 'other');
  make(sim, open, 'a');
  const watch = new OpenWatch(sim, USER);
  const filtered = new OpenWatch(sim, USER, { ops: ['rename'] });
  done(sim, renameOf([open, 'a'], [other, 'b']));
  await sim.settle();
  chmod(sim, other, 0o700);
  assert.equal(watch.brief(), ['unlink a']);
  assert.equal(filtered.brief(), []);
});

test('two lines of a rename are read one at a time', async ({ sim }) => {
  const { open, shut } = tree(sim);
  make(sim, open, 'replaced');
  make(sim, shut, 'replacing');
  const watch = new OpenWatch(sim, USER);
  done(sim, renameOf([shut, 'replacing'], [open, 'replaced']));
  await sim.settle();
  const first = watch.read(330);
  assert.match(first, /^\{.*"op":"unlink".*\}\n$/);
  // The other side may be seen now, this one no more: of what came nothing is said.
  chmod(sim, shut, 0o755);
  chmod(sim, open, 0o700);
  const shown = watch.lines();
  assert.equal(
    shown.filter(({ op }) => op !== 'setattr'),
    [],
  );
});

test.run();
