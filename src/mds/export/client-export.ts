/**
 * What a server keeps of one client: who it is, what it has open, what it was answered. It
 * outlives connections; what must outlive the server is in the store too (client-table.ts).
 */
import type { Fid } from '../../base/fid.js';
import type { Channel } from '../../rpc/channel.js';
import type { Method, RequestOf } from '../../rpc/messages.js';
import type {
  Call,
  ClientId,
  ClientMessage,
  OpenHandle,
  OpenRecovery,
  Payload,
  ServerMessage,
  Xid,
} from '../../rpc/session.js';
import { ConsumerOpens } from './consumer-opens.js';
import { KeptAnswers } from './kept-answers.js';
import {
  ASKED_BYTES_MAX,
  MESSAGES_WAITING_MAX,
  QUEUED_BYTES_MAX,
  QUEUED_BYTES_PAUSE,
} from './limits.js';
import { HeldOpens } from './opens.js';
import type { HeldOpen, KnownClient } from './parts.js';
import { Slots } from './slots.js';

export type ServerChannel = Channel<ServerMessage, ClientMessage>;

/** A call that is being worked on. */
export interface RunningCall {
  readonly method: Method;
  /** It waits for others, and counts for nothing. */
  readonly waits: boolean;
  /** Of its request. */
  readonly bytes: number;
  /** Nobody waits for it any more. */
  cancelled: boolean;
  cancel: (() => void) | undefined;
}

export interface PendingRecall {
  readonly fids: readonly Fid[];
  readonly want: 'flush' | 'drop';
}

export class ClientExport {
  readonly client: ClientId;
  readonly identity: string;
  readonly name: string;
  readonly opens = new HeldOpens();
  readonly consumers = new ConsumerOpens();
  readonly slots = new Slots();
  readonly answers = new KeptAnswers();
  readonly running = new Map<Xid, RunningCall>();
  /** Not answered yet: sent again to a client that comes back. */
  readonly recalls = new Map<number, PendingRecall>();
  /** Opens of answers that the client may not have got before the server started, by its xids. */
  readonly unclaimed = new Map<Xid, OpenHandle>();
  /** Opens of objects that are not there before somebody's changes are made again, by the batch that brought them. */
  readonly later: { readonly id: number; readonly open: HeldOpen }[] = [];
  /** Messages that wait for their turn. */
  readonly waiting: ClientMessage[] = [];
  /** Calls among them that nobody waits for any more. */
  readonly cancelled = new Set<Xid>();
  /** How much it may still ask in this turn. */
  turn = 0;
  recovery: OpenRecovery = 'reconstruct';
  nid = '0@lo';
  /** Undefined while it is not connected. */
  channel: ServerChannel | undefined;
  /** When it lost its connection, in monotonic microseconds. */
  lostUs = 0;
  /** What it asks again up to this number, another run of the server may have done. */
  repeatedTo: number;
  /** It has made a call, in this run or one before. */
  hasCalled: boolean;
  /** It was not heard to have dropped what it keeps, as it was told to. */
  isStale: boolean;
  /** Nothing is done for it any more. */
  gone = false;
  /** Transno of its last receipt, and the highest that it was told is on disk. */
  lastReceipt = 0;
  toldCommitted = 0;
  #busy = 0;
  /** Of the requests of messages that wait, and of calls that are being worked on. */
  #bytes = 0;
  #paused = false;

  /** `recovered`: it was known before this run of the server. */
  constructor({ client, name, identity, stale = false }: KnownClient, recovered: boolean) {
    this.client = client;
    this.name = name;
    this.identity = identity;
    this.isStale = stale;
    this.repeatedTo = recovered ? Number.MAX_SAFE_INTEGER : 0;
    this.hasCalled = recovered;
  }

  get known(): KnownClient {
    const { client, name, identity, isStale } = this;
    return { client, name, identity, ...(isStale ? { stale: true } : {}) };
  }

  /** Calls that are being worked on, without those that wait for others. */
  get busy(): number {
    return this.#busy;
  }

  begin({ xid, payload }: Call): RunningCall {
    const { method, bytes } = payload;
    const waits = method === 'reint' || isLockWait(payload);
    const cancelled = this.cancelled.size > 0 && this.cancelled.delete(xid);
    const call: RunningCall = { method, waits, bytes: bytes.length, cancelled, cancel: undefined };
    this.running.set(xid, call);
    if (!waits) this.#busy++;
    this.#bytes += call.bytes;
    return call;
  }

  end(xid: Xid): void {
    const call = this.running.get(xid);
    if (call === undefined) return;
    this.running.delete(xid);
    if (!call.waits) this.#busy--;
    this.#bytes -= call.bytes;
    this.restrain();
  }

  /** It waits for its turn. */
  enqueue(message: ClientMessage): void {
    this.waiting.push(message);
    this.#bytes += bytesOf(message);
    this.restrain();
  }

  /** The first that wait have had their turn, so many. */
  waited(count: number): void {
    for (const message of this.waiting.splice(0, count)) this.#bytes -= bytesOf(message);
    this.restrain();
  }

  /** Nobody waits for a call any more: it ends, now or in its turn. */
  cancel(xid: Xid): void {
    const call = this.running.get(xid);
    if (call !== undefined) {
      call.cancelled = true;
      call.cancel?.();
    } else if (this.waiting.some((message) => message.kind === 'call' && message.xid === xid)) {
      this.cancelled.add(xid);
    }
  }

  /** Its connection takes no more answers right now. */
  get stuffed(): boolean {
    return (this.channel?.queuedBytes ?? 0) > QUEUED_BYTES_PAUSE;
  }

  /**
   * Does nothing while it is not connected: it asks again for what it did not get. A message
   * that cannot be said ends the connection, and nothing else: whoever sends it may be at work
   * for another client.
   */
  send(message: ServerMessage): void {
    const { channel } = this;
    if (channel === undefined) return;
    try {
      channel.send(message);
    } catch (error) {
      console.error(`feedfs: ${message.kind} cannot be sent to client ${this.client}:`, error);
      channel.close(`${message.kind} cannot be sent`);
      return;
    }
    if (channel.queuedBytes > QUEUED_BYTES_MAX) channel.close('it does not take its messages');
  }

  /** With too much that is not done, its messages are left with the transport. */
  restrain(): void {
    const scale = this.#paused ? 2 : 1;
    const isTooMuch =
      this.waiting.length * scale >= MESSAGES_WAITING_MAX || this.#bytes * scale >= ASKED_BYTES_MAX;
    if (isTooMuch === this.#paused) return;
    this.#paused = isTooMuch;
    if (isTooMuch) this.channel?.pause();
    else this.channel?.resume();
  }

  /** A new connection. */
  connected(channel: ServerChannel): void {
    this.channel = channel;
    this.#paused = false;
    this.forget();
    this.later.length = 0;
    this.restrain();
  }

  /** What waits for its turn: it was sent on a connection that is lost, and is sent again. */
  forget(): void {
    this.cancelled.clear();
    this.waited(this.waiting.length);
  }
}

function isLockWait({ method, request }: Payload): boolean {
  return method === 'fileLock' && (request as RequestOf<'fileLock'>).wait;
}

function bytesOf(message: ClientMessage): number {
  return message.kind === 'call' || message.kind === 'replay' ? message.payload.bytes.length : 0;
}
