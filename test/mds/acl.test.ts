/** The bytes of an ACL, and what it has to do with a mode. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FsError } from '../../src/base/errno.js';
import {
  type Acl,
  decodeAcl,
  encodeAcl,
  inheritedAcl,
  isMinimal,
  permissionsOf,
  withPermissions,
} from '../../src/mds/acl.js';
import { aclOf, aclText, rawAcl } from '../support/acl.js';

const EXTENDED = ['u::rwx', 'u:7:rw-', 'u:9:r--', 'g::r-x', 'g:8:-w-', 'm::rw-', 'o::--x'];

function acl(...entries: string[]): Acl {
  return decodeAcl(aclOf(...entries));
}

function text(list: Acl): string[] {
  return aclText(encodeAcl(list));
}

function errno(value: Uint8Array): number | undefined {
  try {
    decodeAcl(value);
    return undefined;
  } catch (error) {
    if (error instanceof FsError) return error.errno;
    throw error;
  }
}

test('bytes to entries and back', () => {
  const value = aclOf(...EXTENDED);
  assert.equal(text(decodeAcl(value)), EXTENDED);
  assert.ok(encodeAcl(decodeAcl(value)).equals(value));
  // Any view will do, wherever it lies.
  const shifted = new Uint8Array([9, ...value]).subarray(1);
  assert.equal(text(decodeAcl(shifted)), EXTENDED);
});

test('each entry says who and what, in order', () => {
  for (const bad of [
    [],
    ['o::r--'],
    ['u::rw-', 'g::r--'],
    ['u::rw-', 'g::r--', 'o::r--', 'o::r--'],
    ['u::rw-', 'u:7:r--', 'g::r--', 'o::r--'],
    ['u::rw-', 'g::r--', 'g:7:r--', 'o::r--'],
    ['u::rw-', 'g::r--', 'm::r--', 'g:7:r--', 'o::r--'],
    ['u:7:rw-', 'u::rw-', 'g::r--', 'm::r--', 'o::r--'],
  ]) {
    assert.is(errno(aclOf(...bad)), 22, bad.join());
  }
  const entry = { tag: 2, permissions: 7, id: 7 };
  const around = (middle: typeof entry): Buffer =>
    rawAcl([
      { tag: 1, permissions: 7, id: 0 },
      middle,
      ...[4, 16, 32].map((tag) => ({ tag, permissions: 7, id: 0 })),
    ]);
  assert.is(errno(around(entry)), undefined);
  assert.is(errno(around({ ...entry, id: 0xffff_ffff })), 22);
  assert.is(errno(around({ ...entry, permissions: 8 })), 22);
  assert.is(errno(around({ ...entry, tag: 0 })), 22);
  assert.is(errno(rawAcl([], 1)), 95);
});

test('any bytes are an ACL or refused, and then none of them counts', () => {
  const bytes = fc.uint8Array({ maxLength: 60 });
  const nearly = fc.tuple(fc.nat(4 + 8 * EXTENDED.length - 1), fc.nat(255)).map(([at, byte]) => {
    const value = aclOf(...EXTENDED);
    value[at] = byte;
    return value;
  });
  fc.assert(
    fc.property(fc.oneof(bytes, nearly), (value) => {
      const refusal = errno(value);
      if (refusal !== undefined) return refusal === 22 || refusal === 95;
      const list = decodeAcl(value);
      return permissionsOf(list) <= 0o777 && text(list).length >= 3;
    }),
    { numRuns: 2_000 },
  );
});

test('the mode shows owner, mask or group, and others', () => {
  assert.is(permissionsOf(acl(...EXTENDED)), 0o761);
  assert.is(permissionsOf(acl('u::r--', 'g::-wx', 'o::---')), 0o430);
  assert.ok(isMinimal(acl('u::r--', 'g::-wx', 'o::---')));
  assert.not.ok(isMinimal(acl('u::r--', 'g::-wx', 'm::r--', 'o::---')));
});

test('chmod speaks to the entries that the mode shows', () => {
  assert.equal(text(withPermissions(acl(...EXTENDED), 0o102750)), [
    ...['u::rwx', 'u:7:rw-', 'u:9:r--', 'g::r-x', 'g:8:-w-', 'm::r-x', 'o::---'],
  ]);
  assert.equal(text(withPermissions(acl('u::---', 'g::---', 'o::---'), 0o751)), [
    ...['u::rwx', 'g::r-x', 'o::--x'],
  ]);
});

test('what is inherited is never more than was asked for, and never more than the list gives', () => {
  const list = acl(...EXTENDED);
  fc.assert(
    fc.property(fc.nat(0o777), (mode) => {
      const inherited = inheritedAcl(list, mode);
      assert.is(permissionsOf(inherited), permissionsOf(list) & mode);
      assert.equal(
        text(inherited).filter((entry) => /^[ug]:\d|^g::/.test(entry)),
        EXTENDED.filter((entry) => /^[ug]:\d|^g::/.test(entry)),
      );
    }),
  );
});

test.run();
