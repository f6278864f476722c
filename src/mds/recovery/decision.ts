/**
 * What a recovery does, as two tables: one for each client that the store knows, one for the
 * server. Whoever runs them (coordinator.ts) looks up what happened in the state that is, and
 * does what the row says. What has no row is not allowed there.
 *
 * Phases of a client
 *
 * | phase      | means                                                              |
 * |------------|--------------------------------------------------------------------|
 * | `missing`  | not connected, or not yet                                          |
 * | `opens`    | it sends what it has open                                          |
 * | `opened`   | it has sent all of that, and waits for the others                  |
 * | `replays`  | it sends the changes that were not on disk                         |
 * | `replayed` | it has sent all of them; some may not have been made yet           |
 * | `locks`    | it sends what its caches and programs rely on                      |
 * | `done`     | nothing is outstanding                                             |
 * | `away`     | nothing is outstanding, and it is not connected: nobody waits for it |
 * | `evicted`  | what it had is gone; for good                                      |
 *
 * A client that lost its connection begins again with its opens, whatever the others do by
 * then: opens do not depend on changes while no object is destroyed.
 */
import type { RecoveryState, RecoveryStep } from '../../rpc/session.js';

export type ClientPhase =
  | 'missing'
  | 'opens'
  | 'opened'
  | 'replays'
  | 'replayed'
  | 'locks'
  | 'done'
  | 'away'
  | 'evicted';

/** `turn`: the server is at the step that the client waits for. `late`: its time is over. `failed`: a replay could not be made. */
export type ClientEvent =
  | 'connected'
  | 'disconnected'
  | 'opens-done'
  | 'replays-done'
  | 'locks-done'
  | 'turn'
  | 'failed'
  | 'late'
  | 'gone';

/** `begin-…`: tells the client that it may send these. `forget`: drops what is queued of it. `remove`: it is known no longer. */
export type ClientAction =
  | 'begin-opens'
  | 'begin-replays'
  | 'begin-locks'
  | 'forget'
  | 'evict'
  | 'remove';

export const BEGUN_STEP = {
  'begin-opens': 'opens',
  'begin-replays': 'replays',
  'begin-locks': 'locks',
} as const;

export interface ClientDecision {
  readonly next: ClientPhase;
  readonly actions: readonly ClientAction[];
}

type ClientTable = {
  readonly [Phase in ClientPhase]: { readonly [Event in ClientEvent]?: ClientDecision };
};

const lost: ClientDecision = { next: 'missing', actions: ['forget'] };
const evicted: ClientDecision = { next: 'evicted', actions: ['forget', 'evict'] };
const gone: ClientDecision = { next: 'evicted', actions: ['forget', 'remove'] };
/** Also after a new connection of which the loss of the old one is not known yet. */
const anew: ClientDecision = { next: 'opens', actions: ['forget', 'begin-opens'] };

export const CLIENT_TABLE: ClientTable = {
  missing: { connected: anew, late: evicted, gone },
  opens: {
    connected: anew,
    'opens-done': { next: 'opened', actions: [] },
    disconnected: lost,
    late: evicted,
    gone,
  },
  opened: {
    connected: anew,
    turn: { next: 'replays', actions: ['begin-replays'] },
    disconnected: lost,
    gone,
  },
  replays: {
    connected: anew,
    'replays-done': { next: 'replayed', actions: [] },
    disconnected: lost,
    failed: evicted,
    late: evicted,
    gone,
  },
  replayed: {
    connected: anew,
    turn: { next: 'locks', actions: ['begin-locks'] },
    disconnected: lost,
    failed: evicted,
    gone,
  },
  locks: {
    connected: anew,
    'locks-done': { next: 'done', actions: [] },
    disconnected: lost,
    late: evicted,
    gone,
  },
  done: { connected: anew, disconnected: { next: 'away', actions: [] }, gone },
  away: { connected: anew, gone },
  evicted: {},
};

/** Undefined: it must not happen then, or means nothing. */
export function decideClient(phase: ClientPhase, event: ClientEvent): ClientDecision | undefined {
  return CLIENT_TABLE[phase][event];
}

/**
 * `somebody`: a known client is there. `all-…`: every client that is left has come so far.
 * `none-left`: every known client was evicted, or ended. `time-over`: the step has taken as
 * long as it may.
 */
export type ServerEvent =
  | 'somebody'
  | 'all-opened'
  | 'all-replayed'
  | 'all-locked'
  | 'none-left'
  | 'time-over';

/**
 * `replays`, `locks`: the step begins, for everybody who waits for it. `evict-late`: whoever
 * is waited for. `finish`, once all that was done is on disk: what nobody has open is destroyed,
 * and everybody goes on.
 */
export type ServerAction = 'replays' | 'locks' | 'evict-late' | 'finish';

export interface ServerDecision {
  readonly next: RecoveryState;
  readonly actions: readonly ServerAction[];
}

type ServerTable = {
  readonly [State in RecoveryState]: { readonly [Event in ServerEvent]?: ServerDecision };
};

const finished: ServerDecision = { next: 'complete', actions: ['finish'] };

export const SERVER_TABLE: ServerTable = {
  inactive: {},
  waiting: {
    somebody: { next: 'opens', actions: [] },
    'none-left': finished,
    'time-over': { next: 'waiting', actions: ['evict-late'] },
  },
  opens: {
    'all-opened': { next: 'replays', actions: ['replays'] },
    'none-left': finished,
    'time-over': { next: 'opens', actions: ['evict-late'] },
  },
  replays: {
    'all-replayed': { next: 'locks', actions: ['locks'] },
    'none-left': finished,
    'time-over': { next: 'replays', actions: ['evict-late'] },
  },
  locks: {
    'all-locked': finished,
    'none-left': finished,
    'time-over': { next: 'locks', actions: ['evict-late'] },
  },
  complete: {},
};

export function decideServer(state: RecoveryState, event: ServerEvent): ServerDecision | undefined {
  return SERVER_TABLE[state][event];
}

const STEPS: readonly RecoveryStep[] = ['opens', 'replays', 'locks'];
/** The last step that a client of that phase has nothing more for; -1: none. */
const DONE_WITH: { readonly [Phase in ClientPhase]: number } = {
  missing: -1,
  opens: -1,
  opened: 0,
  replays: 0,
  replayed: 1,
  locks: 1,
  done: 2,
  away: 2,
  evicted: 2,
};

/** Whether the end of a step waits for a client of that phase. */
export function isAwaited(phase: ClientPhase, step: RecoveryStep): boolean {
  return DONE_WITH[phase] < STEPS.indexOf(step);
}

/** Whether the server is at the step that a client of that phase waits for, or beyond it. */
export function isTurn(state: RecoveryState, phase: ClientPhase): boolean {
  if (phase === 'opened') return state === 'replays' || state === 'locks';
  return phase === 'replayed' && state === 'locks';
}
