/** FORMAT.md: its examples are what the code reads and writes, and its tables list what there is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../../src/base/assert.js';
import { parseFid } from '../../../src/base/fid.js';
import type { Frame } from '../../../src/bridges/stream/frame.js';
import { STREAM_VERSION, TYPES } from '../../../src/bridges/stream/layout.js';
import { MAX_FRAME, PAYLOAD_BYTES_MAX } from '../../../src/bridges/stream/limits.js';
import { decodeRecord } from '../../../src/feed/record-codec.js';
import { projectRoot } from '../../support/project-root.js';
import { encodeAll, parseAll } from './stream-fixture.js';

const FORMAT = readFileSync(join(projectRoot(), 'src/bridges/stream/FORMAT.md'), 'utf8');

/** The bytes of every hex block of the text, one after the other. */
function bytesOfText(): Buffer {
  const blocks = [...FORMAT.matchAll(/```hex\n(.*?)\n```/gs)].map((match) => match[1] ?? '');
  const lines = blocks.flatMap((block) => block.split('\n'));
  return Buffer.from(lines.map((line) => line.slice(6, 53).replaceAll(' ', '')).join(''), 'hex');
}

const FID = must(parseFid('[0x200000401:0x2:0x0]'), 'FID');

test('the example says what the text says of it', () => {
  const { received, error } = parseAll(bytesOfText());
  assert.is(error, undefined);
  const frames = received.map(({ frame }) => frame);
  assert.equal(
    frames.map(({ kind }) => kind).join(' '),
    'header records data hole commit idle end',
  );
  const [header, records, ...rest] = frames;
  assert.equal(header, {
    kind: 'header',
    header: {
      version: 1,
      filesystem: '00112233445566778899aabbccddeeff',
      feed: { id: 3, name: 'backup' },
      kind: 'records',
      from: { epoch: 0, offset: 4096, index: 41 },
      origin: { bootId: '', directory: '/mnt/.lustre/feeds/backup', host: 'a' },
      time: '1700000000000000000',
    },
  });
  assert.ok(records?.kind === 'records');
  const { record, size } = decodeRecord(records.bytes, 0);
  assert.ok(record.op === 'write');
  assert.is(size, records.bytes.length);
  assert.equal([record.op, record.index, record.fid, record.attrs], expectedRecord());
  assert.equal(rest, [
    { kind: 'data', fid: FID, offset: 0, bytes: Buffer.from('hello\n') },
    { kind: 'hole', fid: FID, offset: 4096, length: 4096 },
    {
      kind: 'commit',
      from: { epoch: 0, offset: 4096, index: 41 },
      to: { epoch: 0, offset: 4096 + size, index: 42 },
      transno: 113,
      time: '1700000000000001000',
    },
    {
      kind: 'idle',
      end: { epoch: 0, offset: 4096 + size, index: 42 },
      time: '1700000001000000000',
    },
    { kind: 'end' },
  ] satisfies Frame[]);
});

function expectedRecord(): unknown[] {
  const time = { sec: 1_700_000_000, nsec: 1_000 };
  return ['write', 41, FID, { size: 8192, mtime: time, ctime: time }];
}

test('the example is what the code writes', () => {
  const bytes = bytesOfText();
  assert.equal(encodeAll(parseAll(bytes).received.map(({ frame }) => frame)), bytes);
});

test('the text names every type, the version and the limit', () => {
  const listed = [...FORMAT.matchAll(/^\| (\d+) +\| `([a-z]+)` +\|/gm)].map((row) => [
    row[2],
    Number(row[1]),
  ]);
  assert.equal(Object.fromEntries(listed), TYPES);
  assert.match(FORMAT, `version ${STREAM_VERSION}`);
  assert.match(FORMAT, `${PAYLOAD_BYTES_MAX / 1024 / 1024} MiB`);
  assert.is(MAX_FRAME, PAYLOAD_BYTES_MAX + 16);
});

test.run();
