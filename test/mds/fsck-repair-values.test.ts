/** A value whose checksum is broken, in every table: what a repair makes of it. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { fsckStore } from '../../src/mds/fsck.js';
import { repairStore } from '../../src/mds/fsck-repair.js';
import { direntKey, feedKey, fidKey, type TableName, xattrKey } from '../../src/store/keys.js';
import { Store } from '../../src/store/store.js';
import { Bench, breakValue } from '../support/damage.js';
import { FakeClock } from '../support/fake-clock.js';
import type { Made } from './fsck-cases.js';
import { withCaseStore } from './fsck-store.js';

interface Broken {
  readonly what: string;
  readonly table: TableName;
  /** The first key of the table from there on; without it the first of all. */
  readonly key?: (made: Made) => Buffer;
  readonly mended: readonly string[];
  readonly left?: readonly string[];
  /** Inodes that are there afterwards, of 707. */
  readonly inodes?: number;
}

const meta = (name: string) => (): Buffer => Buffer.from(name, 'latin1');

const BROKEN: readonly Broken[] = [
  { what: 'the number of inodes', table: 'meta', key: meta('stats'), mended: ['damaged-value'] },
  {
    what: 'the reserved FIDs',
    table: 'meta',
    key: meta('fid.reserved'),
    mended: ['damaged-value'],
  },
  {
    what: 'the number of the last change',
    table: 'meta',
    key: meta('transno'),
    mended: ['damaged-value'],
  },
  { what: 'the next feed', table: 'meta', key: meta('feed.next'), mended: ['damaged-value'] },
  { what: 'the end of the log', table: 'meta', key: meta('log.end'), mended: ['damaged-value'] },
  {
    what: 'a file',
    table: 'inode',
    key: ({ small }) => Buffer.from(fidKey(small)),
    mended: ['damaged-value', 'dangling-entry', 'entry-count', 'inode-count', 'stray-value'],
    inodes: 706,
  },
  {
    what: 'a directory',
    table: 'inode',
    key: ({ inner }) => Buffer.from(fidKey(inner)),
    mended: [
      'damaged-value',
      'dangling-entry',
      'entry-count',
      'inode-count',
      'link-count',
      'stray-entry',
      'unreachable-inode',
    ],
    // One less, and lost+found.
    inodes: 707,
  },
  {
    what: 'the root',
    table: 'inode',
    key: () => Buffer.from(fidKey(1)),
    mended: ['damaged-value', 'entry-count', 'inode-count', 'link-count', 'missing-root'],
  },
  {
    what: 'an entry',
    table: 'dirent',
    key: ({ inner }) => Buffer.from(direntKey(inner, 0)),
    mended: ['damaged-value', 'entry-count', 'unreachable-inode'],
    inodes: 708,
  },
  {
    what: 'an xattr',
    table: 'xattr',
    key: ({ small }) => xattrKey(small, 'user.x'),
    mended: [],
    left: ['damaged-value'],
  },
  { what: 'contents', table: 'inline', mended: [], left: ['damaged-value'] },
  { what: 'a further name', table: 'link', mended: ['damaged-value'] },
  { what: 'a block of records', table: 'log', mended: ['damaged-block'] },
  {
    what: 'a feed',
    table: 'feed',
    key: () => Buffer.from(feedKey(1)),
    mended: ['damaged-value', 'stray-value'],
  },
  { what: 'a cancelled range', table: 'cancel', mended: ['damaged-value'] },
];

function firstKey(
  path: string,
  table: TableName,
  start: Buffer = Buffer.alloc(1),
): Promise<Buffer> {
  const store = Store.open(path, { create: false });
  const keys = store.tables[table].keys({ start, limit: 1 });
  const [key] = [...keys].map((found) => Buffer.from(found));
  return store.close().then(() => must(key, `a row of ${table}`));
}

for (const { what, table, key, mended, left = [], inodes = 707 } of BROKEN) {
  test(`${what}`, async () => {
    await withCaseStore(async (path, made) => {
      const where = await firstKey(path, table, key?.(made));
      assert.ok((await breakValue(path, table, where)) > 0, 'it is hit');
      const report = await repairStore(path, { clock: new FakeClock() });
      const kindsOf = (list: typeof report.mended) =>
        [...new Set(list.map(({ kind }) => kind))].sort();
      assert.equal(kindsOf(report.mended), [...mended].sort(), JSON.stringify(report.mended));
      assert.equal(kindsOf(report.left.findings), left);
      assert.is(report.left.checked.inodes, inodes);
      const bench = new Bench(path);
      bench.file('goes on');
      await bench.close();
      assert.equal(kindsOf(fsckStore(path).findings), left);
    });
  });
}

test.run();
