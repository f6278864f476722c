/** An open whose answer was lost: it is open, and what it showed is looked at anew. */
import { type Errno, errnoOf } from '../../base/errno.js';
import type { ResultOf } from '../../rpc/messages.js';
import type { Call, Payload } from '../../rpc/session.js';
import type { CallsParts, Granted } from './calls.js';
import type { ClientExport } from './client-export.js';
import type { HeldOpen } from './parts.js';
import { NO_PROOFS, type Proofs, proofsOfOpen } from './signing.js';

export type OpenCall = Call & { readonly payload: Payload<'open'> };

type Answered = (
  errno: Errno | 0,
  result: ResultOf<'open'> | undefined,
  proofs: Proofs,
  granted: Granted,
) => void;

/** It asks for what was opened by that number, and for nothing else. */
export function asksFor({ payload: { request } }: OpenCall, open: HeldOpen): boolean {
  const { fid, write = false, uid = 0 } = request;
  return open.fid === fid && open.uid === uid && open.rights === (write ? 'write' : 'read');
}

/** `answered` is called once, unless the client goes before. */
export function openedAgain(
  { server, keys, clock, locks, methods, failed }: CallsParts,
  by: ClientExport,
  call: OpenCall,
  open: HeldOpen,
  answered: Answered,
): void {
  const { request } = call.payload;
  const running = by.begin(call);
  const proceed = (): void => {
    if (by.gone) return;
    let isOver = false;
    const answer = (errno: Errno | 0, result: ResultOf<'contents'> | undefined): void => {
      if (isOver) return;
      isOver = true;
      by.end(call.xid);
      const granted = locks.answered(by.client, 'open', request, errno, result, []);
      const last = { transno: server.lastTransno, time: clock.now() };
      const proofs = errno === 0 ? proofsOfOpen(keys, by, call, open, last) : NO_PROOFS;
      answered(errno, result, proofs, granted);
    };
    try {
      methods.contents(by, request, answer, running);
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === undefined || isOver) failed(by, 'an open', error);
      else answer(errno, undefined);
    }
  };
  locks.admit(by.client, 'open', request, proceed);
}
