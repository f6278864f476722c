/** The clients that a recovery waits for, and what they have in common. */
import { Errno, FsError } from '../../base/errno.js';
import type { ClientId, RecoveryState, RecoveryStep } from '../../rpc/session.js';
import type { KnownClient } from '../export/parts.js';
import { type ClientPhase, isAwaited, type ServerEvent } from './decision.js';
import { precedes, ReplayQueue } from './replay-queue.js';

export interface RecoveringClient {
  readonly known: KnownClient;
  readonly queue: ReplayQueue;
  phase: ClientPhase;
  connected: boolean;
  /** Why it was evicted. */
  reason: string | undefined;
}

export class RecoveringClients {
  readonly #clients = new Map<ClientId, RecoveringClient>();

  constructor(known: readonly KnownClient[]) {
    for (const one of known) {
      this.#clients.set(one.client, {
        known: one,
        queue: new ReplayQueue(),
        phase: 'missing',
        connected: false,
        reason: undefined,
      });
    }
  }

  get(client: ClientId): RecoveringClient | undefined {
    return this.#clients.get(client);
  }

  /** FsError(EPROTO) unless the client is at that step. */
  at(client: ClientId, step: RecoveryStep): RecoveringClient {
    const found = this.#clients.get(client);
    if (found?.phase === step) return found;
    const is = found === undefined ? 'is not known' : `is at ${found.phase}`;
    throw new FsError(Errno.EPROTO, `the client ${is}, and sends what belongs to ${step}`);
  }

  /** A snapshot: what is done about one may remove others. */
  get all(): readonly RecoveringClient[] {
    return [...this.#clients.values()];
  }

  remove(client: ClientId): void {
    this.#clients.delete(client);
  }

  /** What is true of all that are left, and leads on from that state. */
  event(state: RecoveryState): ServerEvent | undefined {
    const left = this.all.filter(({ phase }) => phase !== 'evicted');
    if (left.length === 0) return 'none-left';
    const awaits = (step: RecoveryStep): boolean =>
      left.some(({ phase }) => isAwaited(phase, step));
    switch (state) {
      case 'waiting':
        return left.some(({ phase }) => phase !== 'missing') ? 'somebody' : undefined;
      case 'opens':
        return awaits('opens') ? undefined : 'all-opened';
      case 'replays': {
        const queued = left.some(({ queue }) => queue.length > 0);
        return queued || awaits('replays') ? undefined : 'all-replayed';
      }
      case 'locks':
        return awaits('locks') ? undefined : 'all-locked';
      default:
        return undefined;
    }
  }

  /** Who has the lowest of all replays that are queued; undefined while somebody may still bring a lower one. */
  nextReplay(): RecoveringClient | undefined {
    let lowest: RecoveringClient | undefined;
    for (const client of this.#clients.values()) {
      const first = client.queue.peek();
      if (first === undefined) {
        if (isAwaited(client.phase, 'replays')) return undefined;
        continue;
      }
      const before = lowest?.queue.peek();
      if (before === undefined || precedes(first.item, before.item)) lowest = client;
    }
    return lowest;
  }
}
