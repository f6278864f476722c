/** FORMAT.md is read here: its tables and examples must say what the code does. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { parseNdjson, renderNdjson } from '../../src/feed/encodings/ndjson.js';
import { decodeRecord, RecordWriter } from '../../src/feed/record-codec.js';
import { At, AttrBit, TAG_NAMES } from '../../src/feed/record-layout.js';

// From dist/test/feed to the sources, which the compiler does not copy.
const FORMAT = readFileSync(new URL('../../../src/feed/FORMAT.md', import.meta.url), 'utf8');

function fenced(language: string): string[] {
  const block = new RegExp(`\`\`\`${language}\n(.*?)\n\`\`\``, 's').exec(FORMAT);
  return must(block?.[1], `a block of ${language}`).split('\n');
}

function cells(row: string): string[] {
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** Field name and the number in the first column, of each row of the table with these column titles. */
function table(columns: string): Array<[string, number]> {
  const lines = FORMAT.split('\n');
  const title = lines.findIndex((line) => cells(line).join(' ') === columns);
  const rows: Array<[string, number]> = [];
  for (const line of lines.slice(title + 2)) {
    if (!line.startsWith('|')) break;
    const [first, ...rest] = cells(line);
    const field = /`(\w+)`/.exec(rest.join(' '))?.[1];
    rows.push([must(field, `a field in ${line}`), Number(first)]);
  }
  return rows;
}

const EXAMPLE = Buffer.from(
  fenced('hex')
    .map((line) => line.slice(6, 53).replaceAll(' ', ''))
    .join(''),
  'hex',
);

test('the worked example is the first line of the text', () => {
  const { record, size } = decodeRecord(EXAMPLE, 0);
  assert.is(size, EXAMPLE.length);
  assert.equal(record, parseNdjson(must(fenced('ndjson')[0], 'a line')).record);
});

test('every line of the text reads and renders as it stands, and its record has the length it claims', () => {
  const writer = new RecordWriter();
  for (const line of fenced('ndjson')) {
    const { record, offset } = parseNdjson(line);
    assert.is(renderNdjson(record, offset), `${line}\n`);
    assert.is(offset, writer.bytes.length);
    writer.append(record, record);
  }
  assert.equal(Buffer.from(writer.bytes.subarray(0, EXAMPLE.length)), EXAMPLE);
});

test('there is an example of every operation', () => {
  const ops = new Set(fenced('ndjson').map((line) => parseNdjson(line).record.op));
  assert.is(ops.size, 12);
});

test('the table of the header is the layout', () => {
  assert.equal(table('offset bytes field meaning'), Object.entries(At));
});

test('the table of attributes is the layout', () => {
  const rows = table('bit bytes value');
  assert.equal(rows, Object.entries(AttrBit));
});

test('the table of sections is the layout', () => {
  assert.equal(
    table('tag section payload'),
    TAG_NAMES.slice(1).map((name, i) => [name, i + 1]),
  );
});

test.run();
