/** Owners, modes, extended attributes and access control lists, and in which order they are set. */
import * as fs from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../../src/base/assert.js';
import {
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
  S_IFSOCK,
} from '../../../../src/base/mode.js';
import type { StepXattr } from '../../../../src/bridges/receive/directory/steps.js';
import { ACCESS, aclOf, aclText, DEFAULT } from '../../../support/acl.js';
import {
  CAPABILITY,
  lgetxattr,
  llistxattr,
  lsetxattr,
  SystemCallError,
} from '../../../support/libc.js';
import {
  at,
  attributes,
  type Bench,
  contents,
  DISKS,
  data,
  failureOf,
  isRoot,
  make,
  makeDirectory,
  makeFile,
  makeSymlink,
  withHands,
} from './hands-fixture.js';

/** cap_net_bind_service, effective and permitted: struct vfs_cap_data of revision 2. */
const CAPABLE = Buffer.from('0100000200040000000000000000000000000000', 'hex');

function modeOf(path: string): number {
  return fs.lstatSync(path).mode & 0o7777;
}

function xattr(name: string, value: string | Uint8Array | undefined): StepXattr {
  return { name, value: value === undefined ? undefined : Buffer.from(value) };
}

/** Undefined if there is none. */
function xattrOf(path: string, name: string): Buffer | undefined {
  try {
    return lgetxattr(Buffer.from(path), Buffer.from(name, 'latin1'));
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === 61) return undefined;
    throw error;
  }
}

function namesOf(path: string): string[] {
  return llistxattr(Buffer.from(path))
    .map((name) => name.toString('latin1'))
    .filter((name) => name !== 'security.selinux')
    .sort();
}

for (const disk of DISKS) {
  const check = (name: string, use: (bench: Bench) => Promise<void>): void => {
    test(`${name}, on ${disk}`, () => withHands({ disk }, use));
  };

  check('extended attributes: set, changed, removed, exact', async ({ hands, target }) => {
    const odd = 'user.\x01\xfe odd';
    await hands.inOrder([
      makeFile('f', 'x', {
        xattrs: [xattr('user.a', 'A'), xattr(odd, Buffer.of(0, 255)), xattr('user.empty', '')],
      }),
      makeDirectory('d', { xattrs: [xattr('user.d', 'D'), xattr('user.e', 'E')] }),
    ]);
    const file = `${target}/f`;
    assert.equal(namesOf(file), [odd, 'user.a', 'user.empty'].sort());
    assert.is(`${xattrOf(file, odd)?.toString('hex')}`, '00ff');
    assert.is(xattrOf(file, 'user.empty')?.length, 0);
    await hands.inOrder([
      attributes('f', {
        xattrs: [
          xattr('user.a', 'new'),
          xattr('user.empty', undefined),
          xattr('user.no', undefined),
        ],
      }),
      attributes('d', { type: S_IFDIR, xattrs: [xattr('user.e', 'E')], exactXattrs: true }),
    ]);
    assert.equal([namesOf(file), namesOf(`${target}/d`)], [[odd, 'user.a'].sort(), ['user.e']]);
    assert.is(`${xattrOf(file, 'user.a')}`, 'new');
    assert.is(hands.shortfalls.count, 0);
  });

  check('access control lists go with their modes', async ({ hands, target }) => {
    const access = aclOf('u::rw-', 'u:7:rw-', 'g::r--', 'm::rw-', 'o::---');
    await hands.inOrder([
      makeFile('f', 'x', { attributes: { mode: 0o660 }, xattrs: [xattr(ACCESS, access)] }),
    ]);
    assert.equal(aclText(xattrOf(`${target}/f`, ACCESS) ?? Buffer.alloc(4)), aclText(access));
    assert.is(modeOf(`${target}/f`), 0o660);
    await hands.inOrder([
      attributes('f', { xattrs: [xattr(ACCESS, undefined)], attributes: { mode: 0o640 } }),
    ]);
    assert.equal([namesOf(`${target}/f`), modeOf(`${target}/f`)], [[], 0o640]);
  });

  check('what is made under a default ACL has what it was given, no more', async (bench) => {
    const { hands, target } = bench;
    const value = aclOf('u::rwx', 'u:7:rwx', 'g::r-x', 'm::rwx', 'o::---');
    const xattrs = [xattr(DEFAULT, value)];
    await hands.inOrder([
      makeDirectory('d', { xattrs }),
      makeFile('d/f', 'x'),
      makeDirectory('d/plain'),
      makeDirectory('d/with', { xattrs }),
      make('d/p', S_IFIFO, { attributes: { mode: 0o644 } }),
      makeSymlink('d/s', 'x'),
    ]);
    for (const each of ['f', 'plain', 'p', 's']) {
      assert.equal(namesOf(`${target}/d/${each}`), [], each);
    }
    assert.equal(namesOf(`${target}/d/with`), [DEFAULT]);
    assert.equal([modeOf(`${target}/d/f`), modeOf(`${target}/d/plain`)], [0o644, 0o755]);
    // The list comes and goes while the directory is known.
    await hands.inOrder([
      makeDirectory('e'),
      makeFile('e/before'),
      attributes('e', { type: S_IFDIR, xattrs }),
      makeFile('e/after'),
    ]);
    assert.equal([namesOf(`${target}/e/before`), namesOf(`${target}/e/after`)], [[], []]);
    assert.is(hands.shortfalls.count, 0);
  });

  check('a set-group-id directory hands nothing on', async ({ hands, target }) => {
    if (!isRoot) return;
    await hands.inOrder([
      makeDirectory('d', { attributes: { mode: 0o2755, gid: 1234 } }),
      makeDirectory('d/sub', { attributes: { mode: 0o755, gid: 0 } }),
      makeFile('d/f', '', { attributes: { mode: 0o644, uid: 0, gid: 0 } }),
    ]);
    const { gid } = fs.lstatSync(`${target}/d/f`);
    assert.equal([modeOf(`${target}/d/sub`), gid], [0o755, 0]);
  });

  check('links, devices, sockets and FIFOs with owners and attributes', async (bench) => {
    if (!isRoot) return;
    const { hands, target } = bench;
    const given = {
      attributes: { mode: 0o640, uid: 12, gid: 34 },
      xattrs: [xattr('trusted.t', 'T')],
    };
    await hands.inOrder([
      makeSymlink('link', 'nowhere', given),
      make('pipe', S_IFIFO, given),
      make('sock', S_IFSOCK, given),
      make('null', S_IFCHR, { ...given, rdev: 259 }),
    ]);
    for (const [name, type] of [
      ['link', S_IFLNK],
      ['pipe', S_IFIFO],
      ['sock', S_IFSOCK],
      ['null', S_IFCHR],
    ] as const) {
      const { uid, gid } = fs.lstatSync(`${target}/${name}`);
      assert.equal([uid, gid, `${xattrOf(`${target}/${name}`, 'trusted.t')}`], [12, 34, 'T'], name);
      const next = { uid: 56, mode: 0o600 };
      await hands.inOrder([attributes(name, { type, attributes: next, exactXattrs: true })]);
      assert.equal([fs.lstatSync(`${target}/${name}`).uid, namesOf(`${target}/${name}`)], [56, []]);
      if (type !== S_IFLNK) assert.is(modeOf(`${target}/${name}`), 0o600);
    }
    assert.is(hands.shortfalls.count, 0);
  });

  check(
    'set-id bits and capabilities survive owners, and are given back after contents',
    async (bench) => {
      if (!isRoot) return;
      const { hands, target } = bench;
      const capability = xattr(CAPABILITY, CAPABLE);
      await hands.inOrder([
        makeFile('f', 'x', {
          attributes: { mode: 0o6755, uid: 12, gid: 34 },
          xattrs: [capability],
        }),
      ]);
      const path = `${target}/f`;
      const isWhole = (what: string): void => {
        assert.is(modeOf(path), 0o6755, what);
        assert.equal(xattrOf(path, CAPABILITY), CAPABLE, what);
      };
      isWhole('made');
      await hands.inOrder([attributes('f', { attributes: { uid: 56 } })]);
      isWhole('given away');
      const kept = hands.kept(at('f'));
      await hands.inOrder([contents('f', { parts: [data(0, 'other')], cut: 0, size: 20 })]);
      assert.is(xattrOf(path, CAPABILITY), undefined, 'written');
      const { mode, capability: value } = must(kept, 'what it had');
      assert.is(mode, 0o6755);
      const again = { attributes: { mode }, xattrs: [xattr(CAPABILITY, value)], modeBefore: mode };
      await hands.inOrder([attributes('f', again)]);
      isWhole('given back');
      await hands.inOrder([
        attributes('f', { attributes: { uid: 0 }, xattrs: [xattr(CAPABILITY, undefined)] }),
      ]);
      assert.is(xattrOf(path, CAPABILITY), undefined);
    },
  );

  check('the largest value there is, or a shortfall where it does not fit', async (bench) => {
    const { hands, target } = bench;
    const large = Buffer.alloc(65_536, 7);
    await hands.inOrder([makeFile('f', 'x', { xattrs: [xattr('user.large', large)] })]);
    if (hands.shortfalls.count === 0) {
      assert.ok(xattrOf(`${target}/f`, 'user.large')?.equals(large));
      return;
    }
    const [{ what, path, detail } = {}] = hands.shortfalls.first;
    assert.equal([what, path, detail], ['xattr', 'f', 'user.large']);
    assert.equal(namesOf(`${target}/f`), []);
  });

  check('attributes that belong to the machine stay', async ({ hands, target }) => {
    if (!isRoot) return;
    await hands.inOrder([makeFile('f', 'x', { xattrs: [xattr('user.a', 'A')] })]);
    const path = Buffer.from(`${target}/f`);
    const own = ['security.machine', 'trusted.lov', 'trusted.overlay.opaque'];
    for (const name of own) lsetxattr(path, Buffer.from(name), Buffer.from('m'), 0);
    await hands.inOrder([attributes('f', { exactXattrs: true })]);
    assert.equal(namesOf(`${target}/f`), own);
  });

  check('ids are mapped, of owners and in lists', async ({ reopen, target }) => {
    if (!isRoot) return;
    const hands = await reopen({
      mapUid: new Map([
        [12, 1012],
        [7, 1007],
      ]),
      mapGid: new Map([[34, 1034]]),
    });
    const list = aclOf('u::rwx', 'u:7:r--', 'u:8:r--', 'g::r--', 'g:34:rw-', 'm::rwx', 'o::---');
    await hands.inOrder([
      makeDirectory('d', {
        attributes: { mode: 0o770, uid: 12, gid: 34 },
        xattrs: [xattr(ACCESS, list), xattr(DEFAULT, list)],
      }),
      makeFile('f', '', { attributes: { mode: 0o4755, uid: 34, gid: 12 } }),
      attributes('f', { attributes: { uid: 12 } }),
    ]);
    const { uid, gid } = fs.lstatSync(`${target}/d`);
    assert.equal([uid, gid], [1012, 1034]);
    const wanted = ['u::rwx', 'u:1007:r--', 'u:8:r--', 'g::r--', 'g:1034:rw-', 'm::rwx', 'o::---'];
    for (const name of [ACCESS, DEFAULT]) {
      assert.equal(aclText(xattrOf(`${target}/d`, name) ?? Buffer.alloc(4)), wanted, name);
    }
    assert.equal([fs.lstatSync(`${target}/f`).uid, modeOf(`${target}/f`)], [1012, 0o4755]);
  });

  check('attributes that nothing can have are refused', async ({ hands, target }) => {
    const [sec, nsec] = [1, 1_000_000_000];
    for (const step of [
      attributes('f', { attributes: { uid: 0xffff_ffff } }),
      attributes('f', { attributes: { gid: -1 } }),
      attributes('f', { attributes: { mtime: { sec, nsec } } }),
      attributes('f', { xattrs: [xattr('', 'x')] }),
      attributes('f', { xattrs: [xattr('user.a\0b', 'x')] }),
      attributes('f', { xattrs: [xattr(`user.${'n'.repeat(300)}`, 'x')] }),
      attributes('f', { xattrs: [xattr('user.a', Buffer.alloc(65_537))] }),
    ]) {
      await hands.inOrder([makeFile('f', '', { replace: true })]);
      const error = await failureOf(hands.inOrder([step]));
      assert.equal([error.name, error.code], ['HandsError', 'EINVAL'], error.message);
      assert.equal(namesOf(`${target}/f`), []);
    }
  });

  check('a directory is not taken for a file', async ({ hands }) => {
    await hands.inOrder([makeDirectory('d')]);
    const error = await failureOf(hands.inOrder([attributes('d', { type: S_IFREG })]));
    assert.is(error.code, 'EEXIST');
    assert.is((await failureOf(hands.inOrder([contents('d', { size: 3 })]))).code, 'EISDIR');
  });
}

test.run();
