import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Watches } from '../../../src/client/import/watches.js';
import { parseWatchRecord } from '../../../src/consumer/watch-record.js';

const WHO = { uid: 7, gid: 7, groups: [], privileged: false };
const NOW = { sec: 1_700_000_000, nsec: 5 };

function read(watches: Watches, id: number, size: number): string {
  const into = new Uint8Array(size);
  const { length } = watches.takeLoss({ id, by: WHO, into });
  return Buffer.from(into.subarray(0, length)).toString();
}

/** What is told of losses, whatever the size of the reads. */
function all(watches: Watches, id: number, size = 10): string {
  let told = '';
  while (watches.tellsOfLoss(id)) told += read(watches, id, size);
  return told;
}

function opened(watches: Watches, server = 9): number {
  return watches.opened({ who: WHO }, { id: server }).id;
}

test('numbers are the clients own', () => {
  const watches = new Watches();
  const [first, second] = [opened(watches, 9), opened(watches, 9)];
  assert.is.not(first, second);
  assert.is(watches.serverId(second), 9);
  watches.lost(NOW);
  assert.is(watches.serverId(second), undefined);
  const [restore] = watches.restores();
  assert.is(restore?.answered(0, { id: 3 }), undefined);
  assert.is(watches.serverId(first), 3);
});

test('a loss is a line that a consumer can read, once', () => {
  const watches = new Watches();
  const id = opened(watches);
  assert.is(watches.tellsOfLoss(id), false);
  watches.lost(NOW);
  watches.lost(NOW);
  const text = all(watches, id);
  assert.is(text.split('\n').length, 2);
  const record = parseWatchRecord(
    { line: text.trim(), text: { start: 0, end: 1 } } as never,
    'watch',
  );
  assert.is(record.op, 'lost');
  assert.is(watches.tellsOfLoss(id), false);
});

test('a second loss while the line is read is a second line', () => {
  const watches = new Watches();
  const id = opened(watches);
  watches.lost(NOW);
  const begin = read(watches, id, 10);
  watches.lost(NOW);
  const text = begin + all(watches, id);
  const lines = text.trim().split('\n');
  assert.is(lines.length, 2);
  for (const line of lines) assert.is(JSON.parse(line).op, 'lost');
});

test('a line that was read in part ends before it', () => {
  const watches = new Watches();
  const id = opened(watches);
  const into = Buffer.from('{"op":"cre');
  watches.read({ id, by: WHO, into }, { length: into.length });
  watches.lost(NOW);
  assert.ok(all(watches, id).startsWith('\n{'));
  const whole = Buffer.from('{}\n');
  watches.read({ id, by: WHO, into: whole }, { length: whole.length });
  watches.lost(NOW);
  assert.ok(all(watches, id).startsWith('{'));
});

test('a filter is set again on the new one', () => {
  const watches = new Watches();
  const id = opened(watches);
  watches.filtered({ id, by: WHO, text: 'x' });
  watches.lost(NOW);
  const next = watches.restores()[0]?.answered(0, { id: 4 });
  assert.equal(next?.request, { id: 4, by: WHO, text: 'x' });
});

test.run();
