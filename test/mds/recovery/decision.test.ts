/** Every row of the tables of a recovery, by name; what has no row here has none there. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  CLIENT_TABLE,
  type ClientEvent,
  type ClientPhase,
  decideClient,
  decideServer,
  isAwaited,
  isTurn,
  SERVER_TABLE,
  type ServerEvent,
} from '../../../src/mds/recovery/decision.js';
import type { RecoveryState, RecoveryStep } from '../../../src/rpc/session.js';

type ClientRow = readonly [ClientPhase, ClientEvent, ClientPhase, string];
type ServerRow = readonly [RecoveryState, ServerEvent, RecoveryState, string];

const CLIENT_ROWS: readonly ClientRow[] = [
  ['missing', 'connected', 'opens', 'forget begin-opens'],
  ['missing', 'late', 'evicted', 'forget evict'],
  ['missing', 'gone', 'evicted', 'forget remove'],
  ['opens', 'connected', 'opens', 'forget begin-opens'],
  ['opens', 'opens-done', 'opened', ''],
  ['opens', 'disconnected', 'missing', 'forget'],
  ['opens', 'late', 'evicted', 'forget evict'],
  ['opens', 'gone', 'evicted', 'forget remove'],
  ['opened', 'connected', 'opens', 'forget begin-opens'],
  ['opened', 'turn', 'replays', 'begin-replays'],
  ['opened', 'disconnected', 'missing', 'forget'],
  ['opened', 'gone', 'evicted', 'forget remove'],
  ['replays', 'connected', 'opens', 'forget begin-opens'],
  ['replays', 'replays-done', 'replayed', ''],
  ['replays', 'disconnected', 'missing', 'forget'],
  ['replays', 'failed', 'evicted', 'forget evict'],
  ['replays', 'late', 'evicted', 'forget evict'],
  ['replays', 'gone', 'evicted', 'forget remove'],
  ['replayed', 'connected', 'opens', 'forget begin-opens'],
  ['replayed', 'turn', 'locks', 'begin-locks'],
  ['replayed', 'disconnected', 'missing', 'forget'],
  ['replayed', 'failed', 'evicted', 'forget evict'],
  ['replayed', 'gone', 'evicted', 'forget remove'],
  ['locks', 'connected', 'opens', 'forget begin-opens'],
  ['locks', 'locks-done', 'done', ''],
  ['locks', 'disconnected', 'missing', 'forget'],
  ['locks', 'late', 'evicted', 'forget evict'],
  ['locks', 'gone', 'evicted', 'forget remove'],
  ['done', 'connected', 'opens', 'forget begin-opens'],
  ['done', 'disconnected', 'away', ''],
  ['done', 'gone', 'evicted', 'forget remove'],
  ['away', 'connected', 'opens', 'forget begin-opens'],
  ['away', 'gone', 'evicted', 'forget remove'],
];

const SERVER_ROWS: readonly ServerRow[] = [
  ['waiting', 'somebody', 'opens', ''],
  ['waiting', 'none-left', 'complete', 'finish'],
  ['waiting', 'time-over', 'waiting', 'evict-late'],
  ['opens', 'all-opened', 'replays', 'replays'],
  ['opens', 'none-left', 'complete', 'finish'],
  ['opens', 'time-over', 'opens', 'evict-late'],
  ['replays', 'all-replayed', 'locks', 'locks'],
  ['replays', 'none-left', 'complete', 'finish'],
  ['replays', 'time-over', 'replays', 'evict-late'],
  ['locks', 'all-locked', 'complete', 'finish'],
  ['locks', 'none-left', 'complete', 'finish'],
  ['locks', 'time-over', 'locks', 'evict-late'],
];

for (const [phase, event, next, actions] of CLIENT_ROWS) {
  test(`client: ${phase}, ${event}`, () => {
    const decision = decideClient(phase, event);
    assert.is(decision?.next, next);
    assert.is(decision?.actions.join(' '), actions);
  });
}

for (const [state, event, next, actions] of SERVER_ROWS) {
  test(`server: ${state}, ${event}`, () => {
    const decision = decideServer(state, event);
    assert.is(decision?.next, next);
    assert.is(decision?.actions.join(' '), actions);
  });
}

/** `state event` of all rows, sorted. */
function namesOf(table: object): string[] {
  return Object.entries(table)
    .flatMap(([state, row]) => Object.keys(row as object).map((event) => `${state} ${event}`))
    .sort();
}

test('the tables have no other rows', () => {
  const name = ([state, event]: readonly [string, string, ...unknown[]]): string =>
    `${state} ${event}`;
  assert.equal(namesOf(CLIENT_TABLE), CLIENT_ROWS.map(name).sort());
  assert.equal(namesOf(SERVER_TABLE), SERVER_ROWS.map(name).sort());
});

test('an evicted client never comes back, and a recovery that is over never goes on', () => {
  assert.equal(CLIENT_TABLE.evicted, {});
  assert.equal([SERVER_TABLE.complete, SERVER_TABLE.inactive], [{}, {}]);
});

test('from every phase a client that does what it is told gets to the end', () => {
  const way: readonly ClientEvent[] = [
    'connected',
    'opens-done',
    'turn',
    'replays-done',
    'turn',
    'locks-done',
  ];
  for (const from of Object.keys(CLIENT_TABLE) as ClientPhase[]) {
    if (from === 'evicted') continue;
    let phase: ClientPhase | undefined = from;
    for (const event of way) phase = phase && decideClient(phase, event)?.next;
    assert.is(phase, 'done', from);
  }
});

test('whom the end of a step waits for', () => {
  const awaited = (step: RecoveryStep): string =>
    (Object.keys(CLIENT_TABLE) as ClientPhase[])
      .filter((phase) => isAwaited(phase, step))
      .join(' ');
  assert.is(awaited('opens'), 'missing opens');
  assert.is(awaited('replays'), 'missing opens opened replays');
  assert.is(awaited('locks'), 'missing opens opened replays replayed locks');
});

test('whose turn it is', () => {
  assert.equal(
    (['opens', 'replays', 'locks'] as const).map((state) => [
      isTurn(state, 'opened'),
      isTurn(state, 'replayed'),
    ]),
    [
      [false, false],
      [true, false],
      [true, true],
    ],
  );
});

test.run();
