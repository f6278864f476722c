/** Which of owner, group and others someone is, and what the bits then permit. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { as, type PosixCase, posixAsRoot, withFile } from './case.js';
import * as libc from './libc.js';
import * as more from './syscalls.js';
import { failsCleanly } from './unchanged.js';
import { ALICE, BOB, STAFF } from './users.js';

const { R_OK, W_OK, X_OK, O_RDONLY, O_RDWR, O_WRONLY, O_TRUNC, O_CREAT, O_APPEND } = fs.constants;
const [READ, WRITE, EXECUTE] = [4, 2, 1];
const VALUE = Buffer.from('value');

interface Class {
  readonly name: string;
  readonly owner: number;
  readonly group: number;
  /** Places of the class's three bits in a mode. */
  readonly shift: number;
}

/** What Alice can be to an object. */
const CLASSES: readonly Class[] = [
  { name: 'the owner', owner: ALICE.uid, group: BOB.gid, shift: 6 },
  { name: 'the group', owner: BOB.uid, group: ALICE.gid, shift: 3 },
  { name: 'a supplementary group', owner: BOB.uid, group: STAFF, shift: 3 },
  { name: 'the others', owner: BOB.uid, group: 40_004, shift: 0 },
];

/** Runs a call of Alice's that must work, or fail with EACCES and change nothing. */
function expectAccess(allowed: boolean, dir: string, call: () => unknown): void {
  if (allowed) as(ALICE, call);
  else failsCleanly('EACCES', dir, () => as(ALICE, call));
}

/** For each class and each of its eight modes; the bits of all other classes say the opposite. */
function forEachMode(
  what: string,
  run: (dir: string, path: string, bits: number) => void,
  makeIt: (path: string) => void,
): PosixCase[] {
  return CLASSES.flatMap(({ name, owner, group, shift }) =>
    [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => {
      const opposite = (7 ^ bits) * 0o111;
      const full = (opposite & ~(7 << shift)) | (bits << shift);
      const title = `${what} of mode ${full.toString(8).padStart(3, '0')} for ${name}`;
      return posixAsRoot(title, (dir) => {
        const path = join(dir, 'object');
        makeIt(path);
        fs.chownSync(path, owner, group);
        fs.chmodSync(path, full);
        run(dir, path, bits);
      });
    }),
  );
}

function openAndClose(path: string, flags: number): void {
  fs.closeSync(fs.openSync(path, flags));
}

function fileAccess(dir: string, path: string, bits: number): void {
  const [read, write, execute] = [READ, WRITE, EXECUTE].map((bit) => (bits & bit) !== 0);
  const expect = (allowed: boolean | undefined, call: () => unknown) =>
    expectAccess(allowed === true, dir, call);
  expect(read, () => openAndClose(path, O_RDONLY));
  expect(write, () => openAndClose(path, O_WRONLY));
  expect(write, () => openAndClose(path, O_WRONLY | O_APPEND));
  expect(write, () => openAndClose(path, O_WRONLY | O_CREAT));
  expect(read && write, () => openAndClose(path, O_RDWR));
  expect(read && write, () => openAndClose(path, O_RDONLY | O_TRUNC));
  expect(write, () => more.truncate(path, 3));
  expect(read, () => more.faccessat(path, R_OK));
  expect(write, () => more.faccessat(path, W_OK));
  expect(execute, () => more.faccessat(path, X_OK));
  expect(write, () => libc.setxattr(path, 'user.new', VALUE));
  expect(read, () => libc.xattrLength(path, 'user.old'));
  expect(write, () => libc.removexattr(path, 'user.old'));
}

function directoryAccess(dir: string, path: string, bits: number): void {
  const [read, write, search] = [READ, WRITE, EXECUTE].map((bit) => (bits & bit) !== 0);
  const expect = (allowed: boolean | undefined, call: () => unknown) =>
    expectAccess(allowed === true, dir, call);
  expect(read, () => fs.readdirSync(path));
  expect(search, () => fs.lstatSync(join(path, 'old')));
  expect(search, () => withFile(join(path, 'old'), O_WRONLY | O_CREAT, () => {}));
  expect(write && search, () => fs.mkdirSync(join(path, 'new')));
  expect(write && search, () => fs.rmdirSync(join(path, 'empty')));
  expect(write && search, () => fs.renameSync(join(path, 'old'), join(path, 'moved')));
}

export const permissions: readonly PosixCase[] = [
  ...forEachMode('a file', fileAccess, (path) => {
    fs.writeFileSync(path, 'contents');
    libc.setxattr(path, 'user.old', VALUE);
  }),
  ...forEachMode('a directory', directoryAccess, (path) => {
    fs.mkdirSync(path);
    fs.mkdirSync(join(path, 'empty'));
    fs.writeFileSync(join(path, 'old'), '', { mode: 0o666 });
    fs.chmodSync(join(path, 'old'), 0o666);
  }),
  posixAsRoot('root reads and writes everything, executes what anyone may', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'contents', { mode: 0 });
    fs.mkdirSync(join(dir, 'sub'), 0);
    openAndClose(path, O_RDWR);
    fs.writeFileSync(join(dir, 'sub', 'new'), '');
    failsCleanly('EACCES', dir, () => more.faccessat(path, X_OK));
    fs.chmodSync(path, 0o010);
    more.faccessat(path, X_OK);
  }),
  posixAsRoot('a descriptor keeps the rights that it was opened with', (dir) => {
    const path = join(dir, 'file');
    fs.writeFileSync(path, 'contents');
    fs.chownSync(path, ALICE.uid, ALICE.gid);
    as(ALICE, () =>
      withFile(path, 'r+', (fd) => {
        fs.chmodSync(path, 0);
        fs.writeSync(fd, 'more', 0);
        fs.ftruncateSync(fd, 4);
        fs.readSync(fd, Buffer.alloc(4), 0, 4, 0);
        failsCleanly('EACCES', dir, () => openAndClose(path, O_RDONLY));
      }),
    );
  }),
  posixAsRoot('moving a directory to another parent needs to write the directory', (dir) => {
    for (const name of ['from', 'to']) {
      fs.mkdirSync(join(dir, name));
      fs.chmodSync(join(dir, name), 0o777);
    }
    const path = join(dir, 'from', 'moved');
    fs.mkdirSync(path, 0o755);
    fs.writeFileSync(join(path, 'file'), '');
    failsCleanly('EACCES', dir, () => as(BOB, () => fs.renameSync(path, join(dir, 'to', 'moved'))));
    as(BOB, () => fs.renameSync(path, join(dir, 'from', 'renamed')));
    fs.chmodSync(join(dir, 'from', 'renamed'), 0o757);
    as(BOB, () => fs.renameSync(join(dir, 'from', 'renamed'), join(dir, 'to', 'moved')));
  }),
];
