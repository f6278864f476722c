/**
 * Calls that wait to be sent, in the order of calling. Whatever is done
 * about one takes as long with many that wait as with few: a mount with thousands of dirty files sends their records one after the other.
 *
 * Some may pass others (calls.ts), unless an earlier change of the same file waits. For that
 * there is a line per file, of its changes and of the looks at its contents: what stands
 * behind the first change of it is held back.
 */
import type { Fid } from '../../base/fid.js';
import type { PendingCall } from './calls.js';

export class WaitingCalls {
  readonly #all = new Set<PendingCall>();
  readonly #lines = new Map<Fid, Set<PendingCall>>();
  /** Those that may pass now, and take no slot. */
  readonly #looks = new Set<PendingCall>();
  /** Those that may pass now, and take one. */
  readonly #writes = new Set<PendingCall>();

  get size(): number {
    return this.#all.size;
  }

  /** Behind all others. */
  add(call: PendingCall): void {
    this.#all.add(call);
    const fid = lineOf(call);
    if (fid === undefined) return this.#ready(call);
    const line = this.#lines.get(fid) ?? new Set();
    if (line.size === 0) this.#lines.set(fid, line);
    // Before the first change there are looks alone, and behind it everybody is held back.
    const isFree = line.size === 0 || !hasChange(line);
    line.add(call);
    if (isFree) this.#ready(call);
  }

  /** False: it does not wait. */
  remove(call: PendingCall): boolean {
    if (!this.#all.delete(call)) return false;
    this.#looks.delete(call);
    this.#writes.delete(call);
    const fid = lineOf(call);
    const line = fid === undefined ? undefined : this.#lines.get(fid);
    if (fid === undefined || line === undefined) return true;
    line.delete(call);
    if (line.size === 0) this.#lines.delete(fid);
    else if (call.change !== undefined) this.#goOn(line);
    return true;
  }

  get first(): PendingCall | undefined {
    return firstOf(this.#all);
  }

  /** The first look that may pass. */
  get look(): PendingCall | undefined {
    return firstOf(this.#looks);
  }

  /** The first record of a write that may pass. */
  get write(): PendingCall | undefined {
    return firstOf(this.#writes);
  }

  /** All of them, which wait no longer. */
  takeAll(): PendingCall[] {
    const all = [...this.#all];
    for (const set of [this.#all, this.#lines, this.#looks, this.#writes]) set.clear();
    return all;
  }

  /** Up to the first change nothing holds them back. */
  #goOn(line: Iterable<PendingCall>): void {
    for (const call of line) {
      this.#ready(call);
      if (call.change !== undefined) return;
    }
  }

  #ready(call: PendingCall): void {
    if (!mayPass(call)) return;
    if (call.change === undefined) this.#looks.add(call);
    else this.#writes.add(call);
  }
}

/** Whether it may be sent before others that wait. */
export function mayPass({ method, contentsOf }: PendingCall): boolean {
  return method === 'intent' || contentsOf !== undefined;
}

/** The file in whose line it stands. */
function lineOf({ change, contentsOf }: PendingCall): Fid | undefined {
  if (contentsOf !== undefined) return contentsOf;
  return change !== undefined && 'fid' in change ? change.fid : undefined;
}

/** Looks that nothing holds back are sent at once: there are few before the first change. */
function hasChange(line: Iterable<PendingCall>): boolean {
  for (const { change } of line) if (change !== undefined) return true;
  return false;
}

function firstOf(calls: Iterable<PendingCall>): PendingCall | undefined {
  for (const call of calls) return call;
  return undefined;
}
