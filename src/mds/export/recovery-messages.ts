/**
 * What clients bring back after a restart: opens by their capabilities, changes by their
 * receipts, locks. When each may come is the coordinator's affair (mds/recovery); here is
 * whether it is what the server once gave, and what becomes of it.
 */
import { Errno, errnoOf, FsError } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { grantsOf } from '../../rpc/grants.js';
import type { ReintResult, RequestOf } from '../../rpc/messages.js';
import type {
  ClientId,
  LocksHeld,
  OpenHandle,
  Payload,
  ReopenAsked,
  Replay,
} from '../../rpc/session.js';
import type { MetadataServer } from '../server.js';
import { askedDigest } from './asked-digest.js';
import type { ClientExport } from './client-export.js';
import type { ClientTable } from './client-table.js';
import type { Held } from './held.js';
import { OPENS_MAX } from './limits.js';
import type {
  CacheLocks,
  FileLocks,
  HeldOpen,
  KeyRing,
  RecoveryCoordinator,
  ReplayItem,
  SlotRow,
} from './parts.js';
import type { Refusals } from './refusals.js';
import { leftOpen, NO_PROOFS, proofsOfChange, proofsOfOpen } from './signing.js';
import type { SlotFinding } from './slots.js';

export interface RecoveryParts {
  readonly server: MetadataServer;
  readonly keys: KeyRing;
  readonly table: ClientTable;
  readonly held: Held;
  readonly locks: CacheLocks;
  readonly fileLocks: FileLocks;
  readonly refusals: Refusals;
  readonly coordinator: () => RecoveryCoordinator;
  readonly exportOf: (client: ClientId) => ClientExport | undefined;
  readonly evict: (client: ClientId, reason: string) => void;
  /** Something of this server failed while it worked for that client: its connection ends. */
  readonly failed: (by: ClientExport, what: string, error: unknown) => void;
}

export class RecoveryMessages {
  readonly #parts: RecoveryParts;
  /** Of those that wait: what nobody may have again by them. */
  readonly #refused = new WeakSet<ReplayItem>();

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  /** FsError where the step does not allow it. */
  reopen(by: ClientExport, { id, opens }: ReopenAsked): void {
    const { keys, coordinator, refusals } = this.#parts;
    coordinator().reopening(by.client, opens.length);
    const failed: { handle: OpenHandle; errno: Errno }[] = [];
    for (const capability of opens) {
      const { handle, fid, rights, uid } = capability;
      const why = keys.refusesCapability(by.client, capability);
      if (why !== undefined) {
        refusals.add('capabilities_refused', titleOf(by), why);
        failed.push({ handle, errno: Errno.EACCES });
        continue;
      }
      const open = { handle, fid, rights, uid };
      const errno = this.#again(by, open);
      // Another client's change may make it, or bring it back.
      if (errno === Errno.ESTALE && by.later.length < OPENS_MAX) by.later.push({ id, open });
      else if (errno !== 0) failed.push({ handle, errno });
    }
    by.send({ kind: 'reopened', id, failed });
  }

  /** All changes are made again: what is not there now is lost. */
  reopenLate(by: ClientExport): void {
    for (const { id, open } of by.later.splice(0)) {
      const errno = this.#again(by, open);
      if (errno !== 0) {
        by.send({ kind: 'reopened', id, failed: [{ handle: open.handle, errno }] });
      }
    }
  }

  #again(by: ClientExport, open: HeldOpen): Errno | 0 {
    try {
      this.#parts.held.again(by, open);
      return 0;
    } catch (error) {
      return errnoOf(error) ?? Errno.EIO;
    }
  }

  /**
   * Queues it with those of the others. One that has no right to be made costs its client all;
   * where it would only open something, that. FsError where the step does not allow it.
   */
  replay(by: ClientExport, { xid, slot, payload, receipt }: Replay): void {
    const { method } = payload;
    if (method !== 'reint' && method !== 'open') {
      throw new FsError(Errno.EPROTO, `${method} cannot be replayed`);
    }
    const item: ReplayItem = { xid, slot, payload, receipt };
    const why = this.#refuses(by, item);
    if (why !== undefined) {
      this.#parts.refusals.add('receipts_refused', titleOf(by), why);
      if (!onlyOpens(by, item)) {
        return this.#parts.evict(by.client, `it brought back what it had no right to: ${why}`);
      }
      this.#refused.add(item);
    }
    this.#parts.coordinator().replay(by.client, item, (errno) => {
      if (by.gone) return;
      // It may be another client's message that brought this one its turn.
      try {
        this.#answer(by, item, errno);
      } catch (error) {
        this.#parts.failed(by, 'a replay', error);
      }
    });
  }

  /**
   * In the order of all clients' changes (RecoveryTarget). What is on disk already is not made
   * again; what it left open is opened again in any case.
   */
  make(client: ClientId, item: ReplayItem): Errno | 0 {
    const by = this.#parts.exportOf(client);
    if (by === undefined || by.gone) return Errno.ESTALE;
    try {
      if (this.#refused.has(item)) tellLost(by, item, Errno.EACCES);
      else if (item.payload.method === 'open') this.#openAgain(by, item, item.receipt.fid);
      else this.#change(by, item);
      return 0;
    } catch (error) {
      if (!(error instanceof FsError)) console.error('feedfs: a replay failed:', error);
      return errnoOf(error) ?? Errno.EIO;
    }
  }

  locksHeld(by: ClientExport, { id, cached, exclusive, fileLocks }: LocksHeld): void {
    const parts = this.#parts;
    parts.coordinator().locking(by.client);
    const lost = parts.locks.restore(by.client, cached, exclusive);
    const lostFileLocks = parts.fileLocks.restore(by.client, fileLocks);
    by.send({ kind: 'locks-taken', id, lost, lostFileLocks });
  }

  /**
   * Before objects without an open are destroyed: what a client was answered last in a slot it
   * may not have heard. If it asks again it must find it open.
   */
  keepUnclaimed(by: ClientExport, rows: Iterable<SlotRow>): void {
    for (const { xid, handle, uid, result } of rows) {
      if (handle === undefined || by.opens.get(handle) !== undefined) continue;
      const fid = result.kept ?? result.attributes.fid;
      try {
        this.#parts.held.again(by, { handle, fid, rights: 'write', uid });
        by.unclaimed.set(xid, handle);
      } catch {
        // It is closed, and gone.
      }
    }
  }

  /** Why it is not to be made; undefined if it may be. */
  #refuses(by: ClientExport, item: ReplayItem): string | undefined {
    const { xid, payload, receipt } = item;
    const isChange = payload.method === 'reint';
    if (isChange && findingOf(by, item) === 'other')
      return 'that number was the one of another request';
    // Nothing comes of it that the server would have to believe.
    if (receipt.handle === undefined && onlyOpens(by, item)) return undefined;
    return this.#parts.keys.refusesReceipt(by.client, xid, payload, receipt);
  }

  #change(by: ClientExport, item: ReplayItem): void {
    const { slot, payload, receipt } = item;
    const asked = payload.request as RequestOf<'reint'>;
    const found = findingOf(by, item);
    if (found === 'new') {
      const { transno, time, fid } = receipt;
      const who = { ...asked.who, nid: by.nid };
      const replay = { transno, time, fid };
      this.#made(by, item, this.#parts.server.replay({ ...asked, who, replay }));
      return;
    }
    const row = found === 'same' ? by.slots.answerOf(slot) : undefined;
    const before = typeof row === 'object' ? row.result : undefined;
    // What a rename kept is known by its row, or comes by its capability.
    const isOther = asked.change.op === 'rename';
    const fid =
      before === undefined ? (isOther ? undefined : receipt.fid) : leftOpen(asked, before);
    if (fid !== undefined) this.#openAgain(by, item, fid);
  }

  #made(by: ClientExport, item: ReplayItem, result: ReintResult): void {
    const { xid, slot, payload, receipt } = item;
    const asked = payload.request as RequestOf<'reint'>;
    const { uid } = asked.who;
    const { handle } = receipt;
    const row: SlotRow = { xid, asked: askedDigest(payload), result, handle, uid };
    this.#parts.table.answered(by.client, slot, by.slots.made(slot, row));
    const fid = leftOpen(asked, result);
    if (fid !== undefined) this.#openAgain(by, item, fid);
  }

  /** By the handle that it had. */
  #openAgain(by: ClientExport, item: ReplayItem, fid: Fid): void {
    const { handle } = item.receipt;
    if (handle === undefined) return;
    const { write, uid } = openOf(item.payload);
    const errno = this.#again(by, { handle, fid, rights: write ? 'write' : 'read', uid });
    // It was closed, and the answer to that was lost; or it is lost, and nothing depends on it.
    if (errno !== 0) tellLost(by, item, errno);
  }

  #answer(by: ClientExport, item: ReplayItem, errno: Errno | 0): void {
    const { server, keys } = this.#parts;
    const { xid, slot, payload, receipt } = item;
    const committed = server.committedTransno;
    const { method } = payload;
    const head = { kind: 'answer', xid, method, committed, exclusive: undefined } as const;
    const isRefused = this.#refused.has(item);
    const isSame = method === 'reint' && !isRefused && findingOf(by, item) === 'same';
    const row = isSame ? by.slots.answerOf(slot) : undefined;
    if (errno === 0 && typeof row === 'object') {
      const { result } = row;
      const uncached = grantsOf('reint', payload.request as RequestOf<'reint'>, 0, result);
      const proofs = proofsOfChange(keys, by, payload, row);
      return by.send({ ...head, errno, result, uncached, ...proofs });
    }
    const { handle } = receipt;
    const open = handle === undefined || isRefused ? undefined : by.opens.get(handle);
    const last = { transno: receipt.transno, time: receipt.time };
    const proofs =
      errno !== 0 || open === undefined
        ? NO_PROOFS
        : proofsOfOpen(keys, by, { xid, payload }, open, last);
    by.send({ ...head, errno, result: undefined, uncached: [], ...proofs });
  }
}

function findingOf(by: ClientExport, { xid, slot, payload }: ReplayItem): SlotFinding {
  return by.slots.find(slot, xid, askedDigest(payload));
}

/** It changes nothing: it is an open, or a change that is on disk already. */
function onlyOpens(by: ClientExport, item: ReplayItem): boolean {
  if (item.payload.method === 'open') return true;
  const found = findingOf(by, item);
  return found === 'same' || found === 'old';
}

/** What came with it is not open any more. */
function tellLost(by: ClientExport, { receipt: { handle } }: ReplayItem, errno: Errno): void {
  if (handle !== undefined) by.send({ kind: 'reopened', id: 0, failed: [{ handle, errno }] });
}

/** For whom a request opens, and whether for writing. */
function openOf({ method, request }: Payload): { write: boolean; uid: number } {
  if (method !== 'open') return { write: true, uid: (request as RequestOf<'reint'>).who.uid };
  const { write = false, uid = 0 } = request as RequestOf<'open'>;
  return { write, uid };
}

/** For people. */
export function titleOf({ client, name }: ClientExport): string {
  return `client ${name} (${client.slice(0, 8)})`;
}
