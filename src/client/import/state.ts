/**
 * The states of an import, and what leads from one to another: a table, so that every case
 * is there to be read and to be tested.
 *
 * | state        | what it is                                                              |
 * |--------------|-------------------------------------------------------------------------|
 * | DISCONNECTED | no connection; the next attempt is due at some time                     |
 * | CONNECTING   | up to the server's welcome                                              |
 * | REOPENING    | the server started again: opens are brought back, before all changes    |
 * | REPLAYING    | changes that it may have lost are made again                            |
 * | LOCKING      | what is cached and locked is told                                       |
 * | RESTORING    | it serves again: what consumers have open is brought back               |
 * | FULL         | calls are sent; in all other states they wait                           |
 * | EVICTED      | what this client had is gone; it goes on like a new one, or ends        |
 */
export type ImportState =
  | 'DISCONNECTED'
  | 'CONNECTING'
  | 'REOPENING'
  | 'REPLAYING'
  | 'LOCKING'
  | 'RESTORING'
  | 'FULL'
  | 'EVICTED';

export type ImportEvent =
  /** An attempt begins. */
  | 'connect'
  /** The attempt failed, or the connection ended. */
  | 'lost'
  /** Outcomes of a welcome; `evicted` is also told at any time. */
  | 'new'
  | 'resumed'
  | 'recover'
  | 'evicted'
  /** Steps of a recovery, as the server begins them. */
  | 'opens'
  | 'replays'
  | 'locks'
  | 'full'
  /** Consumers have again what they had. */
  | 'restored'
  /** After an eviction, on the connection that told of it. */
  | 'anew';

type Row = { readonly [E in ImportEvent]?: ImportState };

/** What holds wherever there is a connection. */
const CONNECTED: Row = { lost: 'DISCONNECTED', evicted: 'EVICTED' };

/**
 * Steps go forward only. One may be left out: that of a client that comes back in the middle
 * of a recovery in which it was done with the earlier ones; and one may be told again.
 */
const TABLE: { readonly [S in ImportState]: Row } = {
  DISCONNECTED: { connect: 'CONNECTING', evicted: 'EVICTED' },
  CONNECTING: { ...CONNECTED, new: 'RESTORING', resumed: 'RESTORING', recover: 'REOPENING' },
  REOPENING: {
    ...CONNECTED,
    opens: 'REOPENING',
    replays: 'REPLAYING',
    locks: 'LOCKING',
    full: 'RESTORING',
  },
  REPLAYING: { ...CONNECTED, replays: 'REPLAYING', locks: 'LOCKING', full: 'RESTORING' },
  LOCKING: { ...CONNECTED, locks: 'LOCKING', full: 'RESTORING' },
  RESTORING: { ...CONNECTED, restored: 'FULL' },
  FULL: { ...CONNECTED },
  EVICTED: { ...CONNECTED, anew: 'RESTORING' },
};

/** Undefined where the event cannot be: whoever caused it breaks the protocol. */
export function nextState(state: ImportState, event: ImportEvent): ImportState | undefined {
  return TABLE[state][event];
}
