/** Which descriptors stay open. */
import { fstatSync, openSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../src/base/fid.js';
import { DescriptorCache, type ObjectId } from '../../src/objects/descriptor-cache.js';

function id(fid: number, generation = 1): ObjectId {
  return { fid: fid as Fid, generation };
}

function open(cache: DescriptorCache, of: ObjectId): number {
  return cache.keep(of, openSync('/dev/null', 'r'));
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

test('the least recently used one makes room, the one asked for last never', () => {
  const cache = new DescriptorCache(2);
  const first = open(cache, id(1));
  const second = open(cache, id(2));
  assert.is(cache.get(id(1)), first);
  const third = open(cache, id(3));
  assert.not.ok(isOpen(second));
  assert.is(cache.get(id(2)), undefined);
  assert.equal([cache.get(id(1)), cache.get(id(3))], [first, third]);
  cache.close();
  assert.equal([first, third].map(isOpen), [false, false]);
});

test('another generation is another file, and takes the place of the one before', () => {
  const cache = new DescriptorCache(2);
  const old = open(cache, id(1, 1));
  assert.is(cache.get(id(1, 2)), undefined);
  cache.drop(id(1, 2));
  assert.is(cache.get(id(1, 1)), old);
  const next = open(cache, id(1, 2));
  assert.not.ok(isOpen(old));
  assert.is(cache.get(id(1, 1)), undefined);
  cache.drop(id(1, 2));
  assert.not.ok(isOpen(next));
  cache.close();
});

test.run();
