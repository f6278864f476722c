/**
 * The frozen stores, damaged in ways that have a name: what fsck says, and that after a
 * repair tree and feeds are as they were, but for what the verdict names.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { type Fid, formatFid, parseFid } from '../../src/base/fid.js';
import { fsckStore } from '../../src/mds/fsck.js';
import { repairStore } from '../../src/mds/fsck-repair.js';
import { cancelKey, direntKey, fidKey, logKey, partsOfLogKey } from '../../src/store/keys.js';
import { Store, type Tables } from '../../src/store/store.js';
import { pathsOf } from '../../src/store/store-directory.js';
import { breakValue, flipBits, tamper, withTemp } from '../support/damage.js';
import { FakeClock } from '../support/fake-clock.js';
import {
  type Contents,
  contentsOf,
  type Frozen,
  readFrozen,
  thaw,
} from '../support/frozen-store.js';
import { projectRoot } from '../support/project-root.js';
import { Simulated } from '../support/simulated.js';

interface Damage {
  readonly what: string;
  readonly damage: (path: string, frozen: Frozen) => void | Promise<void>;
  /** Kinds that fsck finds. */
  readonly finds: readonly string[];
  /** Of these, what stays. */
  readonly stays?: readonly string[];
  /** Paths that are gone afterwards. */
  readonly gone?: readonly string[];
  /** A directory that is in lost+found afterwards, with all that is in it. */
  readonly moved?: string;
  /** Paths whose attributes or contents are others. */
  readonly changed?: readonly string[];
  /** Feeds that owe something else, or are gone, of those that the format has. */
  readonly feeds?: readonly string[];
  /** Only of this format. */
  readonly format?: number;
}

const INNER = '/top/inner';

function fidOf({ tree }: Frozen, path: string): Fid {
  const [, value] = must(
    tree.find(([known]) => known === path),
    path,
  );
  const { fid } = value as { fid: number | string };
  return (typeof fid === 'string' ? must(parseFid(fid), 'FID') : fid) as Fid;
}

/** The key of the first entry that leads to an object. */
function entryTo(tables: Tables, fid: Fid): Buffer {
  for (const { key, raw } of tables.dirent.entriesRaw({})) {
    if (Number(raw.value.readBigUInt64LE(0)) === fid) return Buffer.from(key);
  }
  throw new Error(`no entry leads to ${fid}`);
}

function lastBlock(tables: Tables): Buffer {
  return Buffer.from(must([...tables.log.keys({})].at(-1), 'block'));
}

const DAMAGES: readonly Damage[] = [
  {
    what: 'lost-counters',
    damage: (path) =>
      tamper(path, ({ meta }) => {
        for (const name of ['stats', 'fid.reserved', 'transno', 'feed.next', 'log.end']) {
          meta.remove(Buffer.from(name));
        }
      }),
    finds: ['bad-feed', 'bad-range', 'damaged-value', 'log-chain'],
  },
  {
    what: 'lost-entry-of-a-directory',
    damage: (path, frozen) =>
      tamper(path, (tables) => tables.dirent.remove(entryTo(tables, fidOf(frozen, INNER)))),
    finds: ['entry-count', 'link-count', 'unreachable-inode'],
    moved: INNER,
    changed: ['', '/top'],
  },
  {
    what: 'entry-of-another-bucket',
    damage: (path, frozen) =>
      tamper(path, ({ dirent }) => {
        const key = Buffer.from(
          must([...dirent.keys({ start: direntKey(fidOf(frozen, INNER), 0), limit: 1 })][0], 'key'),
        );
        const value = Buffer.from(must(dirent.get(key), 'entry'));
        dirent.remove(key);
        dirent.put(direntKey(fidOf(frozen, INNER), 16 + 8 * 4_711), value);
      }),
    finds: ['bad-entry', 'wrong-name'],
  },
  {
    what: 'broken-file',
    damage: async (path, frozen) => {
      await breakValue(path, 'inode', Buffer.from(fidKey(fidOf(frozen, '/small'))));
    },
    finds: ['damaged-value'],
    gone: ['/small'],
  },
  {
    what: 'broken-contents',
    damage: async (path, frozen) => {
      await breakValue(path, 'inline', Buffer.from(fidKey(fidOf(frozen, '/small'))));
    },
    finds: ['damaged-value'],
    stays: ['damaged-value'],
    changed: ['/small'],
  },
  {
    what: 'lost-object',
    damage: (path, frozen) => {
      const fid = fidOf(frozen, '/large');
      const folder = (fid % 256).toString(16).padStart(2, '0');
      fs.rmSync(join(pathsOf(path).objects, folder), { recursive: true });
    },
    finds: ['missing-contents'],
    stays: ['missing-contents'],
    changed: ['/large'],
  },
  {
    what: 'bad-head-of-a-block',
    damage: async (path) => {
      const store = Store.open(path, { create: false });
      const key = lastBlock(store.tables);
      const value = Buffer.from(must(store.tables.log.getRaw(key), 'block').value);
      await store.close();
      flipBits(path, value.subarray(0, 48), 16);
    },
    finds: ['damaged-block'],
  },
  {
    what: 'lost-block',
    damage: (path) => tamper(path, (tables) => tables.log.remove(lastBlock(tables))),
    finds: ['missing-block'],
    stays: ['missing-block'],
    feeds: ['all', 'some', 'none', 'audit', 'limited', 'dropped'],
  },
  {
    what: 'range-beyond-the-log',
    damage: (path) =>
      tamper(path, ({ cancel }) => {
        const value = Buffer.alloc(40);
        for (const [at, number] of [
          [0, 2 ** 40],
          [8, 2 ** 30],
          [16, 2 ** 31],
          [24, 2 ** 40],
          [32, 2 ** 41],
        ] as const) {
          value.writeBigUInt64LE(BigInt(number), at);
        }
        cancel.put(cancelKey(1, 0, 2 ** 39), value);
      }),
    finds: ['bad-range'],
  },
  {
    what: 'broken-feed',
    damage: async (path) => {
      const store = Store.open(path, { create: false });
      const [key] = [...store.tables.feed.keys({ limit: 1 })].map((found) => Buffer.from(found));
      await store.close();
      await breakValue(path, 'feed', must(key, 'feed'));
    },
    finds: ['damaged-value'],
    feeds: ['all'],
  },
  {
    what: 'stray-block-of-another-epoch',
    damage: (path) =>
      tamper(path, ({ log }) => {
        const key = must(
          [...log.keys({ limit: 1 })].map((found) => Buffer.from(found))[0],
          'block',
        );
        const value = Buffer.from(must(log.get(key), 'block'));
        log.put(logKey(7, partsOfLogKey(key).offset), value);
      }),
    finds: ['stray-value'],
    format: 2,
  },
];

/** What differs of two stores: paths that are gone, new or changed, and feeds. */
function differences(before: Contents, after: Contents) {
  const old = new Map(before.tree);
  const now = new Map(after.tree);
  const same = (path: string) => JSON.stringify(old.get(path)) === JSON.stringify(now.get(path));
  const names = new Set([...Object.keys(before.feeds), ...Object.keys(after.feeds)]);
  return {
    gone: [...old.keys()].filter((path) => !now.has(path)),
    come: [...now.keys()].filter((path) => !old.has(path)),
    changed: [...now.keys()].filter((path) => old.has(path) && !same(path)),
    feeds: [...names].filter((name) => !toldTheSame(name, before.feeds[name], after.feeds[name])),
  };
}

/** In a feed that is full the record that tells of the repair takes the place of an older one. */
const FULL = 'dropped';

function toldTheSame(name: string, before: string | undefined, after = ''): boolean {
  const marked = withoutMark(after) !== after;
  return before === withoutMark(after) || (name === FULL && marked);
}

/** Length, opcode, and where the number of lost records stands in a record that has no job id. */
const OPCODE_AT = 6;
const LOST = 0x102;
const LOST_RECORDS_AT = 112;

/** The stream without the record that tells of the repair, if it ends with one. */
function withoutMark(base64: string): string {
  const stream = Buffer.from(base64, 'base64');
  let last = 0;
  for (let at = 0; at < stream.length; at += stream.readUInt32LE(at)) last = at;
  const marked =
    stream.length > 0 &&
    stream.readUInt16LE(last + OPCODE_AT) === LOST &&
    stream.readBigUInt64LE(last + LOST_RECORDS_AT) === 0n;
  return marked ? stream.subarray(0, last).toString('base64') : base64;
}

async function readStore(path: string): Promise<Contents> {
  const sim = new Simulated(path, {});
  await sim.settle();
  const contents = await contentsOf(sim);
  await sim.close();
  return contents;
}

for (const format of [1, 2]) {
  const frozen = readFrozen(join(projectRoot(), `test/formats/format-${format}.json.gz`));
  for (const one of DAMAGES) {
    if (one.format !== undefined && one.format !== format) continue;
    test(`format ${format}, ${one.what}`, async () => {
      await withTemp(async (folder) => {
        const path = join(folder, 'store');
        thaw(frozen, path);
        await one.damage(path, frozen);
        const kinds = (findings: readonly { readonly kind: string }[]) =>
          [...new Set(findings.map(({ kind }) => kind))].sort();
        assert.equal(kinds(fsckStore(path).findings), one.finds);
        const { left } = await repairStore(path, { clock: new FakeClock() });
        assert.equal(kinds(left.findings), one.stays ?? []);
        const { gone, come, changed, feeds } = differences(frozen, await readStore(path));
        const { moved } = one;
        if (moved === undefined) {
          assert.equal([gone, come], [one.gone ?? [], []]);
        } else {
          const home = `/lost+found/${formatFid(fidOf(frozen, moved))}`;
          assert.equal(
            come.filter((name) => name !== '/lost+found').sort(),
            gone.map((name) => name.replace(moved, home)).sort(),
          );
          assert.ok(gone.includes(moved));
        }
        assert.equal(changed, one.changed ?? []);
        const known = (one.feeds ?? []).filter((name) => name in frozen.feeds);
        assert.equal(feeds, known);
      });
    });
  }
}

test.run();
