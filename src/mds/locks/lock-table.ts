/**
 * Which client keeps something of which object. Most objects are kept by one client, whose name
 * then stands in the table itself; only beside a second one there is a set.
 *
 * Invariant: of an object that one client has exclusively no other keeps anything.
 */
import { assert } from '../../base/assert.js';
import type { Fid } from '../../base/fid.js';
import type { ClientId } from '../../rpc/session.js';

export class LockTable {
  readonly #holders = new Map<Fid, ClientId | Set<ClientId>>();
  readonly #exclusive = new Map<Fid, ClientId>();
  /** The same from the other side, in the order in which they were granted. */
  readonly #held = new Map<ClientId, Set<Fid>>();
  readonly #exclusives = new Map<ClientId, number>();

  holds(client: ClientId, fid: Fid): boolean {
    const holders = this.#holders.get(fid);
    return holders === client || (holders instanceof Set && holders.has(client));
  }

  exclusive(fid: Fid): ClientId | undefined {
    return this.#exclusive.get(fid);
  }

  /** Somebody else has any file exclusively. */
  othersHaveExclusive(by: ClientId): boolean {
    return this.#exclusive.size > (this.#exclusives.get(by) ?? 0);
  }

  /** Who else keeps something of it. */
  others(fid: Fid, by: ClientId): readonly ClientId[] {
    const holders = this.#holders.get(fid);
    if (holders === undefined || holders === by) return [];
    if (!(holders instanceof Set)) return [holders];
    return [...holders].filter((client) => client !== by);
  }

  /** Objects of which the client keeps something. */
  count(client: ClientId): number {
    return this.#held.get(client)?.size ?? 0;
  }

  /** Those that it has had for longest, at most `count`. */
  oldest(client: ClientId, count: number): Fid[] {
    const oldest: Fid[] = [];
    for (const fid of this.#held.get(client) ?? []) {
      if (oldest.length >= count) break;
      oldest.push(fid);
    }
    return oldest;
  }

  grant(fid: Fid, client: ClientId): void {
    const holders = this.#holders.get(fid);
    const sole = this.#exclusive.get(fid);
    assert(sole === undefined || sole === client, 'nobody keeps what another has exclusively');
    if (holders === undefined) this.#holders.set(fid, client);
    else if (holders instanceof Set) holders.add(client);
    else if (holders !== client) this.#holders.set(fid, new Set([holders, client]));
    let held = this.#held.get(client);
    if (held === undefined) {
      held = new Set();
      this.#held.set(client, held);
    }
    held.add(fid);
  }

  /** Only where no other keeps anything of it. */
  grantExclusive(fid: Fid, client: ClientId): void {
    this.grant(fid, client);
    assert(this.others(fid, client).length === 0, 'an exclusive lock is the only one');
    if (this.#exclusive.has(fid)) return;
    this.#exclusive.set(fid, client);
    this.#exclusives.set(client, (this.#exclusives.get(client) ?? 0) + 1);
  }

  /** Whoever has it exclusively keeps a shared lock. */
  share(fid: Fid): void {
    const client = this.#exclusive.get(fid);
    if (client === undefined) return;
    this.#exclusive.delete(fid);
    const left = (this.#exclusives.get(client) ?? 0) - 1;
    if (left > 0) this.#exclusives.set(client, left);
    else this.#exclusives.delete(client);
  }

  remove(fid: Fid, client: ClientId): void {
    if (!this.holds(client, fid)) return;
    if (this.#exclusive.get(fid) === client) this.share(fid);
    const holders = this.#holders.get(fid);
    if (holders instanceof Set) {
      holders.delete(client);
      const [last] = holders;
      if (holders.size === 1 && last !== undefined) this.#holders.set(fid, last);
    } else {
      this.#holders.delete(fid);
    }
    const held = this.#held.get(client);
    held?.delete(fid);
    if (held?.size === 0) this.#held.delete(client);
  }

  /** Everything that it kept. */
  clear(client: ClientId): void {
    for (const fid of this.#held.get(client) ?? []) this.remove(fid, client);
  }
}
