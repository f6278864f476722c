import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type ImportEvent, type ImportState, nextState } from '../../../src/client/import/state.js';

const STATES: readonly ImportState[] = [
  'DISCONNECTED',
  'CONNECTING',
  'REOPENING',
  'REPLAYING',
  'LOCKING',
  'RESTORING',
  'FULL',
  'EVICTED',
];
const EVENTS: readonly ImportEvent[] = [
  'connect',
  'lost',
  'new',
  'resumed',
  'recover',
  'evicted',
  'opens',
  'replays',
  'locks',
  'full',
  'restored',
  'anew',
];

const ROWS: readonly (readonly [string, ImportState, ImportEvent, ImportState])[] = [
  ['an attempt begins', 'DISCONNECTED', 'connect', 'CONNECTING'],
  ['it is given up', 'DISCONNECTED', 'evicted', 'EVICTED'],
  ['a new client', 'CONNECTING', 'new', 'RESTORING'],
  ['the same server', 'CONNECTING', 'resumed', 'RESTORING'],
  ['another run of the server', 'CONNECTING', 'recover', 'REOPENING'],
  ['evicted while away', 'CONNECTING', 'evicted', 'EVICTED'],
  ['no connection', 'CONNECTING', 'lost', 'DISCONNECTED'],
  ['the first step', 'REOPENING', 'opens', 'REOPENING'],
  ['the second step', 'REOPENING', 'replays', 'REPLAYING'],
  ['it was done with two steps', 'REOPENING', 'locks', 'LOCKING'],
  ['it was done with all', 'REOPENING', 'full', 'RESTORING'],
  ['evicted as it reopens', 'REOPENING', 'evicted', 'EVICTED'],
  ['lost as it reopens', 'REOPENING', 'lost', 'DISCONNECTED'],
  ['told again', 'REPLAYING', 'replays', 'REPLAYING'],
  ['the third step', 'REPLAYING', 'locks', 'LOCKING'],
  ['no third step', 'REPLAYING', 'full', 'RESTORING'],
  ['evicted as it replays', 'REPLAYING', 'evicted', 'EVICTED'],
  ['lost as it replays', 'REPLAYING', 'lost', 'DISCONNECTED'],
  ['told again', 'LOCKING', 'locks', 'LOCKING'],
  ['the recovery ends', 'LOCKING', 'full', 'RESTORING'],
  ['evicted as it locks', 'LOCKING', 'evicted', 'EVICTED'],
  ['lost as it locks', 'LOCKING', 'lost', 'DISCONNECTED'],
  ['consumers are back', 'RESTORING', 'restored', 'FULL'],
  ['evicted as it restores', 'RESTORING', 'evicted', 'EVICTED'],
  ['lost as it restores', 'RESTORING', 'lost', 'DISCONNECTED'],
  ['lost', 'FULL', 'lost', 'DISCONNECTED'],
  ['evicted', 'FULL', 'evicted', 'EVICTED'],
  ['it goes on like a new one', 'EVICTED', 'anew', 'RESTORING'],
  ['told again', 'EVICTED', 'evicted', 'EVICTED'],
  ['the connection ends after it', 'EVICTED', 'lost', 'DISCONNECTED'],
];

for (const [name, state, event, next] of ROWS) {
  test(`${name}: ${event} in ${state}`, () => assert.is(nextState(state, event), next));
}

test('nothing else can be', () => {
  const known = new Set(ROWS.map(([, state, event]) => `${state} ${event}`));
  for (const state of STATES) {
    for (const event of EVENTS) {
      if (known.has(`${state} ${event}`)) continue;
      assert.is(nextState(state, event), undefined, `${event} in ${state}`);
    }
  }
});

test.run();
