/** Damage of LMDB's pages that leaves them looking right: each of these would end the process that maps them. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { fsckStore } from '../../src/mds/fsck.js';
import { type EnvironmentFile, readEnvironmentFile } from '../../src/store/environment-file.js';
import { pathsOf } from '../../src/store/store-directory.js';
import { makeStore, withTemp } from '../support/damage.js';

const HEAD_BYTES = 24;
const LEAF = 2;

interface Pages {
  readonly bytes: Buffer;
  readonly file: EnvironmentFile;
}

/** Where the page begins that holds the inodes, or the first of them. */
function leafOf({ bytes, file }: Pages, table: string): number {
  let page = treeAt({ bytes, file }, table).root * file.pageBytes;
  while (bytes.readUInt16LE(page + 18) !== LEAF) {
    const node = page + HEAD_BYTES + bytes.readUInt16LE(page + HEAD_BYTES);
    page = bytes.readUInt32LE(node) * file.pageBytes;
  }
  return page;
}

/** Where the head of a table's tree stands in the table of tables, and its root. */
function treeAt({ bytes, file }: Pages, table: string): { at: number; root: number } {
  const { tables } = must(file.snapshots[0], 'snapshot');
  const page = Number(tables.readBigUInt64LE(40)) * file.pageBytes;
  for (let i = 0; i < bytes.readUInt16LE(page + 20) / 2; i++) {
    const node = page + HEAD_BYTES + bytes.readUInt16LE(page + HEAD_BYTES + 2 * i);
    const keyEnd = node + 8 + bytes.readUInt16LE(node + 6);
    if (bytes.toString('latin1', node + 8, keyEnd).replace('\0', '') !== table) continue;
    return { at: keyEnd, root: Number(bytes.readBigUInt64LE(keyEnd + 40)) };
  }
  throw new Error(`no table ${table}`);
}

const firstNode = (bytes: Buffer, page: number): number =>
  page + HEAD_BYTES + bytes.readUInt16LE(page + HEAD_BYTES);

interface Damage {
  readonly what: string;
  readonly damage: (pages: Pages) => void;
  readonly says: RegExp;
}

const DAMAGES: readonly Damage[] = [
  {
    what: 'a key that is longer than it was',
    damage: (pages) => {
      const at = firstNode(pages.bytes, leafOf(pages, 'inode')) + 6;
      pages.bytes.writeUInt16LE(pages.bytes.readUInt16LE(at) - 2, at);
    },
    says: /nodes/,
  },
  {
    what: 'a page of a transaction to come',
    damage: (pages) => {
      pages.bytes.writeUInt8(0x99, leafOf(pages, 'inode') + 15);
    },
    says: /of a transaction to come/,
  },
  {
    what: 'a tree whose keys are to be compared otherwise',
    damage: (pages) => {
      pages.bytes.writeUInt16LE(4, treeAt(pages, 'inode').at + 4);
    },
    says: /its tree has flags 4/,
  },
  {
    what: 'a tree that counts its pages wrongly',
    damage: (pages) => {
      pages.bytes.writeUInt8(200, treeAt(pages, 'inode').at + 16);
    },
    says: /leaf pages, not 200/,
  },
  {
    what: 'a free page that is in use',
    damage: (pages) => {
      const { bytes, file } = pages;
      const { free } = must(file.snapshots[0], 'snapshot');
      const node = firstNode(bytes, Number(free.readBigUInt64LE(40)) * file.pageBytes);
      const list = node + 8 + bytes.readUInt16LE(node + 6);
      const page = leafOf(pages, 'inode') / file.pageBytes;
      bytes.writeBigUInt64LE(1n, list);
      bytes.writeBigUInt64LE(BigInt(page), list + 8);
    },
    says: /is used twice/,
  },
];

for (const { what, damage, says } of DAMAGES) {
  test(`${what}`, async () => {
    await withTemp(async (folder) => {
      const path = join(folder, 'store');
      await makeStore(path, (bench) => {
        for (let i = 0; i < 50; i++) bench.file(`file ${i}`);
      });
      assert.equal(fsckStore(path).findings, []);
      const { data } = pathsOf(path);
      const bytes = fs.readFileSync(data);
      damage({ bytes, file: must(readEnvironmentFile(data), 'environment') });
      fs.writeFileSync(data, bytes);
      const found = fsckStore(path).findings.filter(({ kind }) => kind === 'damaged-page');
      assert.ok(
        found.some(({ message }) => says.test(message)),
        JSON.stringify(found),
      );
    });
  });
}

test.run();
