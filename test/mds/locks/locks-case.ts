/** Cache locks whose recalls and admissions a test reads as lines, and clients that look and change. */
import type { Fid } from '../../../src/base/fid.js';
import { nameFromText } from '../../../src/base/name.js';
import { createCacheLocks } from '../../../src/mds/locks/cache-locks.js';
import { LOOK_US } from '../../../src/mds/stall.js';
import type { Reint, RequestOf } from '../../../src/rpc/messages.js';
import type { ClientId } from '../../../src/rpc/session.js';
import { attributes } from '../../client/coherence/simulated-server.js';

export const [A, B, C] = ['a', 'b', 'c'] as [ClientId, ClientId, ClientId];
export const [DIR, FILE, OTHER] = [2, 3, 4] as [Fid, Fid, Fid];
export const NAME = nameFromText('name');
const WHO = { uid: 0, gid: 0, pid: 0, jobid: '', nid: '' };

export class Case {
  us = 10_000_000;
  /** `CLIENT ID WANT FIDS`. */
  readonly recalls: string[] = [];
  readonly evicted: ClientId[] = [];
  readonly done: string[] = [];
  readonly names = new Map<string, Fid>();
  opened: ClientId | undefined;
  readonly locks;

  constructor(cachedMax = 100) {
    this.locks = createCacheLocks(
      {
        recall: (to, id, fids, want) => void this.recalls.push(`${to} ${id} ${want} ${fids}`),
        evict: (client) => void this.evicted.push(client),
      },
      {
        nowUs: () => this.us,
        lookup: (_parent, name) => this.names.get(name),
        openElsewhere: (_fid, by) => this.opened !== undefined && this.opened !== by,
        cachedMax,
      },
    );
  }

  /** Looks, and keeps what it may; what it may not. */
  look(by: ClientId, fid: Fid, method: 'getattr' | 'contents' | 'lock' = 'getattr'): string {
    const told = `${by} ${method} ${fid}`;
    this.locks.admit(by, method, { fid }, () => {
      const of = attributes(fid, 0);
      const result = method === 'contents' ? { attributes: of, contents: undefined } : of;
      const { uncached } = this.locks.answered(by, method, { fid }, 0, result, []);
      this.done.push(uncached.length > 0 ? `${told} uncached` : told);
    });
    return told;
  }

  change(by: ClientId, change: Reint, finishes = true): string {
    const told = `${by} ${change.op}`;
    this.locks.admit(by, 'reint', { who: WHO, change }, () => {
      this.done.push(told);
      if (finishes) this.finish(by, change);
    });
    return told;
  }

  /** The server looks at the time as often as it has to. */
  wait(us: number): void {
    for (let rest = us; rest > 0; rest -= LOOK_US) {
      this.us += Math.min(rest, LOOK_US);
      this.locks.tick(this.us);
    }
  }

  finish(by: ClientId, change: Reint): Fid | undefined {
    const fid = 'fid' in change ? change.fid : OTHER;
    const time = { sec: 0, nsec: 0 };
    const result = { attributes: attributes(fid, 0), kept: undefined, transno: 0, time };
    return this.locks.answered(by, 'reint', { who: WHO, change }, 0, result, []).exclusive;
  }

  open(by: ClientId, write: boolean): Fid | undefined {
    const request: RequestOf<'open'> = { fid: FILE, write };
    const result = { attributes: attributes(FILE, 0), contents: undefined };
    return this.locks.answered(by, 'open', request, 0, result, []).exclusive;
  }

  take(): readonly string[] {
    return [...this.recalls.splice(0), ...this.done.splice(0)];
  }
}

export const chmod = (fid: Fid): Reint => ({ op: 'setattr', fid, change: { mode: 0o600 } });
export const written = (fid: Fid): Reint => ({
  ...{ op: 'write', fid, extents: [], size: 1, mtime: { sec: 0, nsec: 0 }, layout: 'object' },
  ...{ generation: 0, blocks: 0, contents: undefined, killSuidgid: false, keepIntent: false },
});
export const created = (name = NAME): Reint => ({
  ...{ op: 'create', parent: DIR, name, mode: 0o600, umask: 0, rdev: 0, open: true },
});
