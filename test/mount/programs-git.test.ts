// test-timeout: 300 s
/** git at work on a repository of thousands of files on a mounted feedfs. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ProgramMount, withProgram } from '../programs/program-mount.js';

const FOLDERS = 60;
const FILES_PER_FOLDER = 50;
/** A file has this many lines at most, so that some are kept beside the inode and some are not. */
const LINES_MAX = 400;

/** Nothing of the machine's own configuration. */
const ENV = {
  ...process.env,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_AUTHOR_NAME: 'test',
  GIT_AUTHOR_EMAIL: 'test@localhost',
  GIT_COMMITTER_NAME: 'test',
  GIT_COMMITTER_EMAIL: 'test@localhost',
};

function git(program: ProgramMount, folder: string, ...args: string[]): Promise<string> {
  return program.sh('git', ['-c', 'safe.directory=*', '-c', 'gc.autoDetach=false', ...args], {
    cwd: join(program.mnt, folder),
    env: ENV,
  });
}

function writeFiles(root: string, revision: number): void {
  for (let folder = 0; folder < FOLDERS; folder++) {
    const path = join(root, `folder-${folder % 7}`, `part-${folder}`);
    fs.mkdirSync(path, { recursive: true });
    for (let file = 0; file < FILES_PER_FOLDER; file++) {
      const number = folder * FILES_PER_FOLDER + file;
      const lines = 1 + ((number * 37) % LINES_MAX);
      const text = `file ${number} in revision ${revision}\n`.repeat(lines);
      fs.writeFileSync(join(path, `file-${file}.txt`), text, {
        mode: number % 10 === 0 ? 0o755 : 0o644,
      });
    }
  }
}

test('git init, commit, branch, merge, clone, gc and fsck of 3,000 files', () =>
  withProgram(async (program) => {
    const { mnt } = program;
    fs.mkdirSync(join(mnt, 'origin'));
    const origin = (...args: string[]) => git(program, 'origin', ...args);
    await origin('init', '-q', '-b', 'main', '.');
    writeFiles(join(mnt, 'origin'), 1);
    await origin('add', '.');
    await origin('commit', '-qm', 'first');
    await origin('checkout', '-qb', 'other');
    fs.rmSync(join(mnt, 'origin', 'folder-3'), { recursive: true });
    fs.renameSync(join(mnt, 'origin', 'folder-4'), join(mnt, 'origin', 'renamed'));
    await origin('add', '-A');
    await origin('commit', '-qm', 'second');
    await origin('checkout', '-q', 'main');
    await origin('merge', '-q', '--no-ff', '-m', 'merge', 'other');

    // A clone by path shares objects by hard links; one by URL has a pack of its own.
    await git(program, '.', 'clone', '-q', '--bare', join(mnt, 'origin'), 'linked.git');
    await git(program, '.', 'clone', '-q', `file://${join(mnt, 'origin')}`, 'packed');
    await origin('gc', '-q', '--prune=now');
    await checkRepositories(program);
    await program.mount.remount();
    await checkRepositories(program);
    await program.sh('diff', ['-r', '--exclude=.git', 'origin', 'packed']);
  }));

async function checkRepositories(program: ProgramMount): Promise<void> {
  await git(program, 'linked.git', 'fsck', '--strict', '--full');
  for (const clone of ['origin', 'packed']) {
    await git(program, clone, 'fsck', '--strict', '--full');
    assert.is(await git(program, clone, 'status', '--porcelain'), '', clone);
    assert.is((await git(program, clone, 'ls-files')).split('\n').length - 1, trackedFiles());
  }
}

/** What is left once folder-3 has gone. */
function trackedFiles(): number {
  const gone = Array.from({ length: FOLDERS }, (_, i) => i).filter((i) => i % 7 === 3).length;
  return (FOLDERS - gone) * FILES_PER_FOLDER;
}

test.run();
