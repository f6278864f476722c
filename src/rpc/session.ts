/**
 * What a client and a metadata server in another process say to each other around the
 * methods of messages.ts: who connects, which request this is, what a lost answer, a lost
 * connection or a lost server leaves to be repeated. Bytes are rpc/socket's affair.
 *
 * One connection carries messages in order, both ways. A client has an *import* (client/import)
 * that outlives connections, a server an *export* of each client (mds/export) that outlives them
 * too and, as rows of the store, the server.
 */
import type { Fid } from '../base/fid.js';
import type { Timespec } from '../base/time.js';
import type { Method } from './messages.js';
import type { RemoteRequest } from './remote.js';

export type * from './session-messages.js';

export const SESSION_VERSION = 1;

/** 32 hexadecimal digits, drawn at random by the client when it starts. */
export type ClientId = string & { readonly clientId: unique symbol };
/** 32 hexadecimal digits: one run of a server. */
export type ServerBoot = string & { readonly serverBoot: unique symbol };
/** A client's number of a request, from 1, growing; the same when it is sent again. */
export type Xid = number & { readonly xid: unique symbol };
/** Which of the client's slots a mutation takes: 0 .. SLOTS_MAX - 1; one mutation at a time has it. */
export type Slot = number & { readonly slot: unique symbol };
/** A server's number of an open, never given twice to one client. */
export type OpenHandle = number & { readonly openHandle: unique symbol };
/** Which key signed it; grows with every rotation. */
export type KeyId = number & { readonly keyId: unique symbol };

/** HMAC-SHA-256, 32 bytes. */
export type Mac = Uint8Array;

/** How a client brings its opens back: from what it has open, or by the requests it once made. */
export type OpenRecovery = 'reconstruct' | 'replay';

/**
 * The right to open an object again by its FID, for the client that it was given to. What is
 * signed: the client's id and all fields (mds/keys/capability.ts).
 */
export interface Capability {
  readonly fid: Fid;
  readonly handle: OpenHandle;
  readonly rights: 'read' | 'write';
  /** For whom it was opened. */
  readonly uid: number;
  /** Seconds since 1970. */
  readonly expires: number;
  readonly key: KeyId;
  readonly mac: Mac;
}

/**
 * What a server signs of a mutation that it made, so that it can be made again as it was
 * (`mac` covers client, xid, the request's bytes and all other fields: mds/keys/receipt.ts).
 * Of a plain open by a client that recovers by replay: `transno` is the last one before it.
 */
export interface Receipt {
  readonly transno: number;
  /** Of the change. */
  readonly time: Timespec;
  /** The object that it was about, or that it made. */
  readonly fid: Fid;
  /** It was left open: create with `open`, tmpfile, what lost its name; and an open. */
  readonly handle: OpenHandle | undefined;
  readonly key: KeyId;
  readonly mac: Mac;
}

/** A request as it was encoded: what a receipt signs, and what is sent again. */
export interface Payload<M extends Method = Method> {
  readonly method: M;
  readonly request: RemoteRequest<M>;
  /** Of method and request. Do not change. */
  readonly bytes: Uint8Array;
}

export type RecoveryStep = 'opens' | 'replays' | 'locks';
export type RecoveryState = 'inactive' | 'waiting' | RecoveryStep | 'complete';

/** As `.lustre/recovery_status` and `feedfs mds status` tell. Times in seconds. */
export interface RecoveryStatus {
  /** `inactive`: nobody was connected when the server started, or it is embedded. */
  readonly state: RecoveryState;
  readonly boot: ServerBoot | undefined;
  readonly started: Timespec | undefined;
  /** How long the last or current recovery took or has taken. */
  readonly durationSec: number;
  /** Until those that are missing are evicted; undefined if no recovery runs. */
  readonly leftSec: number | undefined;
  readonly windowSec: number;
  readonly clients: readonly {
    readonly client: ClientId;
    readonly name: string;
    readonly state: 'missing' | RecoveryStep | 'done' | 'connected' | 'disconnected' | 'evicted';
    readonly reason: string | undefined;
  }[];
  readonly reopened: number;
  readonly replayed: number;
  /** Replays that had no right to be made, or could not be. */
  readonly refused: number;
  readonly committed: number;
  readonly last: number;
}
