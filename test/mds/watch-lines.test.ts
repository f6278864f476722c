/** How the lines of a watch come out of its reads: whole, in parts, judged when it is their turn. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseFilter } from '../../src/feed/filter.js';
import { PrivilegedView, type WatchView } from '../../src/mds/watch-view.js';
import { fixture, namesOf, read } from './watch-log-model.js';

test('whole lines while one fits, else a plain byte stream', () => {
  const { log, watch } = fixture();
  for (const name of ['a', 'b', 'c']) log.change(name);
  const line = JSON.stringify(log.records[0]).length;
  const two = read(watch, line * 2 + 400);
  assert.ok(two.endsWith('}\n'));
  let rest = '';
  for (let part = read(watch, 10); part !== ''; part = read(watch, 10)) {
    assert.ok(part.length <= 10);
    rest += part;
  }
  assert.equal(namesOf(two + rest), ['a', 'b', 'c']);
});

test('a refused filter says why at the next read, and another may follow', () => {
  const { log, watch } = fixture();
  watch.refused('filter: no');
  assert.is(watch.ready, true);
  assert.equal(JSON.parse(read(watch)), { op: 'refused', reason: 'filter: no' });
  watch.filter(parseFilter(''));
  log.change('a');
  assert.equal(namesOf(read(watch)), ['a']);
});

test('a refusal waits for the end of a line that was begun, and the last one counts', () => {
  const { log, watch } = fixture();
  log.change('a');
  log.change('b');
  const begun = read(watch, 40);
  watch.refused('first');
  watch.refused('second');
  const lines = (begun + read(watch)).split('\n').filter(Boolean);
  assert.is(lines.length, 3);
  assert.equal(namesOf(`${lines[0]}\n${lines[2]}`), ['a', 'b']);
  assert.equal(JSON.parse(lines[1] ?? ''), { op: 'refused', reason: 'second' });
  assert.is(watch.ready, false);
});

test('a filter that is taken leaves the rest of a refusal, and no later one', () => {
  const { log, watch } = fixture();
  watch.refused('first');
  const begun = read(watch, 5);
  watch.refused('second');
  watch.filter(parseFilter(''));
  log.change('a');
  const lines = (begun + read(watch)).split('\n').filter(Boolean);
  assert.equal(JSON.parse(lines[0] ?? ''), { op: 'refused', reason: 'first' });
  assert.equal(namesOf(lines.slice(1).join('\n')), ['a']);
});

/** Shows each record as two lines, while it may. */
function twoLines(shut: Set<number>): WatchView {
  const privileged = new PrivilegedView(() => true);
  return {
    checkFilter: () => {},
    judge: (filter, change, body) => privileged.judge(filter, change, body),
    judgeNow: ({ index }) => (shut.has(index) ? 'hidden' : 'shown'),
    lines: (_filter, queued, _record, { index }) =>
      [index, index + 1].map((number) => ({ text: `${number} of ${queued.index}\n`, of: queued })),
    lossLine: () => 'lost\n',
  };
}

test('two lines of one record are two lines', () => {
  const { log, watch } = fixture(twoLines(new Set()));
  log.change('a');
  log.change('b');
  assert.is(read(watch, 8), '1 of 1\n');
  assert.is(watch.ready, true);
  // The second does not hold the log.
  assert.is(watch.oldest?.index, 2);
  assert.is(read(watch, 15), '2 of 1\n3 of 2\n');
  assert.is(read(watch, 3), '4 o');
  assert.is(read(watch), 'f 2\n');
  assert.is(watch.ready, false);
});

test('the second is judged when it is its turn, and leaves no gap', () => {
  const shut = new Set<number>();
  const { log, watch } = fixture(twoLines(shut));
  log.change('a');
  log.change('b');
  assert.is(read(watch, 8), '1 of 1\n');
  shut.add(1);
  assert.is(read(watch), '2 of 2\n3 of 2\n');
});

test('what nobody can judge any more is lost, with a line', () => {
  const { log, watch } = fixture({ ...twoLines(new Set()), judgeNow: () => 'lost' });
  log.change('a');
  assert.is(watch.ready, true);
  assert.is(read(watch), 'lost\n');
  assert.is(read(watch), '');
});

test.run();
