/** Which stores open, which are refused and why, and what a power cut leaves. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { StoreError, type StoreErrorCode } from '../../src/store/errors.js';
import { currentBootId, decodeFlushed, encodeFlushed } from '../../src/store/flush-marker.js';
import { FORMAT_VERSION } from '../../src/store/limits.js';
import { Store } from '../../src/store/store.js';
import { pathsOf } from '../../src/store/store-directory.js';
import { cut, withTemp } from '../support/damage.js';

const KEY = Buffer.from('key');
const OTHER_BOOT = '01234567-89ab-cdef-0123-456789abcdef';

function refused(code: StoreErrorCode, text: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StoreError);
    assert.is(error.code, code, error.message);
    assert.match(error.message, text);
    return true;
  };
}

function withStore(use: (path: string) => void | Promise<void>): Promise<void> {
  return withTemp(async (folder) => {
    const path = join(folder, 'store');
    const store = Store.open(path, { create: true });
    put(store, 'first');
    await store.close();
    await use(path);
  });
}

function put(store: Store, value: string): number {
  return store.commit(() => store.tables.meta.put(KEY, Buffer.from(value)));
}

function get(store: Store): string | undefined {
  return store.tables.meta.get(KEY)?.toString();
}

function flush(store: Store): Promise<void> {
  return new Promise((resolve, reject) => {
    store.flush((error) => (error ? reject(error) : resolve()));
  });
}

function marker(path: string) {
  return must(decodeFlushed(fs.readFileSync(pathsOf(path).marker)), 'marker');
}

test('a store keeps what was put into it', async () => {
  await withStore(async (path) => {
    const store = Store.open(path, { create: false });
    assert.is(get(store), 'first');
    await store.close();
  });
});

test('a store that is open is refused, with the pid of who has it', async () => {
  await withStore(async (path) => {
    const store = Store.open(path, { create: false });
    const pid = new RegExp(`process ${process.pid};`);
    assert.throws(() => Store.open(path, { create: true }), refused('locked', pid));
    await store.close();
    await Store.open(path, { create: false }).close();
  });
});

test('what is no store is refused', async () => {
  await withTemp((folder) => {
    const file = join(folder, 'file');
    fs.writeFileSync(file, '');
    const full = join(folder, 'full');
    fs.mkdirSync(full);
    fs.writeFileSync(join(full, 'thesis.tex'), '');
    for (const [path, why] of [
      [file, /is not a directory/],
      [full, /not a feedfs store/],
      [join(folder, 'missing'), /does not exist/],
    ] as const) {
      assert.throws(() => Store.open(path, { create: false }), refused('not-a-store', why));
    }
    assert.throws(
      () => Store.open(full, { create: true }),
      refused('not-a-store', /neither empty/),
    );
    assert.throws(() => Store.open(file, { create: true }), refused('missing', /cannot make/));
    const nowhere = join(folder, 'no', 'where');
    assert.throws(() => Store.open(nowhere, { create: true }), refused('missing', /cannot make/));
    assert.equal(fs.readdirSync(full), ['thesis.tex']);
  });
});

test('a newer format is refused, and whatever else its identity says', async () => {
  await withStore((path) => {
    const identity = { format: FORMAT_VERSION + 1, fsid: { kind: 'new' } };
    fs.writeFileSync(pathsOf(path).identity, JSON.stringify(identity));
    assert.throws(
      () => Store.open(path, { create: true }),
      refused('newer-format', /has format 3/),
    );
  });
});

test('a damaged identity is refused', async () => {
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"format":1}',
    `{"format":0,"fsid":"${'0'.repeat(32)}"}`,
    '{"format":"1","fsid":""}',
    '{"format":0.5}',
  ]) {
    await withStore((path) => {
      fs.writeFileSync(pathsOf(path).identity, text);
      assert.throws(
        () => Store.open(path, { create: true }),
        refused('corrupt', /is damaged/),
        text,
      );
    });
  }
});

test('a missing flush marker, environment or file of it is refused', async () => {
  await withStore((path) => {
    fs.rmSync(pathsOf(path).marker);
    assert.throws(() => Store.open(path, { create: true }), refused('corrupt', /flushed; run/));
  });
  await withStore((path) => {
    fs.rmSync(pathsOf(path).environment, { recursive: true });
    assert.throws(() => Store.open(path, { create: true }), refused('corrupt', /missing or empty/));
  });
});

test('a cut environment is refused, wherever it was cut', async () => {
  for (const size of [0, 1, 100, 5_000, 8_192, 12_288, (whole: number) => whole / 2]) {
    await withStore((path) => {
      cut(path, size);
      assert.throws(
        () => Store.open(path, { create: true }),
        refused('corrupt', /data\.mdb/),
        `${size}`,
      );
    });
  }
});

test('a refused store is not locked', async () => {
  await withStore(async (path) => {
    const { marker: file } = pathsOf(path);
    fs.renameSync(file, `${file}.away`);
    assert.throws(() => Store.open(path, { create: false }));
    fs.renameSync(`${file}.away`, file);
    await Store.open(path, { create: false }).close();
  });
});

/** A copy as the disk would have it: without the page cache’s later pages, of another boot. */
function copyOf(path: string, name: string): string {
  const copy = `${path}-${name}`;
  fs.cpSync(path, copy, { recursive: true });
  // Locks of the process that went down with its machine.
  fs.rmSync(join(pathsOf(copy).environment, 'lock.mdb'), { force: true });
  return copy;
}

test('after a power cut the last flushed transaction is opened', async () => {
  await withStore(async (path) => {
    const store = Store.open(path, { create: false });
    put(store, 'flushed');
    await flush(store);
    put(store, 'in the page cache');
    const copy = copyOf(path, 'unflushed');
    await store.close();

    const later = Store.open(copy, { create: false, bootId: OTHER_BOOT });
    assert.is(get(later), 'flushed');
    put(later, 'goes on');
    await later.close();
    const again = Store.open(copy, { create: false, bootId: OTHER_BOOT });
    assert.is(get(again), 'goes on');
    await again.close();
  });
});

test('after the end of its process alone the last transaction is opened, and soon flushed', async () => {
  await withStore(async (path) => {
    const store = Store.open(path, { create: false });
    const transaction = put(store, 'in the page cache');
    const copy = copyOf(path, 'same-boot');
    await store.close();

    assert.ok(marker(copy).transaction < transaction);
    const later = Store.open(copy, { create: false });
    assert.is(get(later), 'in the page cache');
    // Else a power cut after the next commit would find neither of the last two on disk.
    assert.is(marker(copy).transaction, transaction);
    await later.close();
  });
});

test('an open store says of which boot it is before its first commit', async () => {
  await withStore(async (path) => {
    const before = marker(path);
    fs.writeFileSync(pathsOf(path).marker, encodeFlushed({ ...before, bootId: OTHER_BOOT }));
    const store = Store.open(path, { create: false });
    assert.equal(marker(path), { ...before, bootId: currentBootId() });
    // The process ends here, not the machine: what it committed is still there.
    put(store, 'in the page cache');
    const copy = copyOf(path, 'killed');
    await store.close();
    const later = Store.open(copy, { create: false });
    assert.is(get(later), 'in the page cache');
    await later.close();
  });
});

test('the tables of a new store are on disk before its first commit', async () => {
  await withTemp(async (folder) => {
    const path = join(folder, 'store');
    const store = Store.open(path, { create: true });
    const copy = copyOf(path, 'new');
    put(store, 'first');
    const cutOff = copyOf(path, 'first');
    await store.close();
    for (const place of [copy, cutOff]) {
      const later = Store.open(place, { create: true, bootId: OTHER_BOOT });
      assert.is(get(later), undefined);
      await later.close();
    }
  });
});

test('a store of another user says what is not permitted', async () => {
  // Only root can become somebody else.
  if (process.getuid?.() !== 0) return;
  await withStore((path) => {
    fs.chmodSync(join(path, '..'), 0o755);
    const open = (): unknown => {
      process.seteuid?.(65_534);
      try {
        return Store.open(path, { create: true });
      } catch (error) {
        return error instanceof StoreError ? error.code : error;
      } finally {
        process.seteuid?.(0);
      }
    };
    assert.is(open(), 'not-permitted');
    fs.chmodSync(path, 0o777);
    assert.is(open(), 'not-permitted');
  });
});

test('a commit of nothing is no transaction, and the marker does not name one that is to come', () =>
  withStore(async (path) => {
    const store = Store.open(path, { create: false });
    const real = put(store, 'second');
    const nothing = store.commit(() => {});
    await new Promise<void>((resolve, reject) => {
      store.flush((error) => (error === null ? resolve() : reject(error)));
    });
    // In the page cache only.
    const next = put(store, 'third');
    const marker = decodeFlushed(fs.readFileSync(pathsOf(path).marker));
    assert.equal([nothing, next, marker?.transaction], [real, real + 1, real]);
    await store.close();
  }));

test.run();
