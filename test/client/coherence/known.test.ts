/** What a mount knows of objects without having asked. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../../src/base/errno.js';
import type { FileName } from '../../../src/base/name.js';
import { CAPABILITY } from '../../../src/base/xattr-name.js';
import { Known } from '../../../src/client/coherence/known.js';
import type { Attributes, Reint, ReintRequest, ReintResult } from '../../../src/rpc/messages.js';
import { Case, DIR, FILE, OTHER } from './coherence-case.js';

const NAME = 'name' as FileName;
const UNLINK: Reint = { op: 'unlink', parent: DIR, name: NAME };
const CREATE: Reint = {
  op: 'create',
  parent: DIR,
  name: NAME,
  mode: 0,
  umask: 0,
  rdev: 0,
  open: true,
};

function attributes(fid: number, nlink = 1): Attributes {
  return { fid, nlink } as Attributes;
}

function result(fid: number, parents?: readonly Attributes[]): ReintResult {
  return { attributes: attributes(fid), parents } as ReintResult;
}

function asked(change: Reint): ReintRequest {
  return { change } as ReintRequest;
}

function knowing(): Known {
  const known = new Known((fid) => fid !== OTHER);
  known.told('reint', asked(UNLINK), 0, result(FILE, [attributes(DIR, 2)]));
  return known;
}

test('a change tells of its directory', () => {
  assert.is(knowing().attributes(DIR)?.nlink, 2);
  const known = knowing();
  known.told('reint', asked(CREATE), 0, result(FILE, [attributes(DIR, 3)]));
  assert.is(known.attributes(DIR)?.nlink, 3);
});

test('what may not be kept is not', () => {
  const known = new Known((fid) => fid !== OTHER);
  const change = { ...UNLINK, parent: OTHER } as Reint;
  known.told('reint', asked(change), 0, result(FILE, [attributes(OTHER)]));
  assert.is(known.attributes(OTHER), undefined);
  known.told('getxattr', { fid: OTHER, name: CAPABILITY as FileName }, Errno.ENODATA, undefined);
  assert.not(known.hasNoCapability(OTHER));
});

test('whatever may change a directory has it asked for again', () => {
  const changes: [string, (known: Known) => void][] = [
    ['a recall', (known) => known.forget(DIR)],
    ['all recalled', (known) => known.clear()],
    [
      'an access',
      (known) => known.told('accessed', { fid: DIR, atime: { sec: 1, nsec: 0 } }, 0, undefined),
    ],
    [
      'an answer that was given before',
      (known) => known.told('reint', asked(UNLINK), 0, result(FILE)),
    ],
    ['a change that failed', (known) => known.told('reint', asked(UNLINK), Errno.EIO, undefined)],
    [
      'its own attributes',
      (known) =>
        known.told(
          'reint',
          asked({ op: 'setattr', fid: DIR, change: {} } as Reint),
          0,
          result(DIR),
        ),
    ],
    [
      'its own removal',
      (known) => known.told('reint', asked({ ...UNLINK, parent: OTHER } as Reint), 0, result(DIR)),
    ],
    [
      'a rename anywhere: it may be one of those that were exchanged',
      (known) =>
        known.told(
          'reint',
          asked({
            op: 'rename',
            parent: FILE,
            name: NAME,
            newParent: FILE,
            newName: NAME,
            flags: 2,
          } as Reint),
          0,
          result(FILE),
        ),
    ],
  ];
  for (const [what, happens] of changes) {
    const known = knowing();
    happens(known);
    assert.is(known.attributes(DIR), undefined, what);
  }
});

test('a file without a capability has none until this mount sets one, or others may', () => {
  const known = knowing();
  known.told('reint', asked(CREATE), 0, result(FILE));
  assert.ok(known.hasNoCapability(FILE));
  const set = { op: 'setxattr', fid: FILE, name: CAPABILITY } as Reint;
  known.told('reint', asked(set), 0, result(FILE));
  assert.not(known.hasNoCapability(FILE));
  known.told('getxattr', { fid: FILE, name: 'user.a' as FileName }, Errno.ENODATA, undefined);
  assert.not(known.hasNoCapability(FILE));
  known.told('getxattr', { fid: FILE, name: CAPABILITY as FileName }, Errno.ENODATA, undefined);
  assert.ok(known.hasNoCapability(FILE));
  known.forget(FILE);
  assert.not(known.hasNoCapability(FILE));
});

test('a recall takes back what was known', () => {
  const the = new Case();
  the.coherence.granted([DIR], undefined);
  the.coherence.told('reint', asked(UNLINK), 0, result(FILE, [attributes(DIR, 2)]));
  assert.is(the.coherence.knownAttributes(DIR)?.nlink, 2);
  the.recall([DIR]);
  assert.is(the.coherence.knownAttributes(DIR), undefined);
  the.coherence.granted([DIR], undefined);
  assert.is(the.coherence.knownAttributes(DIR), undefined, 'nor does another lock bring it back');
});

test.run();
