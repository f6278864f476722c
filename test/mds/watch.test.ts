/** A watch over a log and a view of the test's own: order, bounds, parts of lines, revocation. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ROOT_FID } from '../../src/base/fid.js';
import { parseFilter } from '../../src/feed/filter.js';
import type { LogOffset, RecordBody, RecordIndex } from '../../src/feed/record.js';
import { WATCH_QUEUE_RECORDS_MAX } from '../../src/mds/limits.js';
import { PrivilegedView } from '../../src/mds/watch-view.js';
import { fixture, HEAD, namesOf, read } from './watch-log-model.js';

test('records in order, once visible, each once', () => {
  const { log, watch } = fixture();
  log.change('a');
  log.change('b');
  log.change('c', false);
  assert.is(watch.ready, true);
  assert.equal(namesOf(read(watch)), ['a', 'b']);
  assert.is(watch.ready, false);
  assert.is(read(watch), '');
  log.visible = 3;
  assert.equal(namesOf(read(watch)), ['c']);
});

test('a filter drops what was before it, and comes first or not at all', () => {
  const seen: string[] = [];
  const view = new PrivilegedView((filter, _change, body) => {
    seen.push(body.op);
    return filter.ops?.has('create') !== false;
  });
  const { log, watch } = fixture(view);
  log.change('before');
  watch.filter(parseFilter('{"ops":"create"}'));
  log.change('after');
  assert.equal(namesOf(read(watch)), ['after']);
  assert.throws(() => watch.filter(parseFilter('')), /has begun/);
  assert.is(seen.length, 2);
});

test('a record that was judged before the filter does not come after it', () => {
  const { watch } = fixture();
  const body: RecordBody = { op: 'create', parent: ROOT_FID, name: 'x', attrs: {} };
  const taker = watch.takes(HEAD, body);
  watch.filter(parseFilter('{"ops":"unlink"}'));
  taker?.took({ epoch: 0, offset: 0 as LogOffset, index: 1 as RecordIndex });
  assert.is(watch.oldest, undefined);
});

test('beyond the bound the oldest go, and one line tells how many', () => {
  const made = fixture();
  const { log, watch } = made;
  for (let i = 0; i < WATCH_QUEUE_RECORDS_MAX + 5; i++) log.change(`${i}`);
  const [first = '', second = ''] = read(watch).split('\n');
  const { op, lost } = JSON.parse(first) as { op: string; lost: Record<string, string> };
  assert.is(op, 'lost');
  assert.equal([lost.firstIndex, lost.lastIndex, lost.records], ['1', '5', '5']);
  assert.equal(namesOf(second), ['5']);
  assert.is(made.lost, 5);
});

test('what the log lets go of, or cannot give, is lost', () => {
  const { log, watch } = fixture();
  for (const name of ['a', 'b', 'c', 'd']) log.change(name);
  delete log.records[2];
  watch.trim(0, 2);
  const text = read(watch);
  const first = JSON.parse(text.slice(0, text.indexOf('\n'))) as { lost: unknown };
  assert.equal(first.lost, {
    firstIndex: '1',
    lastIndex: '2',
    records: '2',
    bytes: '0',
    reason: 'not read in time',
  });
  assert.equal(namesOf(text), [undefined, undefined, 'd']);
  log.change('e');
  watch.trim(1, 0);
  assert.match(read(watch), /"op":"lost"/);
  assert.is(watch.oldest, undefined);
});

test('what does not fit any more is judged again at the next read', () => {
  const privileged = new PrivilegedView(() => true);
  const shut = new Set<number>();
  const { log, watch } = fixture({
    checkFilter: () => {},
    judge: (filter, change, body) => privileged.judge(filter, change, body),
    judgeNow: ({ index }) => (shut.has(index) ? 'hidden' : 'shown'),
    lines: (filter, queued, record) => privileged.lines(filter, queued, record),
    lossLine: () => '',
  });
  for (const name of ['a', 'b', 'c']) log.change(name);
  assert.equal(namesOf(read(watch, 300)), ['a']);
  shut.add(2);
  assert.is(watch.ready, true);
  shut.clear();
  // Looked at while it was shut, so it is gone.
  assert.equal(namesOf(read(watch)), ['c']);
});

test('a closed watch takes nothing and keeps nothing', () => {
  const { log, watch } = fixture();
  log.change('a');
  const body: RecordBody = { op: 'create', parent: ROOT_FID, name: 'x', attrs: {} };
  const taker = watch.takes(HEAD, body);
  watch.close();
  taker?.took({ epoch: 0, offset: 1 as LogOffset, index: 2 as RecordIndex });
  assert.is(watch.oldest, undefined);
  assert.is(watch.ready, false);
});

test.run();
