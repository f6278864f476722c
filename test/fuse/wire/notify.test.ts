/** Notifications byte by byte. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { nameFromText } from '../../../src/base/name.js';
import {
  encodeDeleteEntry,
  encodeIncrementEpoch,
  encodeInvalidateEntry,
  encodeInvalidateInode,
  pollWakeupTemplate,
  setPollHandle,
} from '../../../src/fuse/wire/notify.js';
import { bytesOf, cstring, i32, u32, u64 } from '../support.js';

test('poll wake-up', () => {
  const bytes = pollWakeupTemplate();
  setPollHandle(bytes, 2 ** 32 + 7);
  assert.equal(bytes, bytesOf(u32(24), i32(1), u64(0), u64(2 ** 32 + 7))); // len, POLL, unique, kh
});

test('invalidate an inode: all data, a range, attributes only', () => {
  const expected = (off: number, length: number) =>
    bytesOf(u32(40), i32(2), u64(0), u64(55), u64(off), u64(length)); // ino, off, len
  assert.equal(encodeInvalidateInode(55, 0, 0), expected(0, 0));
  assert.equal(encodeInvalidateInode(55, 4096, 10), expected(4096, 10));
  assert.equal(encodeInvalidateInode(55, -1, 0), expected(-1, 0));
});

test('a new epoch is a header alone', () => {
  assert.equal(encodeIncrementEpoch(), bytesOf(u32(16), i32(8), u64(0))); // len, INC_EPOCH, unique
});

test('invalidate an entry', () => {
  assert.equal(
    encodeInvalidateEntry(9, nameFromText('ä')),
    bytesOf(
      u32(16 + 16 + 3), // len
      i32(3), // INVAL_ENTRY
      u64(0), // unique
      u64(9), // parent
      u32(2), // namelen, without the NUL
      u32(0), // flags
      cstring('\xc3\xa4'),
    ),
  );
});

test('delete an entry', () => {
  assert.equal(
    encodeDeleteEntry(9, 12, nameFromText('gone')),
    bytesOf(
      u32(16 + 24 + 5), // len
      i32(6), // DELETE
      u64(0), // unique
      u64(9), // parent
      u64(12), // child
      u32(4), // namelen
      u32(0), // padding
      cstring('gone'),
    ),
  );
});

test.run();
