/** How every system call that takes a path refuses a path that leads nowhere. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { asUser, exists, fails, type PosixCase, posixAsRoot } from './case.js';
import { LEAVES, make } from './kinds.js';
import { NAME_OPERATIONS, OPERATIONS, type PathOperation, prepare } from './operations.js';
import { bindMount, unmount } from './syscalls.js';
import { failsCleanly } from './unchanged.js';

const NAME_MAX = 255;
/** Longest path without its NUL. */
const PATH_MAX = 4095;
/** Symbolic links that one path may go through. */
const LINKS_MAX = 40;

/** A path to `name` in `dir` that is exactly `length` bytes long. */
function paddedPath(dir: string, name: string, length: number): string {
  const missing = length - Buffer.byteLength(dir) - 1 - name.length;
  const odd = missing % 2 === 1 ? '/' : '';
  return `${dir}/${odd}${'./'.repeat(Math.floor(missing / 2))}${name}`;
}

/** Puts `rule` to every operation, each in a directory of its own. */
function forEach(
  operations: readonly PathOperation[],
  rule: string,
  run: (operation: PathOperation, dir: string, other: string) => void,
): PosixCase[] {
  return operations.map((operation) =>
    posixAsRoot(`${operation.name}: ${rule}`, (dir) => {
      fs.mkdirSync(join(dir, 'fine'));
      run(operation, dir, join(dir, 'fine', 'other'));
    }),
  );
}

const MISSING_NAME = OPERATIONS.filter(({ wants }) => wants !== 'nothing');
const FOLLOWING = OPERATIONS.filter(({ follows }) => follows);
const CHANGING = OPERATIONS.filter(({ changes }) => changes);

function withOther({ wants }: PathOperation, other: string): void {
  if (wants === 'nothing') fs.writeFileSync(other, 'contents');
}

export const resolution: readonly PosixCase[] = [
  ...forEach(OPERATIONS, 'a missing directory on the way is ENOENT', (operation, dir, other) => {
    withOther(operation, other);
    failsCleanly('ENOENT', dir, () => operation.run(join(dir, 'missing', 'name'), other));
  }),
  ...forEach(MISSING_NAME, 'a missing name is ENOENT', (operation, dir, other) => {
    failsCleanly('ENOENT', dir, () => operation.run(join(dir, 'missing'), other));
  }),
  ...forEach(OPERATIONS, 'an empty path is ENOENT', (operation, dir, other) => {
    withOther(operation, other);
    failsCleanly('ENOENT', dir, () => operation.run('', other));
  }),
  ...forEach(OPERATIONS, 'what is no directory on the way is ENOTDIR', (operation, dir, other) => {
    withOther(operation, other);
    for (const kind of LEAVES) make(kind, join(dir, kind));
    for (const kind of LEAVES) {
      failsCleanly('ENOTDIR', dir, () => operation.run(join(dir, kind, 'name'), other));
    }
  }),
  ...forEach(OPERATIONS, 'a name of 256 bytes is ENAMETOOLONG', (operation, dir, other) => {
    withOther(operation, other);
    const long = 'n'.repeat(NAME_MAX + 1);
    failsCleanly('ENAMETOOLONG', dir, () => operation.run(join(dir, long), other));
    failsCleanly('ENAMETOOLONG', dir, () => operation.run(join(dir, long, 'name'), other));
  }),
  ...forEach(OPERATIONS, 'a name of 255 bytes works', (operation, dir, other) => {
    const path = join(dir, 'n'.repeat(NAME_MAX));
    prepare(operation, path, other);
    operation.run(path, other);
  }),
  ...forEach(OPERATIONS, 'a path of 4095 bytes works', (operation, dir, other) => {
    const path = paddedPath(dir, 'name', PATH_MAX);
    assert.is(path.length, PATH_MAX);
    prepare(operation, join(dir, 'name'), other);
    operation.run(path, other);
  }),
  ...forEach(OPERATIONS, 'a path of 4096 bytes is ENAMETOOLONG', (operation, dir, other) => {
    prepare(operation, join(dir, 'name'), other);
    const path = paddedPath(dir, 'name', PATH_MAX + 1);
    failsCleanly('ENAMETOOLONG', dir, () => operation.run(path, other));
  }),
  ...forEach(OPERATIONS, 'links in a circle on the way are ELOOP', (operation, dir, other) => {
    withOther(operation, other);
    fs.symlinkSync('two', join(dir, 'one'));
    fs.symlinkSync('one', join(dir, 'two'));
    failsCleanly('ELOOP', dir, () => operation.run(join(dir, 'one', 'name'), other));
  }),
  ...forEach(FOLLOWING, 'a link to itself at the end is ELOOP', (operation, dir, other) => {
    fs.symlinkSync('self', join(dir, 'self'));
    failsCleanly('ELOOP', dir, () => operation.run(join(dir, 'self'), other));
  }),
  ...forEach(OPERATIONS, 'a link on the way leads on', (operation, dir, other) => {
    fs.mkdirSync(join(dir, 'real'));
    fs.symlinkSync('fine/../real', join(dir, 'link'));
    prepare(operation, join(dir, 'real', 'name'), other);
    operation.run(join(dir, 'link', 'name'), other);
  }),
  ...forEach(
    FOLLOWING.filter(({ wants }) => wants !== 'nothing'),
    'a link at the end is followed, one that dangles is ENOENT',
    (operation, dir, other) => {
      fs.symlinkSync('name', join(dir, 'link'));
      failsCleanly('ENOENT', dir, () => operation.run(join(dir, 'link'), other));
      prepare(operation, join(dir, 'name'), other);
      operation.run(join(dir, 'link'), other);
    },
  ),
  ...forEach(
    OPERATIONS,
    'a directory on the way that may not be searched is EACCES',
    (operation, dir, other) => {
      fs.mkdirSync(join(dir, 'closed'));
      fs.mkdirSync(join(dir, 'closed', 'open'));
      prepare(operation, join(dir, 'closed', 'open', 'name'), other);
      fs.chmodSync(join(dir, 'closed'), 0o766);
      for (const path of ['open/name', 'missing']) {
        failsCleanly('EACCES', dir, () =>
          asUser(() => operation.run(join(dir, 'closed', path), other)),
        );
      }
    },
  ),
  ...forEach(
    NAME_OPERATIONS,
    'needs to write and search the directory',
    (operation, dir, other) => {
      const closed = join(dir, 'closed');
      const path = join(closed, 'name');
      fs.mkdirSync(closed);
      prepare(operation, path, other);
      // Whatever stands at one of the two paths belongs to the user.
      for (const own of [path, other]) if (exists(own)) fs.lchownSync(own, 12_345, 23_456);
      fs.chmodSync(join(dir, 'fine'), 0o777);
      for (const mode of [0o755, 0o766, 0o744]) {
        fs.chmodSync(closed, mode);
        failsCleanly('EACCES', dir, () => asUser(() => operation.run(path, other)));
      }
      fs.chmodSync(closed, 0o703);
      asUser(() => operation.run(path, other));
    },
  ),
  ...forEach(CHANGING, 'on a read-only mount is EROFS', (operation, dir) => {
    const [real, view] = [join(dir, 'real'), join(dir, 'view')];
    for (const path of [real, view]) fs.mkdirSync(path);
    prepare(operation, join(real, 'name'), join(real, 'other'));
    bindMount(real, view, true);
    try {
      failsCleanly('EROFS', real, () => operation.run(join(view, 'name'), join(view, 'other')));
    } finally {
      unmount(view);
    }
  }),
  posixAsRoot('a chain of 40 links is followed, of 41 is ELOOP', (dir) => {
    fs.writeFileSync(join(dir, 'link-0'), 'end');
    for (let i = 1; i <= LINKS_MAX + 1; i++)
      fs.symlinkSync(`link-${i - 1}`, join(dir, `link-${i}`));
    assert.is(fs.readFileSync(join(dir, `link-${LINKS_MAX}`), 'utf8'), 'end');
    fails('ELOOP', () => fs.readFileSync(join(dir, `link-${LINKS_MAX + 1}`)));
  }),
];
