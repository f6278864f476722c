import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { noCounts } from '../../src/bridges/receive/counts.js';
import type { Shortfall } from '../../src/bridges/receive/target.js';
import type { Context } from '../../src/cli/command.js';
import { ReceiveReport } from '../../src/cli/receive-report.js';

test('of many shortfalls the last line lists some, with names that it can hold', async () => {
  const lines: string[] = [];
  const output = {
    write: async (text: string) => void lines.push(text),
    message: () => {},
  };
  const context = { output, now: () => 0n } as unknown as Context;
  const report = new ReceiveReport({ context, counts: noCounts(), json: true });
  const first = Array.from({ length: 1_000 }, (_, i): Shortfall => {
    return { what: 'owner', path: `${i}/${'é'.repeat(4_000)}`, detail: '', errno: 1 };
  });
  report.done({ progress: undefined, shortfalls: { count: 5_000, first } });
  await report.end();
  const [line = '', ...more] = lines;
  assert.equal(more, []);
  assert.ok(Buffer.byteLength(line) < 128 * 1024, `${Buffer.byteLength(line)} bytes`);
  const { shortfalls } = JSON.parse(line) as { shortfalls: { count: number; first: Shortfall[] } };
  assert.is(shortfalls.count, 5_000);
  assert.is(shortfalls.first.length, 100);
  assert.match(shortfalls.first[7]?.path ?? '', /^7\/é{510}…$/);
});

test.run();
