/** A hole that is none any more: what a mapping wrote and nobody synced while a stream follows. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fallocate, mmap } from '../../posix/libc.js';
import { withMount } from '../../support/mount.js';
import { Following, settle } from './sending.js';

const SIZE = 4 * 2 ** 20;
const PAGE = 4_096;
const PUNCHED = { offset: 2 ** 20, length: 2 ** 20 };
const TOUCHED = PUNCHED.offset + 100 * PAGE;
const PUNCH_HOLE = 3;

test('what was sent as a hole is sent again once the kernel has written it back', () =>
  withMount(async (mount) => {
    mount.feed('backup');
    const fd = fs.openSync(join(mount.mnt, 'file'), 'w+');
    fs.writeSync(fd, Buffer.alloc(SIZE, 'x'));
    fs.fsyncSync(fd);
    const sender = new Following(mount);
    // Mapped only now: the fork of the sender would write back what is in the mapping.
    const map = mmap(fd, SIZE, 'shared');
    try {
      await sender.until('commit');
      fallocate(fd, PUNCH_HOLE, PUNCHED.offset, PUNCHED.length);
      map.bytes[TOUCHED] = 65;
      // Readers see the byte, and the filesystem knows nothing of it.
      settle(mount);
      const { offset, length } = await sender.until('hole');
      assert.equal({ offset, length }, PUNCHED);
      await sender.until('commit');
      // Whoever asks for it, or some seconds of time.
      fs.fsyncSync(fd);
      const data = await sender.until('data');
      assert.is(data.offset, TOUCHED);
      assert.is(data.bytes.length, PAGE);
      assert.is(data.bytes[0], 65);
      await sender.until('commit');
    } finally {
      map.unmap();
      fs.closeSync(fd);
      sender.child.kill('SIGINT');
    }
    await sender.rest();
  }));

test.run();
