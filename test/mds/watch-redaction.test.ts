/** What is left of a record for a user who sees only one side of it, and its line. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Fid, formatFid } from '../../src/base/fid.js';
import type { RecordBody } from '../../src/feed/record.js';
import { userLine, userLossLine } from '../../src/mds/watch-line.js';
import {
  IS_DIRECTORY,
  NEW_SIDE,
  OTHER_IS_DIRECTORY,
  READABLE,
  SIDE,
  visibleParts,
} from '../../src/mds/watch-redaction.js';

const [OLD, NEW, MOVED, OTHER] = [200_001, 200_002, 200_003, 200_004] as Fid[] as [
  Fid,
  Fid,
  Fid,
  Fid,
];
const TIME = { sec: 1_700_000_000, nsec: 5 };
const ctime = { ctime: TIME };
const RENAME = {
  op: 'rename',
  parent: OLD,
  name: 'here',
  newParent: NEW,
  newName: 'secret',
  attrs: ctime,
} as const satisfies RecordBody;
const OVER = { over: { fid: OTHER, attrs: { mode: 0o100600, size: 7 }, last: true } } as const;

/** Operation, object, parent and name of each part. */
function partsOf(body: RecordBody, flags: number): unknown[][] {
  return visibleParts(MOVED, body, flags).map(({ fid, body: part }) =>
    'parent' in part ? [part.op, fid, part.parent, part.name] : [part.op, fid],
  );
}

test('both sides: the rename as it is', () => {
  assert.equal(visibleParts(MOVED, RENAME, SIDE | NEW_SIDE), [{ fid: MOVED, body: RENAME }]);
});

test('only the old place: it is gone', () => {
  for (const body of [RENAME, { ...RENAME, ...OVER }]) {
    assert.equal(partsOf(body, SIDE), [['unlink', MOVED, OLD, 'here']]);
    assert.equal(partsOf(body, SIDE | IS_DIRECTORY), [['rmdir', MOVED, OLD, 'here']]);
  }
});

test('only the new place: it came, and what it replaced is gone', () => {
  assert.equal(partsOf(RENAME, NEW_SIDE), [['link', MOVED, NEW, 'secret']]);
  assert.equal(partsOf({ ...RENAME, ...OVER }, NEW_SIDE | IS_DIRECTORY), [
    ['unlink', OTHER, NEW, 'secret'],
    ['link', MOVED, NEW, 'secret'],
  ]);
});

test('an exchange: on each side one goes and the other comes', () => {
  const body = { ...RENAME, exchanged: OTHER };
  assert.equal(partsOf(body, SIDE | OTHER_IS_DIRECTORY), [
    ['unlink', MOVED, OLD, 'here'],
    ['link', OTHER, OLD, 'here'],
  ]);
  assert.equal(partsOf(body, NEW_SIDE | OTHER_IS_DIRECTORY), [
    ['rmdir', OTHER, NEW, 'secret'],
    ['link', MOVED, NEW, 'secret'],
  ]);
});

test('nothing without a side, nothing of accesses, losses and trusted attributes', () => {
  const access = { errno: 0, repeated: 0, directory: false };
  const value = Buffer.from('v');
  assert.equal(partsOf(RENAME, READABLE | IS_DIRECTORY), []);
  for (const body of [
    { op: 'open', access },
    { op: 'close', access },
    { op: 'denied', access },
    { op: 'getxattr', xattr: { name: 'user.x' }, access },
    { op: 'setxattr', xattr: { name: 'trusted.x', value, flags: 0 }, attrs: ctime },
    { op: 'removexattr', xattr: { name: 'trusted.x' }, attrs: ctime },
  ] as RecordBody[]) {
    assert.equal(partsOf(body, SIDE), [], body.op);
  }
});

const ME = { uid: 1000, gid: 100, groups: [27] };
const HEAD = { time: TIME, uid: 0, gid: 0, pid: 4321, nid: '10.0.0.9@tcp', jobid: 'cp.0' };
const PLACE = { index: 3, offset: 120 };

function lineOf(body: RecordBody, flags: number, head = HEAD): Record<string, unknown> {
  const [part] = visibleParts(MOVED, body, flags);
  assert.ok(part !== undefined);
  const line = userLine(PLACE, ME, head, part);
  assert.ok(line.endsWith('}\n') && line.indexOf('\n') === line.length - 1);
  return JSON.parse(line) as Record<string, unknown>;
}

const START = { index: '3', offset: '120', time: '1700000000000000005', fid: formatFid(MOVED) };
const OLD_ENTRY = { parent: formatFid(OLD), name: 'here' };
const TIME_TEXT = '1700000000000000005';

test('a rename line tells of what was replaced only which object it was', () => {
  assert.equal(lineOf({ ...RENAME, ...OVER }, SIDE | NEW_SIDE), {
    ...START,
    op: 'rename',
    ...OLD_ENTRY,
    newParent: formatFid(NEW),
    newName: 'secret',
    attrs: { ctime: TIME_TEXT },
    over: { fid: formatFid(OTHER) },
  });
  assert.is(lineOf({ ...RENAME, exchanged: OTHER }, SIDE | NEW_SIDE).exchanged, formatFid(OTHER));
});

test('what was removed and what was moved away look the same', () => {
  const attrs = { mode: 0o100644, size: 1, nlink: 0, ...ctime };
  const removed = lineOf({ op: 'unlink', parent: OLD, name: 'here', attrs, last: true }, SIDE);
  assert.equal(removed, { ...START, op: 'unlink', ...OLD_ENTRY });
  assert.equal(lineOf(RENAME, SIDE), removed);
});

test('of others no author; of oneself all of it', () => {
  const attrs = { mode: 0o40755, uid: 0, gid: 27, size: 2 ** 40, nlink: 2, ...ctime };
  const mkdir = { op: 'mkdir', parent: OLD, name: 'd\n\u{85}', attrs } as const;
  const shown = { mode: '040755', gid: 27, size: '1099511627776', nlink: 2, ctime: TIME_TEXT };
  const foreign = lineOf(mkdir, SIDE);
  assert.equal(foreign, { ...START, op: 'mkdir', ...OLD_ENTRY, name: foreign.name, attrs: shown });
  const mine = { ...HEAD, uid: 1000, gid: 5 };
  const { attrs: own, ...line } = lineOf(
    { ...mkdir, attrs: { uid: 1000, gid: 5, rdev: 1, atime: TIME, mtime: TIME } },
    SIDE,
    mine,
  );
  assert.equal(own, { uid: 1000, rdev: 1, atime: TIME_TEXT, mtime: TIME_TEXT });
  assert.equal(line, {
    ...START,
    op: 'mkdir',
    ...OLD_ENTRY,
    name: line.name,
    uid: 1000,
    gid: 5,
    pid: 4321,
    nid: '10.0.0.9@tcp',
    jobid: 'cp.0',
  });
});

test('extents of a file that may be read, names of attributes, targets of links', () => {
  const write = {
    op: 'write',
    extents: [{ offset: 0, length: 10 }],
    attrs: { size: 10, ...ctime },
  } as const;
  assert.is(lineOf(write, SIDE).extents, undefined);
  assert.equal(lineOf(write, SIDE | READABLE).extents, [{ offset: '0', length: '10' }]);
  const xattr = { name: 'user.tag', value: Buffer.from('secret'), flags: 1 };
  assert.equal(lineOf({ op: 'setxattr', xattr, attrs: ctime }, SIDE).xattr, { name: 'user.tag' });
  const symlink = { op: 'symlink', parent: OLD, name: 'l', attrs: {}, target: '../x' } as const;
  assert.is(lineOf(symlink, SIDE).target, '../x');
});

test('a loss says nothing but that there was one', () => {
  assert.equal(JSON.parse(userLossLine(PLACE, TIME)), {
    index: '3',
    offset: '120',
    time: TIME_TEXT,
    op: 'lost',
  });
});

test.run();
