/**
 * Keeps a flood of equal accesses out of the log: the first is told of, those that follow
 * within an interval are counted, and at its end one report says how many they were. While
 * the flood goes on, that is one report in each interval.
 *
 * Invariants
 * - Each access that happens is in exactly one report, or counted here until it is.
 * - Entries stand in the order in which their intervals end; after an answer that came
 *   late, one may wait for another interval.
 * - An interval begins before anybody is told, and not with the answer: while the server
 *   takes its time, equal accesses are counted like any others, so few reports wait there.
 */
import { Errno } from '../base/errno.js';
import type { AccessReport } from '../rpc/messages.js';
import { ACCESS_INTERVAL_US, ACCESSES_MAX } from './limits.js';

/** An access before it is known how often it was repeated. */
export type SingleAccess = Omit<AccessReport, 'repeated'>;

export type Told = (errno: Errno | 0) => void;

interface Entry {
  readonly access: SingleAccess;
  readonly untilUs: number;
  /** Accesses of which nobody was told. */
  swallowed: number;
  /** Somebody has no room to be told of them: no more of them may happen. */
  refused: boolean;
}

export interface AccessLimiterOptions {
  /** Tells of it; answers with an errno if it could not be. */
  readonly tell: (report: AccessReport, told: Told) => void;
  /** So many accesses were never told of, for there was neither room there nor here. */
  readonly lost: (accesses: number) => void;
  readonly entriesMax?: number;
}

export class AccessLimiter {
  readonly #tell: (report: AccessReport, told: Told) => void;
  readonly #lost: (accesses: number) => void;
  readonly #entriesMax: number;
  readonly #entries = new Map<string, Entry>();

  constructor({ tell, lost, entriesMax = ACCESSES_MAX }: AccessLimiterOptions) {
    this.#tell = tell;
    this.#lost = lost;
    this.#entriesMax = entriesMax;
  }

  /** Some interval is to end. */
  get pending(): boolean {
    return this.#entries.size > 0;
  }

  /** Tells or counts; `told` hears at once or later whether the access may happen. */
  access(access: SingleAccess, nowUs: number, told: Told): void {
    const key = keyOf(access);
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.untilUs > nowUs) {
      if (entry.refused && isAvoidable(access)) return told(Errno.ENOSPC);
      entry.swallowed++;
      return told(0);
    }
    if (entry !== undefined) this.#end(key, entry, nowUs, false);
    const begun = this.#begin(key, access, nowUs);
    this.#tell({ ...access, repeated: 0 }, (errno) => {
      if (errno !== 0) this.#takeBack(key, begun, nowUs);
      told(errno);
    });
  }

  /** Tells of what was counted in the intervals that are over. */
  tick(nowUs: number): void {
    for (const [key, entry] of this.#entries) {
      if (entry.untilUs > nowUs) return;
      this.#end(key, entry, nowUs, true);
    }
  }

  /** Nobody asks any more: what was counted is lost. */
  drop(): void {
    for (const { swallowed } of this.#entries.values()) if (swallowed > 0) this.#lost(swallowed);
    this.#entries.clear();
  }

  /** Tells of everything that was counted, before the end. */
  flush(): void {
    for (const [key, entry] of this.#entries) this.#forget(key, entry);
  }

  #begin(key: string, access: SingleAccess, nowUs: number, swallowed = 0, refused = false): Entry {
    // An answer may come late: what was counted since belongs to the newer entry.
    const there = this.#entries.get(key);
    if (there !== undefined) {
      there.swallowed += swallowed;
      return there;
    }
    if (this.#entries.size >= this.#entriesMax) {
      const [oldest] = this.#entries;
      if (oldest !== undefined) this.#forget(...oldest);
    }
    const untilUs = nowUs + ACCESS_INTERVAL_US;
    const entry = { access, untilUs, swallowed, refused };
    this.#entries.set(key, entry);
    return entry;
  }

  /** The access with which that interval began could not be told of. */
  #takeBack(key: string, begun: Entry, nowUs: number): void {
    const { access } = begun;
    // It happened all the same, and is told of later.
    if (!isAvoidable(access)) return void this.#begin(key, access, nowUs, 1);
    if (this.#entries.get(key) !== begun) return;
    // Those that were counted meanwhile have happened.
    if (begun.swallowed > 0) begun.refused = true;
    else this.#entries.delete(key);
  }

  /** `goesOn`: another interval follows in which equal ones are counted. */
  #end(key: string, { access, swallowed }: Entry, nowUs: number, goesOn: boolean): void {
    this.#entries.delete(key);
    if (swallowed === 0) return;
    if (goesOn) this.#begin(key, access, nowUs);
    this.#tell({ ...access, repeated: swallowed }, (errno) => {
      if (errno === 0) return;
      const since = this.#entries.get(key)?.swallowed ?? 0;
      this.#entries.delete(key);
      this.#begin(key, access, nowUs, swallowed + since, true);
    });
  }

  #forget(key: string, { access, swallowed }: Entry): void {
    this.#entries.delete(key);
    if (swallowed === 0) return;
    this.#tell({ ...access, repeated: swallowed }, (errno) => {
      if (errno !== 0) this.#lost(swallowed);
    });
  }
}

/** A close happens, and a denied open has been denied, whatever becomes of the report. */
function isAvoidable({ kind }: SingleAccess): boolean {
  return kind === 'open' || kind === 'getxattr';
}

function keyOf({ kind, fid, who, flags, errno, name, directory }: SingleAccess): string {
  const { uid, gid, pid, jobid } = who;
  return `${kind} ${fid} ${uid} ${gid} ${pid} ${flags} ${errno} ${directory} ${jobid} ${name}`;
}
