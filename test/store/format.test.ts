/** FORMAT.md is read here: its tables and examples must say what the code does. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { type Fid, formatFid, ROOT_FID } from '../../src/base/fid.js';
import { decodeDirent, FIRST_SLOT } from '../../src/mds/dirent-table.js';
import { askedDigest } from '../../src/mds/export/asked-digest.js';
import { readSlotRow, writeSlotRow } from '../../src/mds/export/slot-row.js';
import { decodeInode, encodeInode } from '../../src/mds/inode.js';
import { BUCKET_SLOTS } from '../../src/mds/limits.js';
import { hashKeyFrom, hashName } from '../../src/mds/name-hash.js';
import { decodeFlushed, encodeFlushed } from '../../src/store/flush-marker.js';
import {
  clientKey,
  direntKey,
  fidKey,
  linkKey,
  partsOfClientKey,
  placeOfLinkKey,
  slotKey,
  TABLES,
} from '../../src/store/keys.js';
import { FORMAT_VERSION } from '../../src/store/limits.js';
import { unseal, writeSeal } from '../../src/store/seal.js';

// From dist/test/store to the sources, which the compiler does not copy.
const SOURCES = new URL('../../../src/', import.meta.url);
const FORMAT = fs.readFileSync(new URL('store/FORMAT.md', SOURCES), 'utf8');

function example(name: string): Buffer {
  const block = new RegExp(`\`\`\`${name}\n(.*?)\n\`\`\``, 's').exec(FORMAT);
  const lines = must(block?.[1], `a block of ${name}`).split('\n');
  return Buffer.from(lines.map((line) => line.slice(6, 53).replaceAll(' ', '')).join(''), 'hex');
}

/** The bytes of the first `key …` after a heading. */
function keyAfter(heading: string): Buffer {
  const text = FORMAT.slice(FORMAT.indexOf(heading));
  const hex = /[Kk]ey `((?:[0-9a-f]{2} ?)+)`/.exec(text)?.[1];
  return Buffer.from(must(hex, 'a key').replaceAll(' ', ''), 'hex');
}

function sealed(value: Buffer): Buffer {
  const bytes = Buffer.alloc(value.length + 4);
  bytes.set(value);
  writeSeal(bytes, value);
  return bytes;
}

/** Where the tables of the text say that a field stands. */
function at(field: string): number {
  const row = new RegExp(`^\\| +(\\d+) \\|.*\\| \`${field}\``, 'm').exec(FORMAT);
  return Number(must(row?.[1], `a row for ${field}`));
}

test('the example of an inode says what the text says of it', () => {
  const fid = 131_075 as Fid;
  assert.is(formatFid(fid), '[0x200000401:0x3:0x0]');
  assert.equal(keyAfter('### Inode'), Buffer.from(fidKey(fid)));
  const bytes = example('inode');
  const value = must(unseal(bytes), 'a whole seal');
  const inode = decodeInode(fid, value);
  assert.is(inode.mode, 0o100644);
  assert.equal([inode.nlink, inode.uid, inode.gid], [2, 1000, 100]);
  const primary = direntKey(inode.parent, inode.slot);
  assert.equal(keyAfter('### Directory entry'), Buffer.from(primary));
  assert.equal([inode.size, inode.blocks, inode.layout], [5, 1, 'inline']);
  assert.ok(inode.hasXattrs);
  assert.equal(inode.atime, { sec: 1_700_000_000, nsec: 0 });
  assert.equal(inode.mtime, { sec: 1_700_000_000, nsec: 123_456_789 });
  assert.equal(sealed(encodeInode(inode)), bytes);
});

test('the fields of an inode stand where the table says', () => {
  const inode = decodeInode(5 as Fid, must(unseal(example('inode')), 'inode'));
  inode.mode = 0o120777;
  inode.target = 'target';
  inode.parent = 77 as Fid;
  inode.entries = 78;
  inode.slot = 2 ** 48 + 80;
  inode.generation = 79;
  inode.layout = 'object';
  const bytes = encodeInode(inode);
  assert.is(bytes.readUInt32LE(at('uid')), inode.uid);
  assert.is(bytes.readUInt32LE(at('gid')), inode.gid);
  assert.is(bytes.readUInt32LE(at('size')), inode.size);
  assert.is(bytes[at('layout')], 2);
  assert.is(bytes.readUInt32LE(at('generation')), 79);
  assert.is(bytes.readUInt32LE(at('mtime') + 8), inode.mtime.nsec);
  assert.is(bytes.readUInt32LE(at('parent')), 77);
  assert.is(bytes.readUInt32LE(at('entries')), 78);
  assert.is(bytes.readBigUInt64LE(at('slot')), 2n ** 48n + 80n);
  assert.is(bytes.toString('latin1', at('target')), 'target');
});

test('the example of an entry says what the text says of it', () => {
  const slot =
    FIRST_SLOT + BUCKET_SLOTS * hashName('hello', hashKeyFrom('000102030405060708090a0b0c0d0e0f'));
  assert.equal(keyAfter('### Directory entry'), Buffer.from(direntKey(131_074, slot)));
  const value = must(unseal(example('dirent')), 'a whole seal');
  assert.equal(decodeDirent(slot, value), {
    slot,
    fid: 131_075,
    type: 8,
    name: 'hello',
    chained: false,
  });
});

test('the example of a further name says what the text says of it', () => {
  const key = linkKey(131_075, ROOT_FID, FIRST_SLOT + BUCKET_SLOTS * 5);
  assert.equal(keyAfter('### Further name'), Buffer.from(key));
  assert.equal(placeOfLinkKey(key), { directory: ROOT_FID, slot: FIRST_SLOT + BUCKET_SLOTS * 5 });
  assert.equal(example('link'), sealed(Buffer.alloc(0)));
});

test('the example of a slot says what the text says of it', () => {
  const client = '000102030405060708090a0b0c0d0e0f';
  const key = keyAfter('### Client');
  assert.equal(key, Buffer.from(slotKey(client, 2)));
  assert.equal(partsOfClientKey(key), { client, slot: 2 });
  assert.equal(partsOfClientKey(Buffer.from(clientKey(client))), { client, slot: undefined });
  const bytes = example('slot');
  const value = must(unseal(bytes), 'a whole seal');
  const row = must(readSlotRow(value), 'a row');
  const { attributes, transno, time } = row.result;
  assert.equal([row.xid, row.handle, row.uid, transno], [300, 9, 1000, 77]);
  assert.equal(time, { sec: 1_700_000_000, nsec: 5 });
  assert.is(formatFid(attributes.fid), '[0x200000401:0x3:0x0]');
  assert.equal([attributes.mode, attributes.uid, attributes.gid], [0o100644, 1000, 100]);
  assert.is(value.readUInt32LE(at('handle')), 9);
  assert.equal(Buffer.from(row.asked), askedDigest({ bytes: Buffer.from('abc') }));
  const again = Buffer.alloc(value.length);
  writeSlotRow(again, row);
  assert.equal(sealed(again), bytes);
});

test('the example of a marker says what the text says of it', () => {
  const bytes = example('flushed');
  const flushed = must(decodeFlushed(bytes), 'a marker');
  assert.equal(flushed, { transaction: 4711, bootId: '01234567-89ab-cdef-0123-456789abcdef' });
  assert.equal(encodeFlushed(flushed), bytes);
  assert.is(bytes.length, 56);
});

test('a flipped bit anywhere breaks the seal', () => {
  for (const name of ['inode', 'dirent', 'link', 'slot']) {
    const whole = example(name);
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = Buffer.from(whole);
      bytes[bit >>> 3] = must(bytes[bit >>> 3], 'byte') ^ (1 << (bit & 7));
      assert.is(unseal(bytes), undefined);
    }
  }
});

test('every table, the version and every kind of finding is in the text', () => {
  for (const table of TABLES) assert.match(FORMAT, `| \`${table}\``);
  assert.match(FORMAT, `This is format ${FORMAT_VERSION};`);
  assert.match(FORMAT, `of the tables: ${FORMAT_VERSION}, u32`);
  const [, found = ''] = /^## What fsck finds\n(.*?)^## /ms.exec(FORMAT) ?? [];
  const listed = [...found.matchAll(/^\| `([a-z]+-[a-z]+)` +\|/gm)].map(([, kind]) => kind).sort();
  assert.equal(listed, kindsInTheCode());
});

/** The first arguments of all calls that report a finding. */
function kindsInTheCode(): string[] {
  const kinds = new Set<string>();
  const folder = new URL('mds/fsck/', SOURCES).pathname;
  const files = fs.readdirSync(folder).map((name) => join(folder, name));
  files.push(new URL('mds/fsck.ts', SOURCES).pathname);
  files.push(new URL('store/inspection.ts', SOURCES).pathname);
  for (const file of files) {
    const text = fs.readFileSync(file, 'utf8');
    for (const [, kind] of text.matchAll(/(?:findings\.add|#problem)\(\s*'([a-z-]+)'/g)) {
      kinds.add(must(kind, 'kind'));
    }
  }
  return [...kinds].sort();
}

test.run();
