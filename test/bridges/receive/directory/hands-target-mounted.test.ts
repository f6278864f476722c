/** Targets that are full, read-only, or have no extended attributes; and what is told of it. */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { identityIn } from '../../../../src/bridges/receive/directory/filesystem-identity.js';
import { openHands } from '../../../../src/bridges/receive/directory/hands.js';
import { parseIdMap } from '../../../../src/bridges/receive/directory/id-map.js';
import { ACCESS, aclOf } from '../../../support/acl.js';
import { runOk } from '../../../support/processes.js';
import {
  attributes,
  type Bench,
  contents,
  data,
  failureOf,
  isRoot,
  makeDirectory,
  makeFile,
} from './hands-fixture.js';

const TMPFS = ['-t', 'tmpfs', 'tmpfs'];

type Mounted = Pick<Bench, 'hands' | 'target'>;

/** With a target that is a filesystem of its own. */
async function withMounted(args: readonly string[], use: (bench: Mounted) => Promise<void>) {
  const folder = fs.mkdtempSync(join(tmpdir(), 'feedfs-hands-'));
  const [target, stateDirectory] = [join(folder, 'target'), join(folder, 'state')];
  for (const each of [target, stateDirectory]) fs.mkdirSync(each);
  const release = (): void => {
    spawnSync('umount', ['-l', target], { stdio: 'ignore' });
    fs.rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', release);
  try {
    await runOk('mount', [...args, target]);
    const hands = openHands({ target, stateDirectory, jobs: 1 });
    await use({ hands, target });
    await hands.close();
  } finally {
    process.off('exit', release);
    release();
  }
}

test('a target that is not there', () => {
  assert.throws(
    () => openHands({ target: '/nowhere/at/all', stateDirectory: tmpdir(), jobs: 1 }),
    /ENOENT.*\/nowhere\/at\/all/,
  );
});

if (isRoot) {
  test('a full target', () =>
    withMounted(['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs'], async ({ hands }) => {
      await hands.inOrder([makeDirectory('d'), makeFile('d/f')]);
      const parts = [data(0, Buffer.alloc(1024 * 1024))];
      for (const step of [
        contents('d/f', { parts }),
        makeFile('d/f', 'x'.repeat(1024 * 1024), { replace: true }),
      ]) {
        const error = await failureOf(hands.inOrder([step]));
        assert.is(error.code, 'ENOSPC');
        assert.match(error.message, /^d\/f: .*the target is full: make room there/);
      }
    }));

  test('a target without room for another file', () =>
    withMounted(['-t', 'tmpfs', '-o', 'nr_inodes=3', 'tmpfs'], async ({ hands }) => {
      await hands.inOrder([makeFile('a'), makeFile('b')]);
      const error = await failureOf(hands.inOrder([makeFile('c')]));
      assert.match(error.message, /^c: making it: the target is full/);
    }));

  test('a read-only target', () =>
    withMounted(['-t', 'tmpfs', 'tmpfs'], async ({ hands, target }) => {
      await hands.inOrder([makeFile('f', 'x')]);
      await runOk('mount', ['-o', 'remount,ro', target]);
      for (const step of [
        makeFile('g'),
        contents('f', { size: 3 }),
        attributes('f', { attributes: { mode: 0o600 } }),
        attributes('f', { attributes: { uid: 7 } }),
        attributes('f', { attributes: { mtime: { sec: 1, nsec: 1 } } }),
        attributes('f', { xattrs: [{ name: 'user.a', value: Buffer.from('A') }] }),
      ]) {
        const error = await failureOf(hands.inOrder([step]));
        assert.is(error.code, 'EROFS', step.do);
        assert.match(error.message, /mounted read-only: remount it/);
      }
      assert.is(hands.shortfalls.count, 0);
      await runOk('mount', ['-o', 'remount,rw', target]);
    }));

  test('a target without extended attributes', () =>
    withMounted(['-t', 'ramfs', 'ramfs'], async ({ hands, target }) => {
      const list = aclOf('u::rw-', 'u:7:rw-', 'g::r--', 'm::rw-', 'o::---');
      await hands.inOrder([
        makeFile('f', 'x', {
          attributes: { mode: 0o660 },
          xattrs: [
            { name: 'user.a', value: Buffer.from('A') },
            { name: ACCESS, value: list },
          ],
        }),
        makeDirectory('d', { xattrs: [{ name: 'trusted.t', value: Buffer.from('T') }] }),
        attributes('f', { xattrs: [{ name: 'user.a', value: undefined }], exactXattrs: true }),
      ]);
      const told = hands.shortfalls.first.map(({ what, path, detail }) => [what, path, detail]);
      assert.equal(told, [
        ['xattr', 'f', 'user.a'],
        ['xattr', 'f', ACCESS],
        ['xattr', 'd', 'trusted.t'],
      ]);
      // The group has what the list gave it, not what its mask allowed to others.
      const modeOf = (name: string): number => fs.statSync(`${target}/${name}`).mode & 0o7777;
      assert.is(modeOf('f'), 0o640);
      // A list that comes alone narrows what is there.
      const kept = aclOf('u::rw-', 'u:7:---', 'g::r--', 'm::r--', 'o::r--');
      await hands.inOrder([
        makeFile('g', 'x', { attributes: { mode: 0o664 } }),
        attributes('g', { xattrs: [{ name: ACCESS, value: kept }] }),
      ]);
      assert.is(modeOf('g'), 0o600);
      // A mode that comes alone is that of an object without a list,
      await hands.inOrder([attributes('g', { attributes: { mode: 0o664 } })]);
      assert.is(modeOf('g'), 0o664);
      // but where set-id bits are lost: that happens to those with a list, too.
      await hands.inOrder([
        makeFile('s', 'x', {
          attributes: { mode: 0o4770, uid: 12, gid: 34 },
          xattrs: [
            { name: ACCESS, value: aclOf('u::rwx', 'u:7:rwx', 'g::---', 'm::rwx', 'o::---') },
          ],
        }),
      ]);
      assert.is(modeOf('s'), 0o4700);
      await hands.inOrder([attributes('s', { attributes: { mode: 0o770 } })]);
      assert.is(modeOf('s'), 0o700);
      assert.equal(hands.shortfalls.first.at(-1), {
        what: 'mode',
        path: 's',
        detail: '0770',
        errno: 95,
      });
    }));
}

test('mappings of ids as they are written', () => {
  assert.equal(
    parseIdMap(['1000:2000', '0:65534']),
    new Map([
      [1000, 2000],
      [0, 65534],
    ]),
  );
  assert.equal(parseIdMap([]), new Map());
  for (const wrong of [
    '1000',
    '1:',
    ':1',
    'a:b',
    '1:2:3',
    '-1:2',
    '4294967295:1',
    '1:4294967295',
  ]) {
    assert.equal(parseIdMap(['5:6', wrong]), { wrong }, wrong);
  }
  assert.equal(parseIdMap(['1:2', '1:3']), { wrong: '1:3' });
});

test('each filesystem has its own name, which is the same wherever it is mounted', async () => {
  if (!isRoot) return;
  const names: (string | undefined)[] = [];
  for (let i = 0; i < 2; i++) {
    await withMounted(TMPFS, async ({ hands, target }) => {
      const state = fs.mkdtempSync(join(tmpdir(), 'feedfs-hands-'));
      const elsewhere = fs.mkdtempSync(join(tmpdir(), 'feedfs-hands-'));
      await runOk('mount', ['--bind', target, elsewhere]);
      const others = openHands({ target: elsewhere, stateDirectory: state, jobs: 1 });
      const name = others.filesystem;
      await others.close();
      await runOk('umount', [elsewhere]);
      for (const each of [state, elsewhere]) fs.rmSync(each, { recursive: true });
      assert.is(hands.filesystem, name);
      names.push(name);
    });
  }
  // Older kernels give a tmpfs no name.
  const [first, second] = names;
  assert.ok(first === undefined || first !== second);
});

test('the number of a device is no name', () => {
  const bytes = (id: bigint): Buffer => {
    const statvfs = Buffer.alloc(112);
    statvfs.writeBigUInt64LE(id, 64);
    return statvfs;
  };
  assert.is(identityIn(bytes(0n), 7n), undefined);
  assert.is(identityIn(bytes(7n), 7n), undefined);
  assert.is(identityIn(bytes(0xabcn), 7n), '0000000000000abc');
});

test.run();
