/**
 * The calls of clients: each is done once, however often it comes, and what it leads to is
 * noted with its answer, in the tick in which it happened (the commit takes both or neither).
 */
import { Errno, errnoOf, FsError } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import type { Clock } from '../../base/time.js';
import { grantsOf } from '../../rpc/grants.js';
import { SLOTS_MAX } from '../../rpc/limits.js';
import type { Method, ReintRequest, ReintResult, RequestOf, ResultOf } from '../../rpc/messages.js';
import type { RemoteResult } from '../../rpc/remote.js';
import type { Call, Payload, Slot } from '../../rpc/session.js';
import { serverRequest } from '../../rpc/socket/server-request.js';
import { RpcTrace } from '../../rpc/trace.js';
import type { MetadataServer } from '../server.js';
import { askedDigest } from './asked-digest.js';
import { askedRequest } from './asked-request.js';
import type { ClientExport, RunningCall } from './client-export.js';
import type { ClientTable } from './client-table.js';
import type { Held } from './held.js';
import type { KeptAnswer } from './kept-answers.js';
import { noteChange, undoChange } from './note-change.js';
import { asksFor, type OpenCall, openedAgain } from './opened-again.js';
import type { ClientService } from './own-methods.js';
import { withParents } from './parents.js';
import type { CacheLocks, KeyRing } from './parts.js';
import { RESEND, RESTORING } from './resend.js';
import { NO_PROOFS, type Proofs, proofsOfChange, proofsOfOpen } from './signing.js';
import { tolerated } from './tolerated.js';

export interface CallsParts {
  readonly server: MetadataServer;
  readonly clock: Clock;
  readonly keys: KeyRing;
  readonly table: ClientTable;
  readonly held: Held;
  readonly locks: CacheLocks;
  readonly methods: ClientService;
  /** The client broke the rules: its connection ends. */
  readonly broken: (by: ClientExport, why: string) => void;
  /** Something of this server failed while it worked for that client: its connection ends. */
  readonly failed: (by: ClientExport, what: string, error: unknown) => void;
}

/** One that is being worked on. */
interface Asked<M extends Method> {
  readonly by: ClientExport;
  readonly call: Call & { readonly payload: Payload<M> };
  /** As the methods take it. */
  readonly request: RequestOf<M>;
  readonly running: RunningCall;
  readonly entries: () => readonly Fid[];
  readonly finish: (result: ResultOf<M>) => RemoteResult<M>;
  /** The locks wait to be told that it is answered. */
  admitted: boolean;
}

/** Nothing of it may be cached, and nobody is told that it is. */
export interface Granted {
  readonly uncached: readonly Fid[];
  readonly exclusive: Fid | undefined;
}

export class Calls {
  readonly #parts: CallsParts;
  readonly #trace: RpcTrace;

  constructor(parts: CallsParts) {
    this.#parts = parts;
    this.#trace = new RpcTrace('server', () => parts.clock.monotonicUs());
  }

  run(by: ClientExport, call: Call): void {
    const { xid, payload } = call;
    // It is on its way.
    if (by.running.has(xid)) return;
    if (this.#trace.isOn) this.#trace.called(by.client, payload, xid, call.resent);
    by.hasCalled = true;
    // New numbers are above all that were given before.
    if (!call.resent) by.repeatedTo = Math.min(by.repeatedTo, xid - 1);
    // What was not answered comes again before anything else but what brings consumers back.
    if (!call.resent && !RESTORING.has(payload.method)) this.dropUnclaimed(by);
    if (payload.method === 'reint') return this.#mutation(by, call as Call & MutationCall);
    const kept = by.answers.get(xid);
    if (kept === undefined) this.#begin(by, call);
    else if (kept.method !== payload.method) this.#parts.broken(by, OTHER_REQUEST);
    else if (kept.handle === undefined) this.#send(by, call, kept, NO_PROOFS, NOTHING_NEW);
    else this.#openedAgain(by, call as OpenCall, kept);
  }

  #mutation(by: ClientExport, call: Call & MutationCall): void {
    const { xid, slot } = call;
    if (slot === undefined || slot >= SLOTS_MAX) {
      return this.#parts.broken(by, 'a change without a slot');
    }
    const asked = askedDigest(call.payload);
    switch (by.slots.find(slot, xid, asked)) {
      case 'new':
        by.slots.begin(slot, xid, asked);
        return this.#begin(by, call);
      case 'same':
        return this.#answeredBefore(by, call, slot);
      case 'busy':
        return this.#parts.broken(by, `slot ${slot} is taken`);
      case 'other':
        return this.#parts.broken(by, OTHER_REQUEST);
      case 'old':
        return;
    }
  }

  /** A change that was made or refused before. */
  #answeredBefore(by: ClientExport, call: Call & MutationCall, slot: Slot): void {
    const { xid, payload } = call;
    const before = by.slots.answerOf(slot);
    if (before === undefined) return;
    if (typeof before === 'number') {
      return this.#send(by, call, { errno: before, result: undefined }, NO_PROOFS, NOTHING_NEW);
    }
    by.unclaimed.delete(xid);
    const { result } = before;
    // It may have been recalled since: whoever asks for it will get it anew.
    const uncached = grantsOf('reint', payload.request, 0, result);
    const proofs = proofsOfChange(this.#parts.keys, by, payload, before);
    this.#send(by, call, { errno: 0, result }, proofs, { uncached, exclusive: undefined });
  }

  /** Opens that nobody asked about again: their answers had arrived, and they were closed since. */
  dropUnclaimed(by: ClientExport): void {
    if (by.unclaimed.size === 0) return;
    for (const handle of by.unclaimed.values()) this.#parts.held.drop(by, handle);
    by.unclaimed.clear();
  }

  #begin<M extends Method>(by: ClientExport, call: Call & { payload: Payload<M> }): void {
    const { method } = call.payload;
    const { request: asked, entries, finish } = serverRequest(call.payload);
    const running = by.begin(call);
    const request = askedRequest(method, asked, by.nid);
    const work: Asked<M> = { by, call, request, running, entries, finish, admitted: true };
    try {
      this.#parts.locks.admit(by.client, method, request, () => this.#proceed(work));
    } catch (error) {
      this.#failed(work, error);
    }
  }

  #proceed<M extends Method>(work: Asked<M>): void {
    const { by, call, request, running } = work;
    // Nobody waits for it, and what it was admitted for is not kept from others any more.
    if (by.gone) return;
    let answered = false;
    const once = (errno: Errno | 0, result: ResultOf<M> | undefined): void => {
      if (answered) return;
      answered = true;
      this.#answered(work, errno, result);
    };
    const { method } = call.payload;
    // Of all that can be taken back, it is what may wait for long.
    if (running.cancelled && method === 'fileLock') return once(Errno.EINTR, undefined);
    try {
      this.#parts.methods[method](by, request, once, running);
    } catch (error) {
      if (answered) return this.#failed(work, error);
      if (!(error instanceof FsError)) console.error(`feedfs: ${method} failed:`, error);
      once(errnoOf(error) ?? Errno.EIO, undefined);
    }
  }

  #answered<M extends Method>(
    work: Asked<M>,
    failed: Errno | 0,
    found: ResultOf<M> | undefined,
  ): void {
    const { by, call } = work;
    const { held } = this.#parts;
    by.end(call.xid);
    if (by.gone) return undoChange(held, call.payload, found);
    try {
      this.#answer(work, failed, found);
    } catch (error) {
      this.#failed(work, error);
    }
  }

  #answer<M extends Method>(
    work: Asked<M>,
    failed: Errno | 0,
    found: ResultOf<M> | undefined,
  ): void {
    const { by, call, request } = work;
    const { xid, payload } = call;
    const repeated = call.resent && xid <= by.repeatedTo;
    const [errno, result] = repeated
      ? tolerated(this.#parts.server, payload, failed, found)
      : [failed, found];
    const { locks } = this.#parts;
    const proofs = this.#note(work, errno, result);
    const entries = errno === 0 ? work.entries() : [];
    work.admitted = false;
    const granted = locks.answered(by.client, payload.method, request, errno, result, entries);
    const brought = errno === 0 ? this.#brought(work, result as ResultOf<M>) : undefined;
    if (RESEND[payload.method] === 'kept') {
      const handle = payload.method === 'open' ? proofs.capability?.handle : undefined;
      const kept = handle === undefined ? brought : undefined;
      by.answers.keep(xid, { method: payload.method, errno, result: kept, handle });
    }
    this.#send(by, call, { errno, result: brought }, proofs, granted);
  }

  /** A fault of this server: others do not wait for it, and what was asked is refused if it comes again. */
  #failed<M extends Method>(work: Asked<M>, error: unknown): void {
    const { by, call, request } = work;
    const { xid, slot, payload } = call;
    by.end(xid);
    if (slot !== undefined) by.slots.gaveUp(slot, xid);
    if (work.admitted && !by.gone) {
      work.admitted = false;
      this.#parts.locks.answered(by.client, payload.method, request, Errno.EIO, undefined, []);
    }
    this.#parts.failed(by, payload.method, error);
  }

  /** As it is told; of a change also what the client would ask for next. */
  #brought<M extends Method>({ call, finish }: Asked<M>, result: ResultOf<M>): RemoteResult<M> {
    const { method, request } = call.payload;
    if (method !== 'reint' || result === undefined) return finish(result);
    const { inodes } = this.#parts.server.namespace;
    const { change } = request as ReintRequest;
    const told = withParents(result as ReintResult, change, (fid) => inodes.get(fid));
    return told as RemoteResult<M>;
  }

  /** What it leaves behind, in memory and for the next commit. */
  #note<M extends Method>(
    { by, call, request }: Asked<M>,
    errno: Errno | 0,
    result: ResultOf<M> | undefined,
  ): Proofs {
    const { held, keys, server, clock } = this.#parts;
    const { method } = call.payload;
    if (method === 'open' && errno === 0) {
      const { fid, write = false, uid = 0 } = request as RequestOf<'open'>;
      const open = held.took(by, { fid, rights: write ? 'write' : 'read', uid });
      const last = { transno: server.lastTransno, time: clock.now() };
      return proofsOfOpen(keys, by, call, open, last);
    }
    if (method !== 'reint') return NO_PROOFS;
    const made = result as ResultOf<'reint'> | undefined;
    return noteChange(this.#parts, by, call as Call & MutationCall, errno, made);
  }

  #openedAgain(by: ClientExport, call: OpenCall, { handle }: KeptAnswer): void {
    const open = handle === undefined ? undefined : by.opens.get(handle);
    if (open === undefined) {
      const gone = { errno: Errno.EBADF, result: undefined };
      return this.#send(by, call, gone, NO_PROOFS, NOTHING_NEW);
    }
    if (!asksFor(call, open)) return this.#parts.broken(by, OTHER_REQUEST);
    openedAgain(this.#parts, by, call, open, (errno, result, proofs, granted) =>
      this.#send(by, call, { errno, result }, proofs, granted),
    );
  }

  #send<M extends Method>(
    by: ClientExport,
    { xid, payload }: Call & { payload: Payload<M> },
    { errno, result }: { errno: Errno | 0; result: RemoteResult<M> | undefined },
    proofs: Proofs,
    granted: Granted,
  ): void {
    const committed = this.#parts.server.committedTransno;
    by.toldCommitted = Math.max(by.toldCommitted, committed);
    const { method } = payload;
    if (this.#trace.isOn) this.#trace.answered(by.client, payload, xid, errno);
    by.send({ kind: 'answer', xid, method, errno, result, committed, ...proofs, ...granted });
  }
}

export type MutationCall = { readonly payload: Payload<'reint'> };

const NOTHING_NEW: Granted = { uncached: [], exclusive: undefined };

const OTHER_REQUEST = 'a number that another request had';
