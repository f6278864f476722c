/**
 * A client's part in the recovery of its server, on one connection: what it sends in each of
 * the steps that the server begins. If the connection ends, all begins again on the next one;
 * the server knows what it has done of it.
 */
import type { Errno } from '../../base/errno.js';
import { errnoName } from '../../base/errno.js';
import type { Fid } from '../../base/fid.js';
import { BATCH_MAX } from '../../rpc/limits.js';
import type {
  Answer,
  Capability,
  ClientMessage,
  HeldFileLock,
  LocksHeld,
  LocksTaken,
  OpenHandle,
  RecoveryStep,
  Reopened,
  Xid,
} from '../../rpc/session.js';
import type { ImportEvents } from '../import-events.js';
import { BATCHES_IN_FLIGHT_MAX, REPLAYS_IN_FLIGHT_MAX } from './limits.js';
import type { OpenEntry, OpenList } from './open-list.js';
import { compareItems, type ReplayItem, type ReplayList } from './replay-list.js';
import { Window } from './window.js';

/** The locks of programs on files, as the client keeps them. */
export interface FileLocksHeld {
  held(): readonly HeldFileLock[];
  /** The server did not take these. */
  lost(locks: readonly HeldFileLock[]): void;
}

export interface RecoveryParts {
  readonly opens: OpenList;
  readonly replays: ReplayList;
  /** The changes that are made again: of all connections to that run of the server the same. */
  readonly changes: readonly ReplayItem[];
  readonly events: Pick<ImportEvents, 'held' | 'recall' | 'openLost'>;
  readonly fileLocks: FileLocksHeld | undefined;
  /** How many opens of a file are about to be closed. */
  readonly closing: (fid: Fid) => number;
  readonly send: (message: ClientMessage) => void;
  readonly log: (line: string) => void;
  readonly nowSec: () => number;
}

type Batch = Pick<LocksHeld, 'cached' | 'exclusive' | 'fileLocks'>;

export class RecoverySteps {
  readonly #parts: RecoveryParts;
  #step: RecoveryStep | undefined;
  #window: { go(): void; answered(): void } | undefined;
  #nextId = 1;
  /** Sent and not answered. */
  readonly #replaying = new Map<Xid, ReplayItem>();
  readonly #locking = new Map<number, Batch>();
  readonly #reopening = new Set<number>();

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  /** The server waits for what belongs to that step. */
  begin(step: RecoveryStep): void {
    if (step === this.#step) return;
    this.#step = step;
    if (step === 'opens') this.#reopen();
    else if (step === 'replays') this.#replay();
    else this.#lock();
  }

  /** The server may tell later of some of a batch, and of those that come with changes. */
  reopened({ id, failed }: Reopened): void {
    for (const { handle, errno } of failed) this.#lost(handle, errno);
    if (this.#reopening.delete(id)) this.#window?.answered();
  }

  #lost(handle: OpenHandle, errno: Errno): void {
    const { opens, closing, events, log } = this.#parts;
    const fid = opens.lose(handle);
    // It may have been closed already: then the answer to that is what is missing.
    if (fid === undefined || opens.lostOf(fid) <= closing(fid)) return;
    log(`an open file could not be opened again after the server's restart: ${errnoName(errno)}`);
    events.openLost?.(fid, errno);
  }

  /** False: it is no answer to a replay. */
  answered({ xid, errno, receipt, capability }: Answer): boolean {
    const item = this.#replaying.get(xid);
    if (item === undefined) return false;
    this.#replaying.delete(xid);
    const { opens, replays, log, nowSec } = this.#parts;
    if (errno !== 0 && item.payload.method === 'open') {
      if (item.receipt.handle !== undefined) this.#lost(item.receipt.handle, errno);
    } else if (errno !== 0) {
      // The server tells what follows from it.
      log(`a change could not be made again after the server's restart: ${nameOf(errno)}`);
    } else {
      if (receipt?.transno === item.receipt.transno) {
        const renewed = { ...item, receipt };
        replays.replace(item, renewed);
        opens.remade(item, renewed);
      }
      if (capability !== undefined) opens.renewed(capability, nowSec());
    }
    this.#window?.answered();
    return true;
  }

  locksTaken({ id, lost, lostFileLocks }: LocksTaken): void {
    const batch = this.#locking.get(id);
    if (batch === undefined) return;
    this.#locking.delete(id);
    if (lost.length > 0) this.#parts.events.recall(lost, 'drop', () => {});
    const locks = lostFileLocks.flatMap((i) => batch.fileLocks[i] ?? []);
    if (locks.length > 0) this.#parts.fileLocks?.lost(locks);
    this.#window?.answered();
  }

  /**
   * Opens whose change is to be made again come with that; so do those that are kept as
   * requests. But of a change that is on disk the server may not know any more which other file
   * it left open: that one has to be named.
   */
  #reopen(): void {
    const { opens, changes, send } = this.#parts;
    const replayed = new Map(changes.map(({ receipt }) => [receipt.handle, receipt]));
    const capabilities: Capability[] = [];
    for (const entry of opens.entries()) {
      const { handle, capability } = entry;
      const receipt = requestOf(entry)?.receipt ?? replayed.get(handle);
      if (receipt?.fid !== capability.fid) capabilities.push(capability);
    }
    this.#run(batches(capabilities), BATCHES_IN_FLIGHT_MAX, (batch) => {
      const id = this.#nextId++;
      this.#reopening.add(id);
      send({ kind: 'reopen', id, opens: batch });
    });
  }

  #replay(): void {
    const { send } = this.#parts;
    this.#run(this.#replayed(), REPLAYS_IN_FLIGHT_MAX, (item) => {
      this.#replaying.set(item.xid, item);
      const { xid, slot, payload, receipt } = item;
      send({ kind: 'replay', xid, slot, payload, receipt });
    });
  }

  /** Changes, and among them the opens of a client that recovers by replay. */
  #replayed(): ReplayItem[] {
    const { opens, changes } = this.#parts;
    const items = [...changes];
    const known = new Set(items.map(({ xid }) => xid));
    for (const entry of opens.entries()) {
      const made = requestOf(entry);
      if (made !== undefined && !known.has(made.xid)) items.push(made);
    }
    return items.length === changes.length ? items : items.sort(compareItems);
  }

  #lock(): void {
    const { events, fileLocks, send } = this.#parts;
    const { cached, exclusive } = events.held();
    const parts = lockBatches(cached, exclusive, fileLocks?.held() ?? []);
    this.#run(parts, BATCHES_IN_FLIGHT_MAX, (batch) => {
      const id = this.#nextId++;
      this.#locking.set(id, batch);
      send({ kind: 'locks', id, ...batch });
    });
  }

  #run<T>(items: Iterable<T>, max: number, send: (item: T) => void): void {
    const step = this.#step;
    const done = (): void => {
      if (step !== undefined) this.#parts.send({ kind: 'step-done', step });
    };
    this.#window = new Window(items, { max, send, done });
    this.#window.go();
  }
}

/**
 * By which it is made again. The key that signed the request may not count any more, while the
 * capability is renewed.
 */
function requestOf({ capability, made }: OpenEntry): ReplayItem | undefined {
  return made?.receipt.key === capability.key ? made : undefined;
}

/** The files of opens that these changes led to when they were made again, and that were closed since. */
export function closedSince(changes: readonly ReplayItem[], opens: OpenList): Fid[] {
  return changes.flatMap(({ receipt: { handle }, opened }) =>
    handle === undefined || opened === undefined || opens.has(handle) ? [] : [opened],
  );
}

function* batches<T>(items: readonly T[]): Generator<T[]> {
  for (let i = 0; i < items.length; i += BATCH_MAX) yield items.slice(i, i + BATCH_MAX);
}

function* lockBatches(
  cached: readonly Fid[],
  exclusive: readonly Fid[],
  fileLocks: readonly HeldFileLock[],
): Generator<Batch> {
  const none = { cached: [], exclusive: [], fileLocks: [] };
  for (const batch of batches(cached)) yield { ...none, cached: batch };
  for (const batch of batches(exclusive)) yield { ...none, exclusive: batch };
  for (const batch of batches(fileLocks)) yield { ...none, fileLocks: batch };
}

function nameOf(errno: Errno | 0): string {
  return errnoName(errno);
}
