/** rsync, tar and cp carry everything about a tree to a mounted feedfs and back. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { makeOddTree } from '../programs/odd-tree.js';
import { type ProgramMount, script, withProgram } from '../programs/program-mount.js';
import { diffTrees, snapshotTree } from '../support/snapshot-tree.js';

/** Without the last, rsync takes times of the same second for equal. */
const RSYNC = [
  ...['--archive', '--hard-links', '--acls', '--xattrs', '--numeric-ids'],
  ...['--sparse', '--modify-window=-1'],
];
/** Itemizes every difference, and changes nothing. */
const COMPARE = [...RSYNC, '--checksum', '--delete', '--dry-run', '--itemize-changes'];
const TAR = ['--xattrs', '--xattrs-include=*', '--acls', '--sparse', '--numeric-owner'];

/** Eight islands of 10,000 bytes, rounded up to what rsync writes at a time; whole files are 256 times that. */
const SPARSE_BLOCKS_MAX = (8 * 64 * 1024) / 512;

/** Link counts of directories are each filesystem's own affair. */
function sameTrees(a: string, b: string): void {
  assert.equal(diffTrees(snapshotTree(a), snapshotTree(b), { directoryLinks: false }), []);
}

/** Blocks of 512 bytes that the sparse files of a tree occupy. */
function sparseBlocks(tree: string): number {
  return ['hole', 'islands'].reduce(
    (sum, name) => sum + fs.statSync(join(tree, 'sparse', name)).blocks,
    0,
  );
}

function source(program: ProgramMount): string {
  const tree = join(program.aside, 'source');
  makeOddTree(tree);
  return tree;
}

test('rsync -aHAX to the mount and back finds no difference by checksum', () =>
  withProgram(async (program) => {
    const tree = source(program);
    const there = join(program.mnt, 'there');
    const back = join(program.aside, 'back');
    await program.sh('rsync', [...RSYNC, `${tree}/`, there]);
    sameTrees(tree, there);
    assert.is(await program.sh('rsync', [...COMPARE, `${tree}/`, there]), '');
    await program.mount.remount();
    await program.sh('rsync', [...RSYNC, `${there}/`, back]);
    sameTrees(tree, back);
    assert.is(await program.sh('rsync', [...COMPARE, `${tree}/`, back]), '');
    assert.is(await program.sh('rsync', [...COMPARE, `${there}/`, back]), '');
    assert.ok(sparseBlocks(there) <= SPARSE_BLOCKS_MAX, `${sparseBlocks(there)} blocks`);
  }));

test('rsync on the mount sends what has changed, and deletes what has gone', () =>
  withProgram(async (program) => {
    const tree = source(program);
    const there = join(program.mnt, 'there');
    await program.sh('rsync', [...RSYNC, `${tree}/`, there]);
    await script(
      program,
      `rm -r names modes/*.d; mv deep deeper; echo more >> links/first
       setfacl -b acls/file; setfattr -x user.text xattrs/file; chmod 600 modes/755
       ln -f links/second sparse/empty; printf x | dd of=sparse/islands bs=1 seek=5000000 conv=notrunc status=none`,
      { cwd: tree },
    );
    await program.sh('rsync', [
      ...RSYNC,
      '--delete',
      '--inplace',
      '--no-whole-file',
      `${tree}/`,
      there,
    ]);
    sameTrees(tree, there);
    assert.is(await program.sh('rsync', [...COMPARE, `${tree}/`, there]), '');
  }));

test('tar --xattrs --acls --sparse to the mount and back', () =>
  withProgram(async (program) => {
    const tree = source(program);
    const there = join(program.mnt, 'there');
    const back = join(program.aside, 'back');
    for (const folder of [there, back]) fs.mkdirSync(folder);
    const pack = ['--format=posix', ...TAR, '-cf'];
    // To the mount: an archive is made on it and unpacked there; and back again.
    await program.sh('tar', [...pack, 'there.tar', '-C', tree, '.']);
    await program.sh('tar', [...TAR, '-xpf', 'there.tar', '-C', there]);
    sameTrees(tree, there);
    await program.sh('tar', [...TAR, '--compare', '-f', 'there.tar', '-C', there]);
    await program.sh('tar', [...pack, join(program.aside, 'back.tar'), '-C', there, '.']);
    await program.sh('tar', [...TAR, '-xpf', join(program.aside, 'back.tar'), '-C', back]);
    sameTrees(tree, back);
  }));

test('cp -a and cp --sparse=always to the mount and back', () =>
  withProgram(async (program) => {
    const tree = source(program);
    const there = join(program.mnt, 'there');
    const back = join(program.aside, 'back');
    await program.sh('cp', ['-a', tree, there]);
    sameTrees(tree, there);
    await program.sh('cp', ['-a', '--sparse=always', there, join(program.mnt, 'again')]);
    sameTrees(there, join(program.mnt, 'again'));
    await program.sh('cp', ['-a', there, back]);
    sameTrees(tree, back);
  }));

test.run();
