/**
 * Requests of processes that were killed. Beside other mounts an answer may take as long as
 * the server is away, and until it comes the process is there: a look is answered EINTR at
 * once, and a change that was not sent is taken back. A change that was sent is waited for: it
 * may have been made.
 *
 * A signal that a program handles changes nothing: it would see EINTR from calls that never
 * fail so. The kernel tells of the first signal alone, so whoever had one is looked at now and then.
 */
import { readFileSync } from 'node:fs';
import { Errno } from '../base/errno.js';
import type { Reply, Request } from '../fuse/api.js';
import type { Answer, Connection, Method, RequestOf } from '../rpc/messages.js';
import { statusField } from './thread-status.js';

/** Calls that belong to one request alone; others may wait for whatever else is called for a file. */
const OF_ONE_REQUEST: ReadonlySet<Method> = new Set<Method>([
  'lookup',
  'getattr',
  'open',
  'reint',
  'statfs',
]);

/** SIGKILL in the set of pending signals: whatever ends a process is noted as that. */
const KILL_BIT = 0x100;

interface Waiting {
  readonly tid: number;
  readonly reply: Reply;
  /** Nothing comes of it but the answer. */
  readonly isLook: boolean;
  /** Takes its last call back, if that was not sent. */
  withdraw: (() => void) | undefined;
}

export class KilledCallers {
  /** As the client's other parts use it. */
  readonly connection: Connection;
  readonly #mds: Connection;
  readonly #isKilled: (tid: number) => boolean;
  /** They had a signal, and have no answer. */
  readonly #signalled = new Set<Waiting>();
  #current: Waiting | undefined;

  constructor(mds: Connection, isKilled = isThreadKilled) {
    this.#mds = mds;
    this.#isKilled = isKilled;
    const { cancellable } = mds;
    this.connection = {
      ...(mds.direct === undefined ? {} : { direct: mds.direct }),
      call: (method, request, answer) => this.#call(method, request, answer),
      ...(cancellable === undefined ? {} : { cancellable: cancellable.bind(mds) }),
      onNotice: (listener) => mds.onNotice(listener),
    };
  }

  /** Some of them are to be looked at by {@link tick}. */
  get pending(): boolean {
    return this.#signalled.size > 0;
  }

  serve<Q extends Request, R extends Reply>(
    operation: (request: Q, reply: R) => void,
    isLook: boolean,
  ): (request: Q, reply: R) => void {
    return (request, reply) => {
      const waiting = { tid: request.caller.pid, reply, isLook, withdraw: undefined };
      this.#within(waiting, () => operation(request, reply));
      if (reply.answered) return;
      reply.whenSignalled?.(() => {
        this.#signalled.add(waiting);
        this.tick();
      });
    };
  }

  tick(): void {
    for (const waiting of this.#signalled) {
      const { reply, tid, isLook, withdraw } = waiting;
      if (!reply.answered && !this.#isKilled(tid)) continue;
      if (!reply.answered && isLook) reply.abandon?.(Errno.EINTR);
      else if (!reply.answered) withdraw?.();
      // One that was sent may be sent for the first time yet: its request goes on with another call.
      if (reply.answered) this.#signalled.delete(waiting);
    }
  }

  #call<M extends Method>(method: M, request: RequestOf<M>, answer: Answer<M>): void {
    const waiting = this.#current;
    const { withdrawable } = this.#mds;
    if (waiting === undefined || withdrawable === undefined || !isOfOneRequest(method, request)) {
      this.#mds.call(method, request, answer);
      return;
    }
    const withdraw = withdrawable.call<
      Connection,
      Parameters<typeof withdrawable<M>>,
      () => boolean
    >(this.#mds, method, request, (errno, result) => {
      waiting.withdraw = undefined;
      this.#within(waiting, () => answer(errno, result));
    });
    if (!waiting.reply.answered) waiting.withdraw = withdraw;
  }

  #within(waiting: Waiting, run: () => void): void {
    const before = this.#current;
    this.#current = waiting;
    try {
      run();
    } finally {
      this.#current = before;
    }
  }
}

/** The records of what was written are a file's, not a request's. */
function isOfOneRequest<M extends Method>(method: M, request: RequestOf<M>): boolean {
  if (!OF_ONE_REQUEST.has(method)) return false;
  return method !== 'reint' || (request as RequestOf<'reint'>).change.op !== 'write';
}

/** True also for one that cannot be looked at (another PID namespace). */
export function isThreadKilled(
  tid: number,
  read: (path: string) => string = (path) => readFileSync(path, 'latin1'),
): boolean {
  let status: string;
  try {
    status = read(`/proc/${tid}/status`);
  } catch {
    return true;
  }
  const [low] = /[0-9a-f]{1,8}$/.exec(statusField(status, 'SigPnd') ?? '') ?? [];
  return low !== undefined && (Number.parseInt(low, 16) & KILL_BIT) !== 0;
}
