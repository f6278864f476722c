/** What a recovery tells of itself. */
import type { Timespec } from '../../base/time.js';
import type { RecoveryState, RecoveryStatus } from '../../rpc/session.js';
import type { ClientPhase } from './decision.js';
import type { RecoveringClient } from './recovering-clients.js';

type Told = Omit<RecoveryStatus, 'boot' | 'committed' | 'last'>;
type ClientState = Told['clients'][number]['state'];

const US_PER_SEC = 1_000_000;

const SHOWN: { readonly [Phase in ClientPhase]: ClientState } = {
  missing: 'missing',
  opens: 'opens',
  opened: 'opens',
  replays: 'replays',
  replayed: 'replays',
  locks: 'locks',
  done: 'done',
  away: 'disconnected',
  evicted: 'evicted',
};

export function statusOf(facts: {
  readonly state: RecoveryState;
  readonly started: Timespec | undefined;
  readonly durationUs: number;
  readonly leftUs: number | undefined;
  readonly windowUs: number;
  readonly clients: readonly RecoveringClient[];
  readonly reopened: number;
  readonly replayed: number;
  readonly refused: number;
}): Told {
  const { state, started, durationUs, leftUs, windowUs, reopened, replayed, refused } = facts;
  return {
    state,
    started,
    durationSec: durationUs / US_PER_SEC,
    leftSec: leftUs === undefined ? undefined : leftUs / US_PER_SEC,
    windowSec: windowUs / US_PER_SEC,
    clients: facts.clients.map((client) => ({
      client: client.known.client,
      name: client.known.name,
      state: stateOf(client, state === 'complete'),
      reason: client.reason,
    })),
    ...{ reopened, replayed, refused },
  };
}

function stateOf({ phase, connected }: RecoveringClient, complete: boolean): ClientState {
  if (!complete || phase === 'evicted') return SHOWN[phase];
  return connected ? 'connected' : 'disconnected';
}
