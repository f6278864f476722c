/**
 * Keeps capabilities young: each is renewed when half of its life is over, or when the server
 * has a newer key, in batches of which one is on its way at a time. So whatever is open can
 * be opened again after a restart, however long it was open and however often keys changed.
 */
import type { Clock } from '../../base/time.js';
import { BATCH_MAX } from '../../rpc/limits.js';
import type { Capability, KeyId, RenewAsked, Renewed } from '../../rpc/session.js';
import type { OpenList } from './open-list.js';

export class Renewals {
  readonly #opens: OpenList;
  readonly #clock: Pick<Clock, 'now'>;
  #key = 0 as KeyId;
  #nextId = 1;
  /** The batch on its way. */
  #asked: { readonly id: number; readonly opens: readonly Capability[] } | undefined;

  constructor(opens: OpenList, clock: Pick<Clock, 'now'>) {
    this.#opens = opens;
    this.#clock = clock;
  }

  /** The key that signs now. */
  keyIs(key: KeyId): void {
    this.#key = key;
  }

  /** The connection is another one: what was on its way is not answered any more. */
  reset(): void {
    for (const { handle } of this.#asked?.opens ?? []) {
      const entry = this.#opens.get(handle);
      if (entry !== undefined) entry.renewAt ??= 0;
    }
    this.#asked = undefined;
  }

  /** The next batch, if one is due. */
  next(): RenewAsked | undefined {
    if (this.#asked !== undefined) return undefined;
    const now = this.#nowSec();
    const opens: Capability[] = [];
    for (const entry of this.#opens.entries()) {
      if (opens.length === BATCH_MAX) break;
      if (entry.renewAt === undefined) continue;
      // Those behind it are younger.
      if (entry.renewAt > now && entry.capability.key >= this.#key) break;
      entry.renewAt = undefined;
      opens.push(entry.capability);
    }
    if (opens.length === 0) return undefined;
    this.#asked = { id: this.#nextId++, opens };
    return { kind: 'renew', id: this.#asked.id, opens };
  }

  renewed({ id, opens }: Renewed): void {
    if (this.#asked?.id !== id) return;
    this.#asked = undefined;
    const now = this.#nowSec();
    // What is not open there any more has a close on its way.
    for (const capability of opens) {
      if (capability === undefined) continue;
      this.#opens.renewed(capability, now);
      // It has no newer one: asking on would not end.
      if (capability.key < this.#key) this.#key = capability.key;
    }
  }

  /** In microseconds, when {@link next} has something. */
  dueInUs(): number | undefined {
    if (this.#asked !== undefined) return undefined;
    for (const { renewAt, capability } of this.#opens.entries()) {
      if (renewAt === undefined) continue;
      if (capability.key < this.#key) return 0;
      return Math.max(0, (renewAt - this.#nowSec()) * 1_000_000);
    }
    return undefined;
  }

  #nowSec(): number {
    const { sec, nsec } = this.#clock.now();
    return sec + nsec / 1e9;
  }
}
