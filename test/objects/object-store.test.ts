/** Object files: contents, holes, more of them than descriptors, removal that repeats. */
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Errno } from '../../src/base/errno.js';
import type { Fid } from '../../src/base/fid.js';
import { punchFile } from '../../src/objects/libc.js';
import { OPEN_FILES_MAX } from '../../src/objects/limits.js';
import { type ObjectId, ObjectStore, PartialWrite } from '../../src/objects/object-store.js';
import { withFileLimit } from '../support/file-limit.js';
import { withFolder } from '../support/mount.js';

function withObjects(use: (objects: ObjectStore) => void | Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    mkdirSync(join(folder, 'objects'));
    const objects = new ObjectStore(folder);
    await use(objects);
    objects.close();
  });
}

function idOf(fid: number, generation = 1): ObjectId {
  return { fid: fid as Fid, generation };
}

function read(objects: ObjectStore, id: ObjectId, length: number, offset = 0): string {
  const into = Buffer.alloc(length, 0xee);
  return into.subarray(0, objects.read(id, into, offset)).toString('latin1');
}

function synced(objects: ObjectStore): Promise<Error | null> {
  return new Promise((resolve) => objects.sync(resolve));
}

test('what is written is read; a hole reads as zeros; the end cuts a read', () =>
  withObjects((objects) => {
    const id = idOf(1);
    objects.create(id);
    objects.write(id, Buffer.from('tail'), 10);
    objects.write(id, Buffer.from('head'), 0);
    assert.is(read(objects, id, 100), 'head\0\0\0\0\0\0tail');
    assert.is(read(objects, id, 2, 11), 'ai');
    assert.is(read(objects, id, 10, 14), '');
    objects.truncate(id, 2);
    assert.is(read(objects, id, 100), 'he');
    assert.is(objects.use(id).size, 2);
  }));

test('an object that is made again is empty; generations are separate', () =>
  withObjects((objects) => {
    objects.create(idOf(1));
    objects.write(idOf(1), Buffer.from('old'), 0);
    objects.create(idOf(1, 2));
    objects.create(idOf(1));
    assert.equal([objects.use(idOf(1)).size, objects.use(idOf(1, 2)).size], [0, 0]);
    objects.write(idOf(1, 2), Buffer.from('new'), 0);
    assert.is(objects.use(idOf(1)).size, 0);
  }));

test('SEEK_DATA and SEEK_HOLE of the file below', () =>
  withObjects((objects) => {
    const id = idOf(1);
    objects.create(id);
    objects.write(id, Buffer.alloc(4096, 1), 1_048_576);
    assert.is(objects.seek(id, 0, 'hole'), 0);
    assert.is(objects.seek(id, 0, 'data'), 1_048_576);
    assert.is(objects.seek(id, 1_048_576, 'hole'), 1_052_672);
    assert.is(objects.seek(id, 1_052_672, 'data'), undefined);
  }));

test('more objects than descriptors', () =>
  withObjects((objects) => {
    const count = OPEN_FILES_MAX + 50;
    for (let fid = 1; fid <= count; fid++) {
      objects.create(idOf(fid));
      objects.write(idOf(fid), Buffer.from(`${fid}`), 0);
    }
    for (let fid = 1; fid <= count; fid++) assert.is(read(objects, idOf(fid), 10), `${fid}`);
  }));

test('removal repeats without an error; a missing object is EIO', () =>
  withObjects((objects) => {
    const id = idOf(7);
    objects.create(id);
    objects.remove(id);
    objects.remove(id);
    assert.throws(() => read(objects, id, 1), /EIO/);
  }));

test('sync answers for recorded objects, also for those that are gone, and for none', () =>
  withObjects(async (objects) => {
    assert.is(await synced(objects), null);
    for (let fid = 1; fid <= 20; fid++) {
      objects.create(idOf(fid));
      objects.recorded(idOf(fid));
    }
    const result = synced(objects);
    for (let fid = 1; fid <= 20; fid += 2) objects.remove(idOf(fid));
    assert.is(await result, null);
  }));

test('a write up to a limit of the system says how much of it is there', () =>
  withObjects((objects) => {
    const id = idOf(1);
    objects.create(id);
    withFileLimit(1000, () => {
      try {
        objects.write(id, Buffer.alloc(300, 'x'), 900);
        assert.unreachable('written beyond the limit');
      } catch (error) {
        assert.instance(error, PartialWrite);
        const { errno, count } = error as PartialWrite;
        assert.equal([errno, count], [Errno.EFBIG, 100]);
      }
      assert.throws(() => objects.write(id, Buffer.from('x'), 1000), /EFBIG/);
    });
    assert.is(read(objects, id, 2000, 900), 'x'.repeat(100));
  }));

test('why no hole could be made is said, and that the store has none only if that is so', () =>
  withFolder((folder) => {
    const path = join(folder, 'file');
    writeFileSync(path, 'x'.repeat(100));
    for (const [file, flags, said] of [
      [path, 'r', /^FsError: EIO: making a hole in the store: EBADF$/],
      ['/proc/self/comm', 'r+', /^FsError: EOPNOTSUPP: the store cannot make holes/],
    ] as const) {
      const fd = openSync(file, flags);
      assert.throws(
        () => punchFile(fd, 0, 10),
        (error: unknown) => said.test(`${error}`),
      );
      closeSync(fd);
    }
  }));

test.run();
