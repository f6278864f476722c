/**
 * What /proc tells of a thread whose call is in progress: what it may do, and which system
 * call it is in. It waits for its answer meanwhile, so it can neither have gone nor go on.
 *
 * To read /proc/TID/syscall takes a lock of the thread's process. Before Linux 5.11 an
 * execve holds that lock while it opens the program: if that is on this filesystem, it
 * waits for the answer of whoever waits for the lock. There the file is never read.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { release } from 'node:os';
import type { Identity } from '../base/permission.js';
import { THREAD_LOOKS_MAX } from './limits.js';
import { parseSystemCall, type SystemCall } from './system-call.js';
import { statusField, statusNumbers } from './thread-status.js';

/** Bits of CapEff: what overrides permissions. */
export const CAP_DAC_OVERRIDE = 1 << 1;
export const CAP_DAC_READ_SEARCH = 1 << 2;

/** Ids [from, from + count) of this machine that a user namespace has. */
export interface IdRange {
  readonly from: number;
  readonly count: number;
}

/** A thread as the permission check of the kernel sees it. */
export interface Subject extends Identity {
  /** {@link CAP_DAC_OVERRIDE} and {@link CAP_DAC_READ_SEARCH}, where effective. */
  readonly capabilities: number;
  /** Capabilities count only for objects whose owner and group are among these. */
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}

/** What a thread is doing: `busy` also where that cannot be known. */
export type Progress = 'gone' | 'asleep' | 'busy';

/** Of proc_pid_stat(5). */
const ENDED = ['Z', 'X', 'x'];
const RUNNING = ['R', 'D', ''];

export interface ThreadStateOptions {
  /** Of the kernel, as uname(2) has it. */
  readonly release?: string;
  /** As in process.arch. */
  readonly arch?: string;
  /** The text of a file of /proc; throws if it cannot be read. */
  readonly read?: (path: string) => string;
}

const FIRST_SAFE = [5, 11] as const;

export class ThreadState {
  readonly #arch: string;
  readonly #read: (path: string) => string;
  readonly #isSafe: boolean;

  constructor(options: ThreadStateOptions = {}) {
    this.#arch = options.arch ?? process.arch;
    this.#read = options.read ?? readText;
    this.#isSafe = isAtLeast(options.release ?? release(), FIRST_SAFE);
  }

  /** Undefined where it cannot be known: see {@link parseSystemCall}, or nobody may read it. */
  systemCall(tid: number): SystemCall | undefined {
    if (!this.#isSafe || tid === 0) return undefined;
    const path = `/proc/${tid}/syscall`;
    try {
      // The request may be here before its caller has gone to sleep.
      for (let looks = 0; looks < THREAD_LOOKS_MAX; looks++) {
        const line = this.#read(path);
        if (!line.startsWith('running')) return parseSystemCall(line, this.#arch);
      }
    } catch {
      // Of another user, or in another PID namespace.
    }
    return undefined;
  }

  /**
   * Of a thread that may not be waiting for this mount: takes no lock of its process. A
   * thread that is only waiting to be run, for memory or for a lock is busy.
   */
  progress(tid: number): Progress {
    try {
      const stat = this.#read(`/proc/${tid}/stat`);
      // The command before it may have any character.
      const state = stat.charAt(stat.lastIndexOf(')') + 2);
      if (ENDED.includes(state)) return 'gone';
      return RUNNING.includes(state) ? 'busy' : 'asleep';
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      return code === 'ENOENT' || code === 'ESRCH' ? 'gone' : 'busy';
    }
  }

  /** Undefined where it cannot be read. */
  subject(tid: number): Subject | undefined {
    if (tid === 0) return undefined;
    try {
      const status = this.#read(`/proc/${tid}/status`);
      const [, , , uid] = statusNumbers(status, 'Uid') ?? [];
      const [, , , gid] = statusNumbers(status, 'Gid') ?? [];
      const effective = /^[0-9a-f]*([0-9a-f]{8})$/.exec(statusField(status, 'CapEff') ?? '')?.[1];
      if (uid === undefined || gid === undefined || effective === undefined) return undefined;
      const capabilities =
        Number.parseInt(effective, 16) & (CAP_DAC_OVERRIDE | CAP_DAC_READ_SEARCH);
      const ranges = (file: string): IdRange[] =>
        capabilities === 0 ? [] : parseIdMap(this.#read(`/proc/${tid}/${file}`));
      return {
        uid,
        gid,
        groups: statusNumbers(status, 'Groups') ?? [],
        capabilities,
        uids: ranges('uid_map'),
        gids: ranges('gid_map'),
      };
    } catch {
      return undefined;
    }
  }
}

/** Lines of first id inside, first id outside, count. */
function parseIdMap(text: string): IdRange[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([, from, count]) =>
      from === undefined || count === undefined ? [] : [{ from, count }],
    );
}

function isAtLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, a, b] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(a) > major || (Number(a) === major && Number(b) >= minor);
}

const buffer = Buffer.alloc(4096);

/** Files of /proc are mostly short: one read, unless there is more. */
function readText(path: string): string {
  const fd = openSync(path, 'r');
  try {
    const length = readSync(fd, buffer, 0, buffer.length, 0);
    return length < buffer.length
      ? buffer.toString('latin1', 0, length)
      : readFileSync(path, 'latin1');
  } finally {
    closeSync(fd);
  }
}
