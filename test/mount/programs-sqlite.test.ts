/** SQLite in WAL mode on a mounted feedfs: shared memory by mmap, byte-range locks, fsync. */
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ProgramMount, withProgram } from '../programs/program-mount.js';

const WRITERS = 2;
const TRANSACTIONS = 300;
const ROWS_PER_TRANSACTION = 10;
const READS = 500;
/** How long a writer waits for the other, in milliseconds. */
const BUSY_MS = 60_000;
/** A checkpoint into the database after so many pages, so that many happen while both write. */
const CHECKPOINT_PAGES = 50;

const SCHEMA = `
PRAGMA journal_mode = WAL;
CREATE TABLE entry (writer INTEGER, number INTEGER, text TEXT, PRIMARY KEY (writer, number));
CREATE TABLE total (id INTEGER PRIMARY KEY, count INTEGER);
CREATE INDEX entry_text ON entry (text);
INSERT INTO total VALUES (1, 0);
`;

function sqlite(program: ProgramMount, sql: string): Promise<string> {
  const input = `.bail on\n.timeout ${BUSY_MS}\n${sql}`;
  return program.sh('sqlite3', ['-batch', join(program.mnt, 'data.db')], { input });
}

/** Each transaction reads the total and writes it, so that a lost lock loses a count. */
function transactions(writer: number): string {
  const lines = [
    `PRAGMA synchronous = NORMAL;`,
    `PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};`,
  ];
  for (let i = 0; i < TRANSACTIONS; i++) {
    lines.push('BEGIN IMMEDIATE;');
    for (let row = 0; row < ROWS_PER_TRANSACTION; row++) {
      const number = i * ROWS_PER_TRANSACTION + row;
      const text = `text-${(number * 7919) % 1000}-`.repeat(1 + (number % 20));
      lines.push(`INSERT INTO entry VALUES (${writer}, ${number}, '${text}');`);
    }
    lines.push('UPDATE total SET count = count + 1 WHERE id = 1;', 'COMMIT;');
  }
  return lines.join('\n');
}

const EXPECTED = [
  'ok',
  `${WRITERS * TRANSACTIONS}`,
  `${WRITERS * TRANSACTIONS * ROWS_PER_TRANSACTION}`,
];

async function checkDatabase(program: ProgramMount): Promise<void> {
  const sql = 'PRAGMA integrity_check; SELECT count FROM total; SELECT count(*) FROM entry;';
  assert.equal((await sqlite(program, sql)).trim().split('\n'), EXPECTED);
}

test('SQLite in WAL mode under two writing processes keeps its integrity', () =>
  withProgram(async (program) => {
    assert.is((await sqlite(program, SCHEMA)).trim(), 'wal');
    // A reader beside them sees whole transactions only.
    const difference = `SELECT (SELECT count FROM total) * ${ROWS_PER_TRANSACTION} - (SELECT count(*) FROM entry);`;
    const [seen = ''] = await Promise.all([
      sqlite(program, `${difference}\n`.repeat(READS)),
      ...Array.from({ length: WRITERS }, (_, i) => sqlite(program, transactions(i))),
    ]);
    assert.equal([...new Set(seen.trim().split('\n'))], ['0']);
    await checkDatabase(program);
    await program.mount.remount();
    await checkDatabase(program);
    assert.is((await sqlite(program, 'PRAGMA journal_mode = DELETE; VACUUM;')).trim(), 'delete');
    await checkDatabase(program);
  }));

test('SQLite’s rollback journals are made and removed around each transaction', () =>
  withProgram(async (program) => {
    const schema = SCHEMA.replace('WAL', 'DELETE');
    await sqlite(program, schema);
    await Promise.all(Array.from({ length: WRITERS }, (_, i) => sqlite(program, transactions(i))));
    await checkDatabase(program);
  }));

test.run();
