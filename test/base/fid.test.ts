/** FIDs: the compact number, its parts, its text and its bytes say the same. */
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  controlFid,
  FID_BYTES,
  FIRST_FID,
  type Fid,
  fidFromParts,
  fidParts,
  formatFid,
  isControlFid,
  nextFid,
  parseFid,
  ROOT_FID,
  readFid,
  writeFid,
} from '../../src/base/fid.js';
import { arbitraryFid } from '../support/arbitrary-record.js';

test('parts, text and bytes lead back to the same number', () => {
  fc.assert(
    fc.property(arbitraryFid, (fid) => {
      assert.is(fidFromParts(fidParts(fid)), fid);
      assert.is(parseFid(formatFid(fid)), fid);
      assert.is(parseFid(formatFid(fid).slice(1, -1).toUpperCase().replaceAll('X', 'x')), fid);
      const view = new DataView(new ArrayBuffer(FID_BYTES));
      writeFid(view, 0, fid);
      assert.is(readFid(view, 0), fid);
      assert.ok(Number.isSafeInteger(fid));
    }),
    { numRuns: 1000 },
  );
});

test('allocation order skips oid 0 and goes on in the next sequence', () => {
  assert.is(formatFid(FIRST_FID), '[0x200000401:0x1:0x0]');
  const last = (2 * 2 ** 17 - 1) as Fid;
  assert.is(formatFid(last), '[0x200000401:0x1ffff:0x0]');
  assert.is(formatFid(nextFid(last)), '[0x200000402:0x1:0x0]');
  assert.is(nextFid(FIRST_FID), FIRST_FID + 1);
});

test('the root and the control tree', () => {
  assert.is(formatFid(ROOT_FID), '[0x200000007:0x1:0x0]');
  assert.is(formatFid(controlFid(3)), '[0x200000002:0x3:0x0]');
  assert.ok(isControlFid(controlFid(0)));
  assert.not.ok(isControlFid(ROOT_FID));
});

test('what feedfs cannot have allocated is no FID', () => {
  for (const text of [
    '',
    '0x1:0x2',
    '[0x200000401:0x0:0x0]',
    '[0x200000401:0x1:0x1]',
    '[0x200000401:0x20000:0x0]',
    '[0x200000400:0x1:0x0]',
    '[0x200000007:0x2:0x0]',
    '[0x10000200000401:0x1:0x0]',
    '[0x200000401:1:0x0]',
    ' [0x200000401:0x1:0x0]',
  ]) {
    assert.is(parseFid(text), undefined, text);
  }
});

test('no FID is sixteen zero bytes; a foreign one is EIO', () => {
  const view = new DataView(new ArrayBuffer(FID_BYTES));
  writeFid(view, 0, 0);
  assert.is(readFid(view, 0), 0);
  view.setUint32(8, 1, true);
  assert.throws(() => readFid(view, 0), /EIO/);
});

test.run();
