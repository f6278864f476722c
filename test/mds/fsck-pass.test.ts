/** Damage in the pass index: fsck names it, and shows nothing else. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { nameFromText } from '../../src/base/name.js';
import { decodePassRow, encodePassRow, type PassRow } from '../../src/feed/pass-row.js';
import { fsckStore } from '../../src/mds/fsck.js';
import { partsOfPassKey, passKey } from '../../src/store/keys.js';
import type { Store } from '../../src/store/store.js';
import { makeStore, tamper, withTemp } from '../support/damage.js';

const BLOCKS = 4;

/** A feed that takes every third of five creations per block, and one that takes everything. */
async function withFilteredFeed(use: (path: string) => Promise<void> | void): Promise<void> {
  await withTemp(async (folder) => {
    const path = join(folder, 'store');
    await makeStore(path, async (bench) => {
      await bench.call('feedCreate', { name: nameFromText('some') });
      await bench.call('feedSetText', { id: 1, file: 'filter', text: '{"name":"taken-*"}' });
      await bench.call('feedCreate', { name: nameFromText('all') });
      for (let block = 0; block < BLOCKS; block++) {
        for (let i = 0; i < 5; i++) bench.file(`${i % 3 === 0 ? 'taken' : 'left'}-${block}-${i}`);
        await bench.settle();
      }
    });
    await use(path);
  });
}

function rowsOf({ pass }: Store['tables']): { readonly key: Buffer; readonly row: PassRow }[] {
  return [...pass.entries({})].map(({ key, value }) => ({
    key: Buffer.from(key),
    row: decodePassRow(partsOfPassKey(key).offset, value),
  }));
}

function nth(tables: Store['tables'], n: number): { readonly key: Buffer; readonly row: PassRow } {
  return must(rowsOf(tables)[n], 'row');
}

function kinds(path: string): string[] {
  return fsckStore(path).findings.map(({ kind }) => kind);
}

const CASES: readonly {
  readonly what: string;
  readonly change: (tables: Store['tables']) => void;
  readonly kinds: readonly string[];
}[] = [
  { what: 'nothing', change: () => {}, kinds: [] },
  {
    what: 'a row that is missing between others',
    change: (tables) => tables.pass.remove(nth(tables, 1).key),
    kinds: ['bad-pass'],
  },
  {
    what: 'a row that marks another record than it counts',
    change: (tables) => {
      const { key, row } = nth(tables, 2);
      const bits = Uint8Array.from(row.bits ?? []);
      bits[0] = 0b00111;
      tables.pass.put(key, encodePassRow({ ...row, bits }));
    },
    kinds: ['bad-pass', 'bad-pass'],
  },
  {
    what: 'a row that marks a longer record, and counts them all the same',
    change: (tables) => {
      const { key, row } = nth(tables, 2);
      const own = { ...row.own, text: row.own.text - 1 };
      tables.pass.put(key, encodePassRow({ ...row, own }));
    },
    kinds: ['bad-pass', 'bad-pass'],
  },
  {
    what: 'a row of another block',
    change: (tables) => {
      const { key, row } = nth(tables, 1);
      tables.pass.remove(key);
      const { feed, epoch, offset } = partsOfPassKey(key);
      const start = { ...row.start, offset: (offset + 8) as typeof row.start.offset };
      tables.pass.put(passKey(feed, epoch, offset + 8), encodePassRow({ ...row, start }));
    },
    kinds: ['missing-block'],
  },
  {
    what: 'a row that is damaged',
    change: (tables) => tables.pass.put(nth(tables, 3).key, Buffer.from('row')),
    kinds: ['bad-pass'],
  },
  {
    what: 'rows of a feed without an index, of one that never was, and of one that is gone',
    change: (tables) => {
      const { key, row } = nth(tables, 0);
      const value = encodePassRow(row);
      const { epoch, offset } = partsOfPassKey(key);
      tables.pass.put(passKey(2, epoch, offset), value);
      tables.pass.put(passKey(9, epoch, offset), value);
    },
    kinds: ['stray-value', 'stray-value'],
  },
  {
    what: 'a key of the wrong length',
    change: (tables) => tables.pass.put(Buffer.from('key'), Buffer.from('value')),
    kinds: ['damaged-key'],
  },
];

for (const { what, change, kinds: expected } of CASES) {
  test(what, () =>
    withFilteredFeed(async (path) => {
      await tamper(path, change);
      assert.equal(kinds(path), expected);
    }),
  );
}

test('rows of a feed that was removed wait for their removal, and are no finding', () =>
  withTemp(async (folder) => {
    const path = join(folder, 'store');
    await makeStore(path, async (bench) => {
      await bench.call('feedCreate', { name: nameFromText('some') });
      await bench.call('feedSetText', { id: 1, file: 'filter', text: '{"name":"a*"}' });
      bench.file('a');
    });
    let row: ReturnType<typeof nth> | undefined;
    await tamper(path, (tables) => {
      row = nth(tables, 0);
    });
    await makeStore(path, async (bench) => {
      await bench.call('feedRemove', { name: nameFromText('some') });
    });
    // As if the server had been killed before it removed the row.
    await tamper(path, ({ pass }) => {
      const { key, row: value } = must(row, 'the row');
      pass.put(key, encodePassRow(value));
    });
    assert.equal(kinds(path), []);
    // The next start removes them.
    await makeStore(path, async ({ server }) => {
      while (server.feeds.purge.pending) {
        if (server.feeds.purge.step() > 0) server.commit.note();
        await server.settle();
      }
    });
    await tamper(path, ({ pass }) => assert.is([...pass.keys({})].length, 0));
    assert.equal(kinds(path), []);
  }));

test.run();
