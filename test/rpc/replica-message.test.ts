/** Messages of a receiver: what goes in comes out, FORMAT.md is right, and nothing else is taken. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { Errno, FsError } from '../../src/base/errno.js';
import { controlFid, type Fid, ROOT_FID } from '../../src/base/fid.js';
import { nameFromText } from '../../src/base/name.js';
import { REPLICA_ITEMS_MAX, REPLICA_MESSAGE_BYTES_MAX } from '../../src/rpc/limits.js';
import {
  decodeReplicaMessage,
  encodeReplicaItem,
  encodeReplicaMessage,
  REPLICA_MESSAGE_OVERHEAD,
  type ReplicaItem,
  reasonOf,
} from '../../src/rpc/replica-message.js';
import { projectRoot } from '../support/project-root.js';
import { Random } from '../support/random.js';

const FID = 131_073 as Fid;
const OTHER = 131_074 as Fid;
const WHO = { uid: 1000, gid: 1000, pid: 42, nid: '0@lo', jobid: 'cp.1000' };
const TIME = { sec: 1_700_000_000, nsec: 5 };
const EARLY = { sec: -1, nsec: 999_999_999 };
const PLACE = { epoch: 0, offset: 416, index: 3 };
const AT = { parent: ROOT_FID, name: nameFromText('ä\x01"') };
const FILESYSTEM = '00112233445566778899aabbccddeeff';
const TIMES = { atime: TIME, mtime: EARLY, ctime: TIME };
const ATTRIBUTES = { mode: 0o100644, uid: 1, gid: 2, rdev: 0, size: 9, ...TIMES };

function change(
  reint: Extract<ReplicaItem, { do: 'change' }>['change'],
  more: Partial<Extract<ReplicaItem, { do: 'change' }>['verbatim']> = {},
): ReplicaItem {
  const known = {
    other: undefined,
    attributes: undefined,
    mode: undefined,
    ctime: undefined,
    atime: undefined,
    applied: 3,
  };
  return {
    do: 'change',
    who: WHO,
    change: reint,
    verbatim: { ...known, time: TIME, fid: FID, ...more },
  };
}

const NO_CHANGE = { uid: undefined, gid: undefined, size: undefined, atime: undefined };
const LINK = { mode: 0o120777, uid: 1, gid: 2, rdev: 0, size: undefined, ...TIMES };

const ITEMS: readonly ReplicaItem[] = [
  { do: 'begin', filesystem: FILESYSTEM, feed: 7, baseline: 'running', place: PLACE, time: TIME },
  { do: 'place', place: PLACE, time: undefined },
  { do: 'promote' },
  { do: 'data', fid: FID, offset: 2 ** 40, bytes: Buffer.from('contents') },
  { do: 'hole', fid: FID, offset: 5, length: 2 ** 41 },
  {
    ...{ do: 'write', who: WHO, fid: FID, time: TIME, size: 12, mtime: EARLY, ctime: TIME },
    ...{ mode: 0o100755, applied: undefined },
    extents: [
      { offset: 0, length: 4 },
      { offset: 2 ** 45, length: 2 ** 33 },
    ],
  },
  change(
    { op: 'create', ...AT, mode: 0o100644, umask: 0, rdev: 0, open: false },
    { attributes: ATTRIBUTES },
  ),
  change({ op: 'symlink', ...AT, target: '\xff\x01/x' }, { attributes: LINK }),
  change({ op: 'link', fid: FID, ...AT }, { applied: undefined }),
  change({ op: 'unlink', ...AT }, { atime: EARLY }),
  change({ op: 'rmdir', ...AT }),
  change(
    { op: 'rename', ...AT, newParent: FID, newName: nameFromText('n'), flags: 2 },
    { other: OTHER },
  ),
  change(
    { op: 'setattr', fid: FID, change: { ...NO_CHANGE, mode: 0o644, mtime: EARLY } },
    { ctime: EARLY },
  ),
  change(
    {
      op: 'setxattr',
      fid: FID,
      name: nameFromText('user.a'),
      value: Buffer.alloc(65_536, 3),
      flags: 1,
    },
    { mode: 0o100600 },
  ),
  change({ op: 'removexattr', fid: FID, name: nameFromText('user.a') }),
];

function refusal(message: Uint8Array): string {
  try {
    decodeReplicaMessage(message);
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    assert.is(error.errno, Errno.EINVAL);
    return reasonOf(error);
  }
  return 'taken';
}

/** A message with that head, and bytes behind it. */
function raw(head: unknown, bytes = Buffer.alloc(0)): Buffer {
  const json = Buffer.from(typeof head === 'string' ? head : JSON.stringify(head), 'utf8');
  const fixed = Buffer.from('FRM1....');
  fixed.writeUInt32LE(json.length, 4);
  return Buffer.concat([fixed, json, bytes]);
}

test('every kind of item comes out as it went in', () => {
  assert.equal(decodeReplicaMessage(encodeReplicaMessage(ITEMS)), ITEMS);
  for (const item of ITEMS) {
    const message = encodeReplicaMessage([item]);
    assert.equal(decodeReplicaMessage(message), [item]);
    const bound = REPLICA_MESSAGE_OVERHEAD + encodeReplicaItem(item).bytes;
    assert.ok(message.length <= bound, item.do);
    assert.ok(message.length > bound - 2 || bound < 100, item.do);
  }
});

test('a message has so many items, and whoever fills one by their bytes has no more', () => {
  const item: ReplicaItem = { do: 'promote' };
  const most = Array.from({ length: REPLICA_ITEMS_MAX }, () => item);
  assert.is(decodeReplicaMessage(encodeReplicaMessage(most)).length, REPLICA_ITEMS_MAX);
  const room = REPLICA_MESSAGE_BYTES_MAX - REPLICA_MESSAGE_OVERHEAD;
  assert.ok(room / encodeReplicaItem(item).bytes <= REPLICA_ITEMS_MAX);
  assert.throws(() => encodeReplicaMessage([...most, item]), /E2BIG/);
  const more = [...most, item];
  assert.throws(
    () => decodeReplicaMessage(raw({ items: more.map(({ do: kind }) => ({ do: kind })) })),
    /EINVAL: 4097 items/,
  );
});

test('FORMAT.md: the example', () => {
  const text = fs.readFileSync(join(projectRoot(), 'src/rpc/FORMAT.md'), 'utf8');
  const block = must(text.split('```replica-message\n')[1]?.split('\n```')[0], 'example');
  const hex = block.split('\n').map((line) => line.slice(6, 6 + 47));
  const message = Buffer.from(hex.join(' ').replaceAll(' ', ''), 'hex');
  const items: ReplicaItem[] = [
    { do: 'data', fid: FID, offset: 0, bytes: Buffer.from('hi!\n') },
    {
      ...{ do: 'write', who: WHO, fid: FID, time: TIME, extents: [{ offset: 0, length: 4 }] },
      ...{ size: 4, mtime: TIME, ctime: TIME, mode: undefined, applied: 3 },
    },
  ];
  assert.equal(decodeReplicaMessage(message), items);
  assert.ok(encodeReplicaMessage(items).equals(message));
});

test('what is no message is refused, with the reason', () => {
  const whole = encodeReplicaMessage(ITEMS.slice(0, 3));
  assert.match(refusal(Buffer.alloc(0)), /FRM1/);
  assert.match(refusal(whole.subarray(0, 20)), /longer than the message/);
  assert.match(refusal(Buffer.concat([whole, Buffer.from('x')])), /1 bytes belong to no item/);
  assert.match(refusal(Buffer.alloc(REPLICA_MESSAGE_BYTES_MAX + 1)), /bytes/);
  assert.match(refusal(raw('{"items":[')), /not JSON/);
  assert.match(refusal(raw([])), /not an object/);
  assert.match(refusal(raw({ items: 7 })), /"items" is not an array/);
  assert.match(refusal(raw({ items: [], more: 1 })), /member "more" has no meaning/);
  assert.match(refusal(raw({ items: [{ do: 'reboot' }] })), /^item 0: "do" is none of/);
  const huge: ReplicaItem = { do: 'data', fid: FID, offset: 0, bytes: Buffer.alloc(2 ** 18) };
  assert.throws(() => encodeReplicaMessage([huge]), /E2BIG/);
});

const LINKED = { do: 'link', fid: FID, parent: 1, name: 'a', time: [1, 2] };
const WHO_JSON = [1, 2, 3, '0@lo', ''];

test('every member is checked', () => {
  const link = { ...LINKED, who: WHO_JSON };
  assert.is(refusal(raw({ items: [link] })), 'taken');
  const bad: readonly [object, RegExp][] = [
    [{ fid: 1 }, /"fid" is the root/],
    [{ fid: 2 ** 17 * 3 }, /"fid" is no FID/],
    [{ fid: controlFid(1) }, /"fid" is no FID/],
    [{ parent: 2 }, /"parent" is no FID/],
    [{ parent: '1' }, /"parent" is not a whole number/],
    [{ name: '' }, /"name" is no name/],
    [{ name: '..' }, /"name" is no name/],
    [{ name: 'a/b' }, /"name" is no name/],
    [{ name: 'a\0' }, /"name" is no name/],
    [{ name: '\u0100' }, /"name" is not a string/],
    [{ name: 'x'.repeat(256) }, /"name" is not a string/],
    [{ time: [1, 1e9] }, /"time" is not a whole number/],
    [{ time: [1.5, 0] }, /"time" is no time/],
    [{ time: [1, 2, 3] }, /"time" is no time/],
    [{ who: [1, 2, 3, '', ''] }, /"who" says nobody/],
    [{ who: [2 ** 32, 2, 3, 'x', ''] }, /"who" is not a whole number/],
    [{ applied: -1 }, /"applied" is not a whole number/],
    [{ place: [0, 1, 2] }, /member "place" has no meaning/],
    [{ mode: 0o644 }, /member "mode" has no meaning/],
  ];
  for (const [member, reason] of bad) {
    assert.match(refusal(raw({ items: [{ ...link, ...member }] })), reason);
  }
  const rename = { ...link, do: 'rename', newParent: 1, newName: 'b' };
  assert.match(refusal(raw({ items: [{ ...rename, flags: 4 }] })), /"flags"/);
  assert.match(refusal(raw({ items: [{ ...rename, flags: 2 }] })), /without "other"/);
  const data = { do: 'data', fid: FID, offset: 0, bytes: 5 };
  assert.match(refusal(raw({ items: [data] }, Buffer.alloc(4))), /5 bytes are missing/);
  assert.match(refusal(raw({ items: [{ ...data, bytes: 0 }] })), /no part of a file/);
  const set = { do: 'setattr', fid: FID, time: [1, 2], who: WHO_JSON };
  assert.match(refusal(raw({ items: [{ ...set, change: { atime: 'now' } }] })), /"atime"/);
  assert.match(refusal(raw({ items: [{ ...set, change: { nlink: 4 } }] })), /"nlink" has no/);
});

test('extents ascend and do not overlap', () => {
  const write = ITEMS.find((item) => item.do === 'write');
  if (write?.do !== 'write') throw new Error('no write');
  const overlapping = [
    { offset: 4, length: 4 },
    { offset: 7, length: 4 },
  ];
  for (const extents of [overlapping, [...overlapping].reverse(), [{ offset: 0, length: 0 }]]) {
    assert.match(refusal(encodeReplicaMessage([{ ...write, extents }])), /^item 0: /);
  }
});

test('damaged messages are refused, or say something that is right in itself', () => {
  const random = new Random(7);
  const whole = encodeReplicaMessage(ITEMS.filter((_, i) => i !== 13));
  let refused = 0;
  for (let i = 0; i < 20_000; i++) {
    const message = Buffer.from(whole);
    for (let flips = 1 + random.below(3); flips > 0; flips--) {
      const at = random.below(message.length);
      message[at] = (message[at] ?? 0) ^ (1 << random.below(8));
    }
    const cut = random.chance(10) ? message.subarray(0, random.below(message.length)) : message;
    if (refusal(cut) !== 'taken') refused++;
    else {
      const items = decodeReplicaMessage(cut);
      assert.equal(decodeReplicaMessage(encodeReplicaMessage(items)), items);
    }
  }
  assert.ok(refused > 10_000);
});

test.run();
