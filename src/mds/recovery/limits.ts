/** Limits of a recovery, in one place. */

/** Once the window is over, or a step begins after that: how long those that the step waits for may still take, twice. */
export const STEP_US = 15_000_000;

/** Changes of one client that wait for their turn: many times what a server leaves uncommitted. */
export const REPLAYS_QUEUED_MAX = 131_072;

/** Bytes of them, as they were sent. */
export const REPLAY_BYTES_QUEUED_MAX = 64 * 2 ** 20;

/** Changes, and opens of a client that recovers by replay, that one client may send in all. */
export const REPLAYS_MAX = 2 ** 20;

/** Changes that are made again before anybody else has a turn. */
export const REPLAYS_PER_TURN = 512;

/** Orphans that are destroyed before anybody else has a turn: some milliseconds. */
export const ORPHANS_PER_TURN = 256;
