/** Ordinary programs at work on a mounted feedfs. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { withMount } from '../support/mount.js';
import { run, runOk } from '../support/processes.js';
import { projectRoot } from '../support/project-root.js';

const TREE = ['src', 'test', 'scripts'];

test('cp -a, diff -r, mv, rm -r', () =>
  withMount(async (mount) => {
    const root = projectRoot();
    for (const tree of TREE) {
      await runOk('cp', ['-a', join(root, tree), mount.mnt]);
      await runOk('diff', ['-r', join(root, tree), join(mount.mnt, tree)]);
    }
    await runOk('mv', [join(mount.mnt, 'src'), join(mount.mnt, 'moved')]);
    await runOk('diff', ['-r', join(root, 'src'), join(mount.mnt, 'moved')]);
    await runOk('sh', ['-c', 'rm -r *'], { cwd: mount.mnt });
    assert.equal(fs.readdirSync(mount.mnt), []);
  }));

test('tar packs and unpacks with owners, modes and nanoseconds', () =>
  withMount(async (mount) => {
    const root = projectRoot();
    await runOk(
      'sh',
      ['-c', `tar --format=posix -C '${root}' -cf all.tar src && tar -xf all.tar`],
      {
        cwd: mount.mnt,
      },
    );
    await runOk('tar', ['-C', mount.mnt, '-df', join(mount.mnt, 'all.tar')]);
  }));

test('git makes a repository, commits and checks it', () =>
  withMount(async (mount) => {
    const identity = ['-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'safe.directory=*'];
    const git = (...args: string[]) => runOk('git', [...identity, ...args], { cwd: mount.mnt });
    await git('init', '-q', '.');
    await runOk('cp', ['-r', join(projectRoot(), 'src'), mount.mnt]);
    await git('add', '.');
    await git('commit', '-qm', 'all');
    await git('gc', '-q');
    await git('fsck', '--strict');
    await mount.remount();
    assert.is(await git('status', '--porcelain'), '');
  }));

test('getfattr and setfattr', () =>
  withMount(async (mount) => {
    const file = join(mount.mnt, 'file');
    fs.writeFileSync(file, '');
    await runOk('setfattr', ['-n', 'user.colour', '-v', 'blue', file]);
    assert.match(await runOk('getfattr', ['-d', '--absolute-names', file]), /user\.colour="blue"/);
    const missing = await run('getfattr', ['-n', 'user.none', file]);
    assert.match(missing.stderr, /No such attribute/);
  }));

test('a program compiled to a file on it runs from it', () =>
  withMount(async (mount) => {
    fs.copyFileSync('/bin/echo', join(mount.mnt, 'echo'));
    fs.chmodSync(join(mount.mnt, 'echo'), 0o755);
    assert.is(await runOk(join(mount.mnt, 'echo'), ['it runs']), 'it runs\n');
  }));

test('many processes make and remove the same names without confusion', () =>
  withMount(async (mount) => {
    const script =
      'for i in $(seq 200); do mkdir d 2>/dev/null; : > d/$1.$i; rm -rf d; done; exit 0';
    await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        run('sh', ['-c', script, 'sh', `${i}`], { cwd: mount.mnt }),
      ),
    );
    await runOk('rm', ['-rf', join(mount.mnt, 'd')]);
    assert.equal(fs.readdirSync(mount.mnt), []);
    assert.is(fs.statSync(mount.mnt).nlink, 2);
  }));

test.run();
