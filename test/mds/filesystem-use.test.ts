/** What statfs(2) offers can be written; what only small contents can have is told apart. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { filesystemUse } from '../../src/mds/filesystem-use.js';
import { RESERVE_BYTES } from '../../src/store/limits.js';

const BLOCK = 4_096;
const RESERVE = RESERVE_BYTES / BLOCK;

test('blocks are those of the disk less the reserve, whatever is free inside the metadata', () => {
  const disk = { blocks: 1_000_000, bfree: 300_000, bavail: 250_000, bsize: BLOCK };
  const store = { freeBytes: () => 250_000 * BLOCK + 70 * 2 ** 20 };
  const use = filesystemUse(store, disk, 10);
  assert.is(use.bavail, 250_000 - RESERVE);
  // Used, as df counts it, has nothing of what the disk keeps for root.
  assert.is(use.blocks - use.bfree, 700_000 + RESERVE);
  assert.is(use.smallFree, (250_000 - RESERVE) * BLOCK + 70 * 2 ** 20);
  assert.is(use.files - use.ffree, 10);
});

test('a disk below the reserve offers nothing', () => {
  const disk = { blocks: 1_000, bfree: 7, bavail: 5, bsize: BLOCK };
  const use = filesystemUse({ freeBytes: () => 5 * BLOCK }, disk, 1);
  assert.equal([use.bfree, use.bavail, use.smallFree, use.ffree], [0, 0, 0, 0]);
});

test.run();
