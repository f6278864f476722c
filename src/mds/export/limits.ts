/** Limits of what a server keeps for its clients, and of what they may ask at a time. */
import { assert } from '../../base/assert.js';

/** Clients at a time, those that are not connected right now included. */
export const CLIENTS_MAX = 1_024;

/** Of these, those of one identity; the server's own user, root and this machine's own may have all. */
export const CLIENTS_OF_ONE_MAX = CLIENTS_MAX / 4;

/** Connections that have not said who they are, and for how long they may go on so. */
export const STRANGERS_MAX = 256;
/** Of these, those of one identity, other than the privileged ones. */
export const STRANGERS_OF_ONE_MAX = STRANGERS_MAX / 4;
export const HELLO_US_MAX = 10_000_000;

/** A client that lost its connection has so long to come back, in microseconds. */
export const RECONNECT_US = 30_000_000;

/** A new client that comes while a recovery runs is asked to try again so much later. */
export const RECOVERY_RETRY_MS = 250;

/** Longest name of a client, in characters. */
export const CLIENT_NAME_MAX = 256;

/** Calls of one client that are being worked on. Mutations have slots, waits for file locks a table of their own. */
export const CALLS_IN_FLIGHT_MAX = 512;

/** Messages of one client that wait for their turn: with so many its connection is not read. */
export const MESSAGES_WAITING_MAX = 1_024;

/** Bytes of requests of one client that wait for their turn or are being worked on: with so many its connection is not read. */
export const ASKED_BYTES_MAX = 8 * 2 ** 20;

/** Work of one client in one turn, in calls; and what a batch of capabilities or locks counts for. */
export const TURN_WORK = 64;
export const BATCH_WORK = 32;

/** Bytes of answers that wait for a client's connection: with so many it gets no further ones. */
export const QUEUED_BYTES_PAUSE = 4 * 2 ** 20;

/** With so many, which only what it did not ask for can reach, the connection is ended. */
export const QUEUED_BYTES_MAX = 32 * 2 ** 20;

/** How often a client is looked at whose connection takes no more. */
export const PAUSED_LOOK_US = 2_000;

/** Answers of one client that are kept in case that they are lost: how many, and their bytes. */
export const ANSWERS_KEPT_MAX = 4_096;
export const ANSWER_BYTES_KEPT_MAX = 8 * 2 ** 20;
/** What one takes without its contents, about. */
export const KEPT_ANSWER_BYTES = 256;

/** What has just lost its last name stays for so long where there are several clients, in microseconds; and so many. */
export const LINGER_US = 1_000_000;
export const LINGERING_MAX = 1_024;

/** Opens of one client. */
export const OPENS_MAX = 1_048_576;

/** Opens of feeds, watches and baselines of one client, together. */
export const CONSUMER_OPENS_MAX = 65_536;

/** Handles that a server gives in a second of its life: they begin with the time of its start. */
export const HANDLES_PER_SECOND = 2 ** 20;

assert(QUEUED_BYTES_PAUSE < QUEUED_BYTES_MAX, 'a client is paused before it is cut off');
assert(TURN_WORK >= BATCH_WORK, 'a batch fits into a turn');
