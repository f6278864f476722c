/** Each kind of step, on a disk and on a tmpfs, and in kernels without openat2(2). */
import * as fs from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFSOCK,
} from '../../../../src/base/mode.js';
import {
  aside,
  at,
  attributes,
  type Bench,
  below,
  DISKS,
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

function modeOf(path: string | Buffer): number {
  return fs.lstatSync(path).mode & 0o7777;
}

function inodeOf(path: string): number {
  return fs.lstatSync(path).ino;
}

const KINDS = DISKS.flatMap((disk) => [
  { disk, walk: false, named: `on ${disk}` },
  { disk, walk: true, named: `on ${disk}, without openat2` },
]);

for (const { disk, walk, named } of KINDS) {
  const check = (name: string, use: (bench: Bench) => Promise<void>): void => {
    test(`${name}, ${named}`, () =>
      withHands({ disk, walk }, async (bench) => {
        await use(bench);
        // Nothing here is more than root may do.
        if (isRoot) assert.equal(bench.hands.shortfalls.first, []);
      }));
  };

  check('files, directories and symlinks are made', async ({ hands, target }) => {
    const steps = [
      makeDirectory('d', { attributes: { mode: 0o2750 } }),
      makeFile('d/f', 'hello', { attributes: { mode: 0o4711 } }),
      makeFile('d/empty'),
      makeSymlink('d/s', '/anything at all'),
    ];
    const made = await hands.inOrder(steps);
    assert.equal(
      made,
      steps.map((step) => ({ fid: step.fid, inode: inodeOf(`${target}/${name(step.at)}`) })),
    );
    assert.is(modeOf(`${target}/d`), 0o2750);
    assert.is(modeOf(`${target}/d/f`), 0o4711 & (isRoot ? 0o7777 : 0o777));
    assert.is(fs.readFileSync(`${target}/d/f`, 'utf8'), 'hello');
    assert.is(fs.readlinkSync(`${target}/d/s`), '/anything at all');
  });

  check('a file ends in a hole where the contents end before the size', async (bench) => {
    const size = 10 * 1024 * 1024;
    await bench.hands.inOrder([makeFile('f', 'start', { size })]);
    const stat = fs.statSync(`${bench.target}/f`);
    assert.is(stat.size, size);
    assert.ok(stat.blocks * 512 < size / 100);
    assert.is(fs.readFileSync(`${bench.target}/f`).subarray(0, 6).toString(), 'start\0');
  });

  check('times before 1970, to the nanosecond', async ({ hands, target }) => {
    const atime = { sec: -100, nsec: 999_999_999 };
    const mtime = { sec: -2_000_000_000, nsec: 1 };
    const times = { atime, mtime };
    await hands.inOrder([
      makeFile('f', 'x', { attributes: { mode: 0o600, ...times } }),
      makeSymlink('s', 'x', { attributes: times }),
      make('p', S_IFIFO, { attributes: times }),
      makeDirectory('d'),
      attributes('d', { type: S_IFDIR, attributes: times }),
    ]);
    for (const each of ['f', 's', 'p', 'd']) {
      const stat = fs.lstatSync(`${target}/${each}`, { bigint: true });
      assert.is(stat.atimeNs, -99_000_000_001n, each);
      assert.is(stat.mtimeNs, -1_999_999_999_999_999_999n, each);
    }
  });

  check('one time is set and the other stays', async ({ hands, target }) => {
    const times = { atime: { sec: 1, nsec: 2 }, mtime: { sec: 3, nsec: 4 } };
    await hands.inOrder([
      makeFile('f', 'x', { attributes: { mode: 0o600, ...times } }),
      attributes('f', { attributes: { mtime: { sec: 5, nsec: 6 } } }),
    ]);
    const stat = fs.lstatSync(`${target}/f`, { bigint: true });
    assert.equal([stat.atimeNs, stat.mtimeNs], [1_000_000_002n, 5_000_000_006n]);
  });

  check('every byte that a name can have', async ({ hands, target }) => {
    const bytes = Array.from({ length: 255 }, (_, i) => String.fromCharCode(i + 1)).join('');
    const long = bytes.replace('/', '');
    await hands.inOrder([
      makeDirectory(long.slice(0, 120)),
      makeFile(`${long.slice(0, 120)}/${long}`, 'all'),
      rename(`${long.slice(0, 120)}/${long}`, `${long.slice(100)}`),
    ]);
    assert.is(fs.readFileSync(below(target, long.slice(100)), 'utf8'), 'all');
    assert.is(hands.look(at(long.slice(100)))?.type, 0o100000);
  });

  check('FIFOs and sockets, and devices where we may', async ({ hands, target }) => {
    const steps = [
      make('p', S_IFIFO, { attributes: { mode: 0o640 } }),
      make('s', S_IFSOCK, { attributes: { mode: 0o604 } }),
      make('c', S_IFCHR, { attributes: { mode: 0o666 }, rdev: (1 << 8) | 3 }),
      make('b', S_IFBLK, { attributes: { mode: 0o660 }, rdev: (259 << 8) | (0x1234 << 12) | 7 }),
    ];
    const made = await hands.inOrder(steps);
    const types = (names: readonly string[]): number[] =>
      names.map((each) => fs.lstatSync(`${target}/${each}`).mode);
    assert.equal(types(['p', 's']), [S_IFIFO | 0o640, S_IFSOCK | 0o604]);
    if (isRoot) {
      assert.equal(types(['c', 'b']), [S_IFCHR | 0o666, S_IFBLK | 0o660]);
      assert.is(fs.lstatSync(`${target}/c`).rdev, (1 << 8) | 3);
      assert.is(fs.lstatSync(`${target}/b`).rdev, (259 << 8) | (0x1234 << 12) | 7);
      assert.is(hands.shortfalls.count, 0);
    } else {
      assert.equal(
        made.map(({ inode }) => inode > 0),
        [true, true, false, false],
      );
      assert.is(hands.shortfalls.count, 2);
    }
  });

  check('renames, of trees and into the limbo and back', async ({ hands, target }) => {
    const [made] = await hands.inOrder([
      makeDirectory('a'),
      makeDirectory('b'),
      makeFile('a/f', 'f'),
      makeFile('b/f', 'g'),
    ]);
    await hands.inOrder([
      rename('a', aside('[0x1]'), { type: S_IFDIR }),
      rename('b', 'a', { type: S_IFDIR }),
      rename(aside('[0x1]'), 'b', { type: S_IFDIR }),
    ]);
    assert.is(inodeOf(`${target}/b`), made?.inode);
    assert.is(fs.readFileSync(`${target}/b/f`, 'utf8'), 'f');
    assert.is(fs.readFileSync(`${target}/a/f`, 'utf8'), 'g');
  });

  check('what lies in a directory in the limbo', async ({ hands, target }) => {
    await hands.inOrder([
      makeDirectory('a'),
      makeDirectory('a/sub'),
      makeFile('a/sub/f', 'f'),
      rename('a', aside('[0x1]'), { type: S_IFDIR }),
      rename({ ...at('f'), directory: '/[0x1]/sub' }, 'f'),
    ]);
    assert.is(fs.readFileSync(`${target}/f`, 'utf8'), 'f');
    assert.is(hands.look(aside('[0x1]'))?.type, S_IFDIR);
    assert.is(hands.look({ ...at('sub'), directory: '/[0x1]' })?.type, S_IFDIR);
    assert.is(hands.look({ ...at('f'), directory: '/[0x1]/sub' }), undefined);
  });

  check('a rename goes over the file that is to go, and over no other', async (bench) => {
    const { hands, target } = bench;
    const [a, b] = [makeFile('a', 'a'), makeFile('b', 'b')];
    await hands.inOrder([a, b]);
    const error = await failureOf(hands.inOrder([rename('a', 'b')]));
    assert.is(error.code, 'EEXIST');
    assert.match(error.message, /^b: .*changed by others/);
    await hands.inOrder([rename('a', 'b', { over: b.fid })]);
    assert.equal(fs.readdirSync(target), ['b']);
    assert.is(fs.readFileSync(`${target}/b`, 'utf8'), 'a');
  });

  check('a rename over another name of the same file leaves one', async ({ hands, target }) => {
    const file = makeFile('a', 'a');
    await hands.inOrder([file, link('a', 'b')]);
    await hands.inOrder([rename('a', 'b', { fid: file.fid, over: file.fid })]);
    assert.equal(fs.readdirSync(target), ['b']);
  });

  check('links; one that is there already is no failure', async ({ hands, target }) => {
    await hands.inOrder([makeFile('a'), makeSymlink('s', 'x'), link('a', 'b'), link('s', 't')]);
    await hands.inOrder([link('a', 'b')]);
    assert.is(inodeOf(`${target}/a`), inodeOf(`${target}/b`));
    assert.is(fs.readlinkSync(`${target}/t`), 'x');
    assert.is((await failureOf(hands.inOrder([link('a', 's')]))).code, 'EEXIST');
  });

  check('removals; what is gone is no failure, what is not empty is', async (bench) => {
    const { hands, target } = bench;
    await hands.inOrder([makeDirectory('d'), makeFile('d/f'), makeFile('g')]);
    const error = await failureOf(hands.inOrder([remove('d', S_IFDIR)]));
    assert.is(error.code, 'ENOTEMPTY');
    assert.match(error.message, /^d: .*source has not/);
    await hands.inOrder([remove('d/f'), remove('d', S_IFDIR), remove('d', S_IFDIR), remove('g')]);
    assert.equal(fs.readdirSync(target), []);
  });

  check('make replaces only what it is told to', async ({ hands, target }) => {
    await hands.inOrder([makeFile('f', 'old'), makeDirectory('d'), makeFile('d/kept')]);
    assert.is((await failureOf(hands.inOrder([makeFile('f', 'new')]))).code, 'EEXIST');
    assert.is((await failureOf(hands.inOrder([makeDirectory('d')]))).code, 'EEXIST');
    assert.is(fs.readFileSync(`${target}/f`, 'utf8'), 'old');
    await hands.inOrder([
      makeFile('f', 'new', { replace: true }),
      makeDirectory('d', { replace: true, attributes: { mode: 0o700 } }),
    ]);
    assert.is(fs.readFileSync(`${target}/f`, 'utf8'), 'new');
    assert.equal([fs.readdirSync(`${target}/d`), modeOf(`${target}/d`)], [['kept'], 0o700]);
    await hands.inOrder([
      makeSymlink('f', 'x', { replace: true }),
      make('p', S_IFIFO, { replace: true }),
      makeDirectory('p', { replace: true }),
    ]);
    assert.is(fs.readlinkSync(`${target}/f`), 'x');
    assert.is(fs.lstatSync(`${target}/p`).mode & S_IFMT, S_IFDIR);
    const over = await failureOf(hands.inOrder([makeFile('d', 'file', { replace: true })]));
    assert.is(over.code, 'EISDIR');
  });

  check('what is found at a place', async ({ hands, target }) => {
    await hands.inOrder([makeDirectory('d'), makeSymlink('d/s', '/')]);
    assert.equal(hands.look(at('')), { inode: inodeOf(target), type: S_IFDIR });
    assert.equal(hands.look(at('d/s')), { inode: inodeOf(`${target}/d/s`), type: S_IFLNK });
    for (const absent of ['x', 'x/y', 'd/x']) assert.is(hands.look(at(absent)), undefined, absent);
    assert.is(hands.look(aside('[0x1]')), undefined);
    await hands.flush();
  });

  check('a path that is longer than a system call takes', async ({ hands, target }) => {
    const names = Array.from({ length: 25 }, (_, i) => `${i}-${'n'.repeat(240)}`);
    const paths = names.map((_, i) => names.slice(0, i + 1).join('/'));
    await hands.inOrder([
      ...paths.map((path) => makeDirectory(path)),
      makeFile(`${paths.at(-1)}/f`),
    ]);
    assert.is(hands.look(at(`${paths.at(-1)}/f`))?.type, 0o100000);
    await hands.inOrder([
      remove(`${paths.at(-1)}/f`),
      ...paths.reverse().map((path) => remove(path, S_IFDIR)),
    ]);
    assert.equal(fs.readdirSync(target), []);
  });
}

function name(place: { directory: string | undefined; name: string }): string {
  return place.directory === '' ? place.name : `${place.directory}/${place.name}`;
}

test.run();
