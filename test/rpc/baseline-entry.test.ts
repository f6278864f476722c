/** Entries of a baseline as bytes: what goes in comes out, FORMAT.md is right, and nothing else is taken. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { type Fid, ROOT_FID } from '../../src/base/fid.js';
import type { BaselineAttributes, BaselineEntry, BaselineObject } from '../../src/rpc/baseline.js';
import {
  BASELINE_ENTRY_BYTES_MAX,
  BaselineDecoder,
  BaselineEncoder,
  BaselineError,
  baselineEntries,
  encodeBaselineEntry,
  wholeEntriesBytes,
} from '../../src/rpc/baseline-entry.js';
import { End, Every, Head, Name, ObjectAt, Xattr } from '../../src/rpc/baseline-layout.js';
import { projectRoot } from '../support/project-root.js';
import { Random } from '../support/random.js';

const FORMAT = fs.readFileSync(join(projectRoot(), 'src/rpc/FORMAT.md'), 'utf8');
const FID = 131_073 as Fid;
const TIME = { sec: 1_700_000_000, nsec: 123_456_789 };

function attributes(more: Partial<BaselineAttributes> = {}): BaselineAttributes {
  return {
    ...{ mode: 0o100644, nlink: 2, uid: 1000, gid: 100, rdev: 0, size: 5 },
    ...{ atime: { sec: 1_700_000_000, nsec: 0 }, mtime: TIME, ctime: { sec: -1, nsec: 5 } },
    ...more,
  };
}

function object(more: Partial<BaselineObject> = {}): BaselineObject {
  return {
    ...{ kind: 'object', fid: FID, parent: ROOT_FID, name: 'a', target: '', xattrs: 1 },
    attributes: attributes(),
    contents: new Uint8Array(Buffer.from('hello')),
    ...more,
  };
}

const EXAMPLES: readonly BaselineEntry[] = [
  {
    ...{ kind: 'head', filesystem: '00112233445566778899aabbccddeeff', transno: 41, objects: 2 },
    feed: { id: 3, name: 'backup' },
    place: { epoch: 0, offset: 8_192, index: 42 },
    time: TIME,
  },
  object(),
  { kind: 'xattr', fid: FID, name: 'user.k', value: new Uint8Array([0x76]) },
  { kind: 'name', fid: FID, parent: ROOT_FID, name: 'b' },
  { kind: 'end', objects: 2, names: 1 },
];

function example(kind: string): Buffer {
  const block = new RegExp(`\`\`\`${kind}\n(.*?)\n\`\`\``, 's').exec(FORMAT);
  const lines = must(block?.[1], `a block of ${kind}`).split('\n');
  return Buffer.from(lines.map((line) => line.slice(6, 53).replaceAll(' ', '')).join(''), 'hex');
}

for (const entry of EXAMPLES) {
  test(`FORMAT.md: ${entry.kind}`, () => {
    const bytes = example(entry.kind);
    assert.equal([...baselineEntries(bytes)], [entry]);
    assert.equal(Buffer.from(encodeBaselineEntry(entry)), bytes);
  });
}

test('the tables of FORMAT.md say where the fields are', () => {
  const sections = { '## Baseline': Every, '### Head': Head, '### Object': ObjectAt };
  const all = { ...sections, '### Xattr': Xattr, '### Name': Name, '### End': End };
  for (const [heading, fields] of Object.entries(all)) {
    const from = FORMAT.indexOf(`${heading}\n`);
    assert.ok(from >= 0, heading);
    const text = FORMAT.slice(from, FORMAT.indexOf('\n#', from + 1));
    for (const [field, at] of Object.entries(fields)) {
      if (field === 'fixed') continue;
      const row = new RegExp(`^\\| +(\\d+) \\|.*\\| \`${field}\` `, 'm').exec(text);
      assert.is(Number(row?.[1]), at, `${heading}: ${field}`);
    }
  }
});

function arbitrary(random: Random): BaselineEntry {
  const text = (max: number): string =>
    Array.from({ length: 1 + random.below(max) }, () =>
      String.fromCharCode(128 + random.below(128)),
    ).join('');
  const bytes = (max: number): Uint8Array => Uint8Array.from(Buffer.from(text(max), 'latin1'));
  const big = (): number => random.below(2 ** 31) * 2 ** 21 + random.below(2 ** 21);
  const time = () => ({ sec: big() - 2 ** 51, nsec: random.below(1_000_000_000) });
  const fid = (): Fid => (131_073 + random.below(1_000) * 131_072) as Fid;
  const ids = { nlink: random.below(2 ** 31), uid: random.below(2 ** 31), gid: 4_294_967_295 };
  const times = { atime: time(), mtime: time(), ctime: time() };
  switch (random.below(5)) {
    case 0:
      return object({
        ...{ fid: fid(), parent: fid(), name: text(255), xattrs: random.below(9) },
        attributes: attributes({ ...ids, ...times, size: 8_192 + big() }),
        contents: [undefined, 'elsewhere', bytes(8_000)][random.below(3)] as Uint8Array,
      });
    case 1:
      return object({
        ...{ fid: fid(), parent: fid(), name: text(255), target: text(4_000) },
        ...{ attributes: attributes({ ...times, mode: 0o120777 }), contents: undefined },
      });
    case 2:
      return { kind: 'xattr', fid: fid(), name: text(255), value: bytes(65_000) };
    case 3:
      return { kind: 'name', fid: fid(), parent: fid(), name: text(255) };
    default:
      return { kind: 'end', objects: big(), names: big() };
  }
}

test('what goes in comes out, as many as fit', () => {
  const random = new Random(7);
  const entries = Array.from({ length: 500 }, () => arbitrary(random));
  const found: BaselineEntry[] = [];
  for (let next = 0; next < entries.length; ) {
    const into = new Uint8Array(BASELINE_ENTRY_BYTES_MAX + random.below(50_000));
    const encoder = new BaselineEncoder(into);
    const before = next;
    for (let entry = entries[next]; entry !== undefined; entry = entries[next]) {
      if (!encoder.add(entry)) break;
      next++;
    }
    assert.ok(next > before, 'a buffer takes one entry at least');
    const written = into.subarray(0, encoder.length);
    found.push(...baselineEntries(written));
    const cut = written.subarray(0, written.length - 1);
    const whole = wholeEntriesBytes(cut);
    assert.is([...baselineEntries(cut.subarray(0, whole))].length, next - before - 1);
  }
  assert.equal(found, entries);
});

test('what is decoded shares no memory with the buffer', () => {
  const bytes = Buffer.from(encodeBaselineEntry(object()));
  const [entry] = [...baselineEntries(bytes)];
  bytes.fill(0);
  assert.equal(entry, object());
});

test('cut off anywhere it is refused, and says where', () => {
  for (const entry of EXAMPLES) {
    const bytes = encodeBaselineEntry(entry);
    for (let length = 1; length < bytes.length; length++) {
      assert.throws(
        () => [...baselineEntries(bytes.subarray(0, length))],
        (error: unknown) => error instanceof BaselineError && error.position === 0,
      );
    }
  }
});

test('with any bit flipped it is refused, or another entry of the same length', () => {
  for (const entry of EXAMPLES) {
    const bytes = encodeBaselineEntry(entry);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Uint8Array.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      try {
        const { size, entry: other } = new BaselineDecoder(flipped).decode(0);
        assert.is(size, bytes.length);
        assert.equal(Buffer.from(encodeBaselineEntry(other)), Buffer.from(flipped));
      } catch (error) {
        if (!(error instanceof BaselineError)) throw error;
      }
    }
  }
});

const REFUSED: readonly (readonly [string, BaselineEntry])[] = [
  ['name', { kind: 'name', fid: FID, parent: ROOT_FID, name: 'a/b' }],
  ['name', { kind: 'name', fid: FID, parent: ROOT_FID, name: '..' }],
  ['name', { kind: 'name', fid: FID, parent: ROOT_FID, name: '.' }],
  ['name', { kind: 'name', fid: FID, parent: ROOT_FID, name: '' }],
  ['name', { kind: 'name', fid: FID, parent: ROOT_FID, name: 'a\0' }],
  ['name', object({ name: '' })],
  ['name', { kind: 'xattr', fid: FID, name: '', value: new Uint8Array(0) }],
  ['parent', object({ parent: 0, name: '' })],
  ['parent', object({ fid: ROOT_FID })],
  ['mode', object({ attributes: attributes({ mode: 0o644 }), contents: undefined })],
];

test('names that lead elsewhere, and objects without a place, are refused', () => {
  for (const [field, entry] of REFUSED) {
    assert.throws(
      () => [...baselineEntries(encodeBaselineEntry(entry))],
      (error: unknown) => error instanceof BaselineError && error.field === field,
      `${entry.kind} ${field}`,
    );
  }
});

test('a version that is not known is told before anything else', () => {
  const bytes = Buffer.from(encodeBaselineEntry(must(EXAMPLES[0], 'head')));
  bytes.writeUInt16LE(2, Every.name);
  bytes.fill(0xff, Head.filesystem);
  assert.throws(() => [...baselineEntries(bytes)], /version at byte 6: 2, not 1/);
});

test('what has no bytes is not encoded', () => {
  const long = 'x'.repeat(256);
  const entries: readonly BaselineEntry[] = [
    object({ name: long }),
    object({ name: '\u0100' }),
    object({ target: 'somewhere' }),
    object({ contents: new Uint8Array(6) }),
    object({ attributes: attributes({ mode: 0o040755 }) }),
    { kind: 'xattr', fid: FID, name: 'a', value: new Uint8Array(65_537) },
    { kind: 'end', objects: -1, names: 0 },
  ];
  for (const entry of entries) {
    assert.throws(
      () => encodeBaselineEntry(entry),
      (error: unknown) => error instanceof BaselineError,
    );
  }
});

test.run();
