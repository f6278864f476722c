/** Object files that several processes make, and who takes over whose list. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fid } from '../../src/base/fid.js';
import { type ObjectId, ObjectStore } from '../../src/objects/object-store.js';

const ONE = 'a'.repeat(32);
const TWO = 'b'.repeat(32);

function id(fid: number, generation = 1): ObjectId {
  return { fid: fid as Fid, generation };
}

function withStore(use: (store: string) => void): void {
  const store = mkdtempSync(join(tmpdir(), 'feedfs-test-'));
  try {
    mkdirSync(join(store, 'objects'));
    use(store);
  } finally {
    rmSync(store, { recursive: true, force: true });
  }
}

function lists(store: string): string[] {
  return readdirSync(join(store, 'objects')).filter((name) => name.startsWith('made'));
}

test('a server takes over the lists of those that are gone, and of nobody else', () =>
  withStore((store) => {
    const server = new ObjectStore(store);
    const one = new ObjectStore(store, { client: ONE });
    const two = new ObjectStore(store, { client: TWO });
    one.create(id(1));
    two.create(id(2));
    assert.equal(server.unsettled(), []);
    assert.equal(
      server.absorb((client) => client === ONE),
      [id(1)],
    );
    assert.equal(server.unsettled(), [id(1)]);
    assert.equal(lists(store).sort(), ['made', `made.${TWO}`]);
    for (const objects of [server, one, two]) objects.close();
    // A kill after that: the next server has it on its own list.
    const next = new ObjectStore(store);
    assert.equal(next.unsettled(), [id(1)]);
    next.close();
  }));

test('what a client has recorded and synced is on its list no more; an empty list goes', () =>
  withStore((store) => {
    const one = new ObjectStore(store, { client: ONE });
    one.create(id(1));
    one.mark();
    one.create(id(2));
    one.flushed();
    assert.equal(one.unsettled(), [id(2)]);
    assert.is(one.madeCount, 1);
    one.mark();
    one.flushed();
    one.close();
    assert.equal(lists(store), []);
  }));

test('a client that was given up goes on with a list that the next takeover finds, evicted or not', () =>
  withStore((store) => {
    const server = new ObjectStore(store);
    const one = new ObjectStore(store, { client: ONE });
    one.create(id(1));
    server.absorb(() => true);
    one.create(id(2));
    one.begin();
    one.create(id(3));
    assert.equal(
      server.absorb(() => true),
      [id(2), id(3)],
    );
    for (const objects of [server, one]) objects.close();
  }));

test('the server brings to disk what clients wrote, and clients nothing', () =>
  withStore((store) => {
    const one = new ObjectStore(store, { client: ONE });
    one.create(id(1));
    one.recorded(id(1));
    let synced = false;
    one.sync(() => {
      synced = true;
    });
    assert.ok(synced, 'there is nothing to wait for');
    one.close();
    assert.ok(existsSync(join(store, 'objects', '01', '1.1')));
  }));

test.run();
