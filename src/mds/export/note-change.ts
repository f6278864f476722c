/** What a change leaves behind: the answer in its slot, in memory and for the next commit, and what it left open. */
import { Errno } from '../../base/errno.js';
import type { Method, ReintRequest, ReintResult, ResultOf } from '../../rpc/messages.js';
import type { Call, Payload } from '../../rpc/session.js';
import type { CallsParts, MutationCall } from './calls.js';
import type { ClientExport } from './client-export.js';
import type { Held } from './held.js';
import { leftOpen, NO_PROOFS, type Proofs, proofsOfChange } from './signing.js';

export function noteChange(
  { held, keys, table }: CallsParts,
  by: ClientExport,
  { xid, slot, payload }: Call & MutationCall,
  errno: Errno | 0,
  result: ReintResult | undefined,
): Proofs {
  if (slot === undefined) return NO_PROOFS;
  if (errno !== 0 || result === undefined) {
    by.slots.refused(slot, xid, errno === 0 ? Errno.EIO : errno);
    return NO_PROOFS;
  }
  const { uid } = payload.request.who;
  const fid = leftOpen(payload.request, result);
  const open = fid === undefined ? undefined : held.took(by, { fid, rights: 'write', uid });
  if (result.kept !== undefined) held.lingering.add(result.kept);
  const row = { xid, asked: by.slots.askedOf(slot), result, handle: open?.handle, uid };
  table.answered(by.client, slot, by.slots.made(slot, row));
  return proofsOfChange(keys, by, payload, row);
}

/** The client was given up while the answer was on its way: it has nothing open. */
export function undoChange<M extends Method>(
  held: Held,
  { method, request }: Payload<M>,
  result: ResultOf<M> | undefined,
): void {
  if (method !== 'reint' || result === undefined) return;
  const fid = leftOpen(request as ReintRequest, result as ResultOf<'reint'>);
  if (fid !== undefined) held.forget(fid);
}
