/** What ends at a mount, and what is busy: other filesystems, programs that run. */
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { exitOf } from '../support/processes.js';
import { type PosixCase, posix, posixAsRoot, posixAsync, withFile } from './case.js';
import { syncfs } from './libc.js';
import { bindMount, truncate, unmount } from './syscalls.js';
import { failsCleanly } from './unchanged.js';

/** A second mount in the case's directory: `real` is also at `view`. */
function withView(dir: string, use: (real: string, view: string) => void): void {
  const [real, view] = [join(dir, 'real'), join(dir, 'view')];
  for (const path of [real, view]) fs.mkdirSync(path);
  fs.writeFileSync(join(real, 'inside'), 'contents');
  fs.mkdirSync(join(real, 'sub'));
  fs.writeFileSync(join(dir, 'outside'), 'contents');
  bindMount(real, view);
  try {
    use(real, view);
  } finally {
    unmount(view);
  }
}

/** The tool that the cases run: a copy of sleep(1) on the filesystem. */
function copyProgram(dir: string): string {
  const path = join(dir, 'program');
  fs.copyFileSync('/bin/sleep', path);
  fs.chmodSync(path, 0o755);
  return path;
}

export const mounts: readonly PosixCase[] = [
  posixAsRoot('link and rename across mounts are EXDEV', (dir) =>
    withView(dir, (real, view) => {
      const outside = join(dir, 'outside');
      for (const call of [
        () => fs.linkSync(outside, join(view, 'new')),
        () => fs.linkSync(join(view, 'inside'), join(dir, 'new')),
        () => fs.renameSync(outside, join(view, 'new')),
        () => fs.renameSync(join(view, 'inside'), join(dir, 'new')),
        () => fs.renameSync(join(view, 'sub'), join(dir, 'new')),
        // Of one filesystem, but reached through another mount.
        () => fs.linkSync(join(real, 'inside'), join(view, 'second')),
      ]) {
        failsCleanly('EXDEV', dir, call);
      }
      failsCleanly('EXDEV', dir, () => fs.linkSync('/proc/version', join(dir, 'new')));
      failsCleanly('EXDEV', dir, () => fs.renameSync(outside, '/proc/new'));
    }),
  ),
  posixAsRoot('what is mounted on is EBUSY', (dir) =>
    withView(dir, (real, view) => {
      failsCleanly('EBUSY', dir, () => fs.rmdirSync(view));
      failsCleanly('EBUSY', dir, () => fs.renameSync(view, join(dir, 'new')));
      failsCleanly('EBUSY', dir, () => fs.renameSync(join(real, 'sub'), view));
    }),
  ),
  posixAsRoot('what changes through one mount shows through another', (dir) =>
    withView(dir, (real, view) => {
      fs.writeFileSync(join(view, 'inside'), 'changed');
      fs.chmodSync(join(view, 'inside'), 0o600);
      fs.renameSync(join(real, 'inside'), join(real, 'moved'));
      const { mode, size } = fs.statSync(join(view, 'moved'));
      assert.equal([mode & 0o777, size], [0o600, 7]);
    }),
  ),
  posixAsync('a program that runs is ETXTBSY to writers', async (dir) => {
    const path = copyProgram(dir);
    const child = spawn(path, ['1000'], { stdio: 'ignore', cwd: '/' });
    try {
      for (const call of [
        () => fs.openSync(path, 'r+'),
        () => fs.openSync(path, 'w'),
        () => fs.openSync(path, 'a'),
        () => truncate(path, 0),
      ]) {
        failsCleanly('ETXTBSY', dir, call);
      }
      // It can be replaced, as installers do.
      fs.copyFileSync(path, join(dir, 'new'));
      fs.renameSync(join(dir, 'new'), path);
      fs.unlinkSync(path);
    } finally {
      child.kill('SIGKILL');
      await exitOf(child);
    }
  }),
  posix('a program that is open for writing cannot be run', (dir) => {
    const path = copyProgram(dir);
    withFile(path, 'r+', () => {
      const { error } = spawnSync(path, ['0'], { cwd: '/' });
      assert.is(error !== undefined && 'code' in error && error.code, 'ETXTBSY');
    });
    assert.is(spawnSync(path, ['0'], { cwd: '/' }).status, 0);
  }),
  posix('a program without its execute bit, or without contents, does not run', (dir) => {
    const path = copyProgram(dir);
    fs.chmodSync(path, 0o644);
    const { error } = spawnSync(path, ['0'], { cwd: '/' });
    assert.is(error !== undefined && 'code' in error && error.code, 'EACCES');
  }),
  posix('writing beyond the limit of the process is EFBIG', (dir) => {
    const path = join(dir, 'file');
    const script = 'trap "" XFSZ; ulimit -f 1; dd if=/dev/zero of="$1" bs=4096 count=3 2>&1';
    const { status, stdout } = spawnSync('bash', ['-c', script, 'bash', path], {
      cwd: '/',
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    });
    assert.is.not(status, 0);
    assert.match(stdout.toString(), 'File too large');
    assert.ok(fs.statSync(path).size <= 4096);
  }),
  posix('syncfs, fsync and fdatasync work on everything that opens', (dir) => {
    fs.writeFileSync(join(dir, 'file'), 'contents');
    fs.mkdirSync(join(dir, 'sub'));
    for (const name of ['file', 'sub', '.']) {
      withFile(join(dir, name), 'r', (fd) => {
        fs.fsyncSync(fd);
        fs.fdatasyncSync(fd);
        syncfs(fd);
      });
    }
  }),
];
