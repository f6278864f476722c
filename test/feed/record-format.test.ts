/** FORMAT.md is read here: its tables and examples must say what the code does. */
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { must } from '../../src/base/assert.js';
import { parseNdjson, renderNdjson } from '../../src/feed/encodings/ndjson.js';
import type { RecordOp } from '../../src/feed/record.js';
import { decodeRecord, RecordWriter } from '../../src/feed/record-codec.js';
import { At, AttrBit, OPCODES, TAG_NAMES } from '../../src/feed/record-layout.js';

// From dist/test/feed to the sources, which the compiler does not copy.
const FORMAT = readFileSync(new URL('../../../src/feed/FORMAT.md', import.meta.url), 'utf8');

/** The lines of the blocks of a language, block by block. */
function fenced(language: string): string[][] {
  const blocks = FORMAT.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\n\`\`\``, 'gs'));
  return [...blocks].map(([, text]) => must(text, `a block of ${language}`).split('\n'));
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

const [EXAMPLE, DENIED, LOST] = fenced('hex').map((lines) =>
  Buffer.from(lines.map((line) => line.slice(6, 53).replaceAll(' ', '')).join(''), 'hex'),
);
/** Of changes, then of accesses and what is lost. */
const LINES = fenced('ndjson').flat();

/** The worked example is this line of the text, one of many of its operation. */
function checkExample(bytes: Buffer | undefined, at: number): void {
  const example = must(bytes, 'a worked example');
  const { record, size } = decodeRecord(example, 0);
  assert.is(size, example.length);
  assert.equal(record, parseNdjson(must(LINES.at(at), 'a line')).record);
  const writer = new RecordWriter();
  writer.append(record, record);
  assert.equal(Buffer.from(writer.bytes), example);
}

test('the worked examples are lines of the text', () => {
  checkExample(EXAMPLE, 0);
  checkExample(DENIED, -3);
  checkExample(LOST, -1);
});

test('every line of the text reads and renders as it stands, and its record has the length it claims', () => {
  const writer = new RecordWriter();
  for (const line of LINES) {
    const { record, offset } = parseNdjson(line);
    assert.is(renderNdjson(record, offset), `${line}\n`);
    // What stands for lost records ends where they did.
    const start = writer.bytes.length;
    const length = writer.append(record, record);
    assert.is(offset, record.op === 'lost' ? start - length : start);
  }
});

test('there is an example of every operation', () => {
  const ops = new Set(LINES.map((line) => parseNdjson(line).record.op));
  assert.equal([...ops].sort(), Object.keys(OPCODES).sort());
});

test('the table of operations is the layout', () => {
  const named = new Map(
    table('opcode records sections (optional ones in brackets)').map(([name, code]) => [
      code,
      name,
    ]),
  );
  assert.is(named.size, new Set(Object.values(OPCODES)).size);
  for (const [code, name] of named) assert.is(OPCODES[name as RecordOp], code);
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
