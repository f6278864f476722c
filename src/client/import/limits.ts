/** Limits of a client's connection to a server in another process. */

/** Slots that only records of writes take: what others wait for must not wait for what waits for others. */
export const SLOTS_FOR_WRITES = 16;

/** Calls on their way, but for those that wait for a lock: fewer than a server takes at a time. */
export const CALLS_MAX = 384;

/**
 * Bytes of long requests on their way; the server reads no further at twice as much, and would
 * not hear then that a recall is answered.
 */
export const CALL_BYTES_MAX = 4 * 2 ** 20;
/** A request with fewer is not long. */
export const LONG_CALL_BYTES = 4_096;

/** In a recovery: changes that are sent again and not answered yet. */
export const REPLAYS_IN_FLIGHT_MAX = 512;

/** In a recovery: batches of opens, or of locks, that are not answered yet. */
export const BATCHES_IN_FLIGHT_MAX = 8;

/** After a recovery: calls that bring back what consumers have open, on their way at a time. */
export const RESTORES_IN_FLIGHT_MAX = 64;

/** Between attempts to connect, from the second on; each is up to twice as long as the last. */
export const RECONNECT_US_MIN = 10_000;
export const RECONNECT_US_MAX = 200_000;

/** How long a server may take to say welcome. */
export const WELCOME_US_MAX = 30_000_000;

/** How long an unmount waits for a server, all in all. */
export const CLOSE_US_MAX = 5_000_000;

/** A capability is renewed no sooner than so many seconds after the last time, whatever the clocks say. */
export const RENEW_SEC_MIN = 60;
