import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recoveryText } from '../../src/client/control/recovery-text.js';
import type { ClientId, RecoveryStatus } from '../../src/rpc/session.js';

const NOTHING: RecoveryStatus = {
  state: 'inactive',
  boot: undefined,
  started: undefined,
  durationSec: 0,
  leftSec: undefined,
  windowSec: 60,
  clients: [],
  reopened: 0,
  replayed: 0,
  refused: 0,
  committed: 7,
  last: 9,
};

test('a server that had nobody to wait for', () => {
  assert.is(
    recoveryText(NOTHING),
    [
      'status: INACTIVE',
      'completed_clients: 0/0',
      'missing_clients: 0/0',
      'evicted_clients: 0/0',
      'reopened_files: 0',
      'replayed_requests: 0',
      'refused_requests: 0',
      'last_transno: 9',
      'last_committed: 7',
      '',
    ].join('\n'),
  );
});

test('a recovery that waits for somebody', () => {
  const client = 'c'.repeat(32) as ClientId;
  const text = recoveryText({
    ...NOTHING,
    state: 'opens',
    started: { sec: 1_700_000_000, nsec: 5 },
    durationSec: 2.4,
    leftSec: 57.6,
    clients: [{ client, name: 'a\nb', state: 'missing', reason: undefined }],
  });
  const lines = text.split('\n');
  assert.is(lines[0], 'status: RECOVERING');
  assert.ok(lines.includes('recovery_start: 1700000000'));
  assert.ok(lines.includes('time_remaining: 58'));
  assert.ok(lines.includes('missing_clients: 1/1'));
  assert.ok(lines.includes(`client: ${client} missing "a\\nb"`), 'a name makes no line of its own');
});

test.run();
