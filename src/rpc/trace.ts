/** DEBUG=feedfs:rpc shows each call and each answer, at whichever end. */
import createDebug from 'debug';
import { type Errno, errnoName } from '../base/errno.js';
import type { ReintRequest } from './messages.js';
import type { Payload, Xid } from './session.js';

const debug = createDebug('feedfs:rpc');

/** Calls whose begin is remembered: the time of others is not shown. */
const TIMED_MAX = 4_096;

export class RpcTrace {
  readonly #end: string;
  readonly #nowUs: () => number;
  readonly #begun = new Map<string, number>();

  /** `end`: which one of the connection this is. `nowUs`: monotonic, in microseconds. */
  constructor(end: 'client' | 'server', nowUs: () => number) {
    this.#end = end;
    this.#nowUs = nowUs;
  }

  /** Looked at before the others are called. */
  get isOn(): boolean {
    return debug.enabled;
  }

  called(client: string, payload: Payload, xid: Xid, resent: boolean): void {
    if (this.#begun.size >= TIMED_MAX) this.#begun.clear();
    this.#begun.set(`${client} ${xid}`, this.#nowUs());
    debug('%s %s %d %s%s', this.#end, client, xid, nameOf(payload), resent ? ' again' : '');
  }

  answered(client: string, payload: Payload, xid: Xid, errno: Errno | 0): void {
    const key = `${client} ${xid}`;
    const begun = this.#begun.get(key);
    this.#begun.delete(key);
    const took = begun === undefined ? '?' : (this.#nowUs() - begun).toFixed(0);
    const outcome = errno === 0 ? 'ok' : errnoName(errno);
    debug('%s %s %d %s: %s in %s us', this.#end, client, xid, nameOf(payload), outcome, took);
  }
}

function nameOf({ method, request }: Payload): string {
  return method === 'reint' ? `reint ${(request as ReintRequest).change.op}` : method;
}
