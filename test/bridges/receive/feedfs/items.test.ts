import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../../../src/base/fid.js';
import { ContentsSpool } from '../../../../src/bridges/receive/contents-spool.js';
import { itemsOfBatch } from '../../../../src/bridges/receive/feedfs/batch-items.js';
import {
  disjoint,
  itemsOfContentsStep,
} from '../../../../src/bridges/receive/feedfs/contents-items.js';
import { DATA_ITEM_BYTES } from '../../../../src/bridges/receive/feedfs/limits.js';
import { itemsOfMake } from '../../../../src/bridges/receive/feedfs/step-items.js';
import type { Contents } from '../../../../src/bridges/stream/frame.js';
import type { FeedRecord } from '../../../../src/feed/record.js';
import { encodeReplicaMessage, type ReplicaItem } from '../../../../src/rpc/replica-message.js';
import { fid, made, place, resized, TIME, written } from '../sample-stream.js';

const FILE = 0o100000;
const DIRECTORY = 0o040000;
const SYMLINK = 0o120000;

function batch(records: readonly FeedRecord[], parts: readonly Contents[]): ReplicaItem[] {
  const spool = new ContentsSpool('/nowhere');
  for (const part of parts) spool.add(part);
  const all = new Set<Fid>(parts.map((part) => part.fid));
  const contents = spool.view(parts.length, all);
  const at = { from: place(10), to: place(20), time: TIME };
  return [...itemsOfBatch({ ...at, records, contents })];
}

function data(n: number, text: string): Contents {
  return { kind: 'data', fid: fid(n), offset: 0, bytes: Buffer.from(text) };
}

function short(item: ReplicaItem): string {
  switch (item.do) {
    case 'change':
      return `${item.change.op} ${item.verbatim.fid - fid(0)} @${item.verbatim.applied}`;
    case 'data':
      return `data ${item.fid - fid(0)} ${item.offset}:${Buffer.from(item.bytes).toString()}`;
    case 'hole':
      return `hole ${item.fid - fid(0)} ${item.offset}+${item.length}`;
    case 'write':
      return `write ${item.fid - fid(0)} ${item.size} @${item.applied}`;
    default:
      return item.do;
  }
}

test('a write record comes right behind the bytes that it tells of', () => {
  const records = [
    made(10, 1),
    written(11, 1, 9),
    made(12, 2),
    written(13, 2),
    written(14, 1, 3),
    made(15, 3),
  ];
  const items = batch(records, [data(1, 'one'), data(2, 'two'), { kind: 'gone', fid: fid(3) }]);
  assert.equal(items.map(short), [
    'create 1 @11',
    'data 1 0:one',
    'write 1 9 @12',
    'create 2 @13',
    'data 2 0:two',
    'write 2 3 @14',
    'write 1 3 @15',
    'create 3 @16',
    'place',
  ]);
});

test('of the contents only what a record tells of, and again what a smaller size took', () => {
  const grown = { ...written(11, 1, 6), extents: [{ offset: 2, length: 4 }] };
  const records = [written(10, 1, 4), grown, resized(12, 1, 1), written(13, 1, 3)];
  const parts: Contents[] = [
    data(1, 'abcdefgh'),
    { kind: 'hole', fid: fid(1), offset: 5, length: 9 },
  ];
  assert.equal(batch(records, parts).map(short), [
    'data 1 0:abcd',
    'write 1 4 @11',
    'data 1 4:ef',
    'hole 1 5+1',
    'write 1 6 @12',
    'setattr 1 @13',
    'data 1 1:bc',
    'write 1 3 @14',
    'place',
  ]);
});

test('a batch ends where the records go on, with or without any', () => {
  const end: ReplicaItem = { do: 'place', place: place(20), time: TIME };
  assert.equal(batch([made(10, 1)], []).slice(1), [end]);
  assert.equal(batch([], []), [end]);
});

test('large contents go in pieces, each of which fits into a message', () => {
  const bytes = Buffer.alloc(2 * DATA_ITEM_BYTES + 10, 7);
  const record = written(10, 1, 100 + bytes.length);
  const items = batch([record], [{ kind: 'data', fid: fid(1), offset: 100, bytes }]);
  const pieces = items.flatMap((item) => (item.do === 'data' ? [item] : []));
  assert.equal(
    pieces.map(({ offset }) => offset),
    [100, 100 + DATA_ITEM_BYTES, 100 + 2 * DATA_ITEM_BYTES],
  );
  assert.ok(Buffer.concat(pieces.map((piece) => piece.bytes)).equals(bytes));
  for (const piece of pieces) encodeReplicaMessage([piece]);
});

interface Held {
  readonly size: number;
  readonly equal?: boolean;
}

function contents(
  held: Held,
  step: { cut?: number; size?: number; compare?: boolean },
  parts: readonly Contents[],
): string[] {
  const reader = { size: () => held.size, hasContents: () => held.equal === true };
  const at = { parent: fid(9), name: 'f', directory: '' };
  const { cut, size, compare } = step;
  return [
    ...itemsOfContentsStep(
      { do: 'contents', fid: fid(1), at, cut, size, compare, parts },
      reader,
      TIME,
    ),
  ].map(short);
}

test('contents of a baseline: what is equal stays, what is beyond goes', () => {
  const three = [data(1, 'one')];
  assert.equal(contents({ size: 0 }, { size: 3 }, three), ['data 1 0:one', 'write 1 3 @undefined']);
  assert.equal(contents({ size: 3, equal: true }, { size: 3, compare: true }, three), []);
  assert.equal(contents({ size: 3, equal: true }, { size: 3 }, three), [
    'data 1 0:one',
    'write 1 3 @undefined',
  ]);
  assert.equal(contents({ size: 9, equal: true }, { cut: 3, size: 3, compare: true }, three), [
    'setattr 1 @undefined',
  ]);
  // Equal, but behind where the file is cut: it has to come again.
  assert.equal(contents({ size: 9, equal: true }, { cut: 1, size: 3, compare: true }, three), [
    'setattr 1 @undefined',
    'data 1 0:one',
    'write 1 3 @undefined',
  ]);
  const hole: Contents = { kind: 'hole', fid: fid(1), offset: 3, length: 5 };
  assert.equal(contents({ size: 0 }, { size: 8 }, [...three, hole]), [
    'data 1 0:one',
    'write 1 8 @undefined',
  ]);
  assert.equal(contents({ size: 8 }, { size: 8 }, [hole]), ['hole 1 3+5', 'write 1 8 @undefined']);
  assert.equal(contents({ size: 0 }, { size: 8 }, []), ['write 1 8 @undefined']);
});

test('extents of a record are ascending, disjoint, and inside the file', () => {
  const extents = [
    { offset: 30, length: 10 },
    { offset: 0, length: 10 },
    { offset: 5, length: 10 },
    { offset: 15, length: 5 },
    { offset: 50, length: 10 },
  ];
  assert.equal(disjoint(extents, 35), [
    { offset: 0, length: 20 },
    { offset: 30, length: 5 },
  ]);
});

const EARLIER = { sec: 5, nsec: 6 };

function make(step: {
  type: number;
  size?: number;
  contents?: Uint8Array;
  target?: string;
}): ReplicaItem[] {
  const attributes = { mode: 0o640, uid: 1, gid: 2, atime: TIME, mtime: TIME, ctime: EARLIER };
  const { type, size = 0, contents: bytes, target = '' } = step;
  return [
    ...itemsOfMake(
      {
        do: 'make',
        fid: fid(1),
        at: { parent: fid(9), name: 'f', directory: undefined },
        type,
        attributes,
        xattrs: [{ name: 'user.a', value: Buffer.from('b') }],
        rdev: 0,
        target,
        size,
        contents: bytes,
        replace: false,
      },
      TIME,
    ),
  ];
}

test('what is made is whole: attributes, extended attributes, contents', () => {
  const shown = (...args: Parameters<typeof make>) => make(...args).map(short);
  assert.equal(shown({ type: DIRECTORY }), ['create 1 @undefined', 'setxattr 1 @undefined']);
  assert.equal(shown({ type: SYMLINK, target: 'x', size: 1 }), [
    'symlink 1 @undefined',
    'setxattr 1 @undefined',
  ]);
  assert.equal(shown({ type: FILE, size: 5, contents: Buffer.from('one') }), [
    'create 1 @undefined',
    'setxattr 1 @undefined',
    'data 1 0:one',
    'write 1 5 @undefined',
  ]);
  const [created] = make({ type: FILE, size: 5 });
  assert.ok(created?.do === 'change');
  assert.is(created.verbatim.attributes?.mode, FILE | 0o640);
  assert.is(created.verbatim.attributes?.size, 5);
  assert.equal(created.verbatim.time, EARLIER);
  assert.ok(created.change.op === 'create' && created.change.name.startsWith('.feedfs-limbo-'));
});

test.run();
