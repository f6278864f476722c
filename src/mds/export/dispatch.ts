/** What a client's message leads to. What frees others is done at once; the rest has its turn. */
import { FsError } from '../../base/errno.js';
import type { ClientMessage, RenewAsked } from '../../rpc/session.js';
import type { Calls } from './calls.js';
import type { ClientExport } from './client-export.js';
import type { Departures } from './departures.js';
import { DROP_ALL_RECALL } from './drop-all.js';
import type { CacheLocks, KeyRing, RecoveryCoordinator } from './parts.js';
import type { RecoveryMessages } from './recovery-messages.js';

export interface DispatchParts {
  readonly keys: KeyRing;
  readonly locks: CacheLocks;
  readonly calls: Calls;
  readonly recovery: RecoveryMessages;
  readonly departures: Departures;
  readonly coordinator: () => RecoveryCoordinator;
  /** Has it worked on in its turn. */
  readonly queue: (by: ClientExport, message: ClientMessage) => void;
}

export class Dispatch {
  readonly #parts: DispatchParts;

  constructor(parts: DispatchParts) {
    this.#parts = parts;
  }

  /** As it comes. Whatever it leads to ends that client's connection at worst. */
  message(by: ClientExport, message: ClientMessage): void {
    try {
      this.#message(by, message);
    } catch (error) {
      this.#parts.departures.failed(by, message.kind, error);
    }
  }

  #message(by: ClientExport, message: ClientMessage): void {
    const { locks, departures, queue } = this.#parts;
    if (by.gone) return;
    switch (message.kind) {
      case 'cancel':
        by.cancel(message.xid);
        return;
      case 'recall-done':
        if (message.id === DROP_ALL_RECALL) departures.dropped(by);
        else if (by.recalls.delete(message.id)) locks.recallDone(by.client, message.id);
        return;
      case 'released':
        locks.released(by.client, message.fids);
        return;
      case 'bye':
        departures.bye(by);
        return;
      default:
        queue(by, message);
    }
  }

  /** In its turn. */
  work(by: ClientExport, message: ClientMessage): void {
    try {
      this.#work(by, message);
    } catch (error) {
      const { departures } = this.#parts;
      if (error instanceof FsError) departures.broken(by, error.message);
      else departures.failed(by, message.kind, error);
    }
  }

  /** FsError where a step of the recovery does not allow it. */
  #work(by: ClientExport, message: ClientMessage): void {
    const { calls, recovery, departures, coordinator } = this.#parts;
    switch (message.kind) {
      case 'call':
        if (coordinator().running) departures.broken(by, 'a call in the middle of a recovery');
        else calls.run(by, message);
        return;
      case 'reopen':
        return recovery.reopen(by, message);
      case 'replay':
        return recovery.replay(by, message);
      case 'locks':
        return recovery.locksHeld(by, message);
      case 'step-done':
        return coordinator().stepDone(by.client, message.step);
      case 'renew':
        return this.#renew(by, message);
      default:
        departures.broken(by, `${message.kind} does not belong here`);
    }
  }

  /** What is open is open: whether its old capability still counts is of no interest. */
  #renew(by: ClientExport, { id, opens }: RenewAsked): void {
    const { keys } = this.#parts;
    const renewed = opens.map(({ handle, fid }) => {
      const open = by.opens.get(handle);
      return open?.fid === fid ? keys.capability(by.client, open) : undefined;
    });
    by.send({ kind: 'renewed', id, opens: renewed });
  }
}
