/**
 * Who makes a change. The kernel names the *thread*; a record names the process and,
 * as its job id, the command and user in Lustre's procname_uid form. Both are read
 * from /proc while a call of that thread is in progress, so it cannot have gone; what is
 * written later on its behalf, from a mapping, goes by what was read at the open.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import type { Clock } from '../base/time.js';
import type { Caller } from '../fuse/api.js';
import type { Credentials } from '../rpc/messages.js';
import { CALLER_TTL_US, CALLERS_MAX } from './limits.js';
import { statusField, statusNumbers } from './thread-status.js';

/** The NID of a client on its server's own machine. */
const LOCAL_NID = '0@lo';

interface Known {
  readonly credentials: Credentials;
  readonly untilUs: number;
}

export class Callers {
  readonly #clock: Clock;
  readonly #known = new Map<number, Known>();
  readonly #buffer = Buffer.alloc(512);
  /** Nobody reads who it was: no need to find out. */
  recording = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  credentials({ uid, gid, pid: tid }: Caller): Credentials {
    if (!this.recording || tid === 0) return { uid, gid, pid: 0, jobid: '', nid: LOCAL_NID };
    const now = this.#clock.monotonicUs();
    const known = this.#known.get(tid);
    if (known !== undefined && known.untilUs > now) {
      const { credentials } = known;
      if (credentials.uid === uid && credentials.gid === gid) return credentials;
    }
    const { pid, name } = this.#readStatus(tid);
    const jobid = name === '' ? '' : `${name}.${uid}`;
    const credentials = { uid, gid, pid, jobid, nid: LOCAL_NID };
    if (this.#known.size >= CALLERS_MAX) this.#known.clear();
    this.#known.set(tid, { credentials, untilUs: now + CALLER_TTL_US });
    return credentials;
  }

  /** Whether the thread, whose call is in progress, has the group; no, if that is not known. */
  isInGroup({ gid, pid: tid }: Caller, group: number): boolean {
    if (gid === group) return true;
    try {
      const status = readFileSync(`/proc/${tid}/status`, 'latin1');
      return statusNumbers(status, 'Groups')?.includes(group) === true;
    } catch {
      // It lives in another PID namespace.
      return false;
    }
  }

  /** Command name and thread group of a thread, as /proc/TID/status has them near its top. */
  #readStatus(tid: number): { pid: number; name: string } {
    try {
      const fd = openSync(`/proc/${tid}/status`, 'r');
      const length = readSync(fd, this.#buffer, 0, this.#buffer.length, 0);
      closeSync(fd);
      const text = this.#buffer.toString('latin1', 0, length);
      const [pid = tid] = statusNumbers(text, 'Tgid') ?? [];
      return { pid, name: statusField(text, 'Name') ?? '' };
    } catch {
      // It lives in another PID namespace.
      return { pid: tid, name: '' };
    }
  }
}
