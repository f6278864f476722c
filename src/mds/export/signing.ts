/** What an answer brings beside its result: signed proofs of what was made and of what is open. */
import type { Fid } from '../../base/fid.js';
import type { ReintRequest, ReintResult } from '../../rpc/messages.js';
import type { Capability, Payload, Receipt, Xid } from '../../rpc/session.js';
import type { ClientExport } from './client-export.js';
import type { HeldOpen, KeyRing, SlotRow } from './parts.js';

export interface Proofs {
  readonly receipt: Receipt | undefined;
  readonly capability: Capability | undefined;
}

export const NO_PROOFS: Proofs = { receipt: undefined, capability: undefined };

/** The object that is left open by a change that was made; undefined if none is. */
export function leftOpen({ change }: ReintRequest, result: ReintResult): Fid | undefined {
  const made = change.op === 'tmpfile' || (change.op === 'create' && change.open);
  return made ? result.attributes.fid : result.kept;
}

/** Which object a replay of the change must be about. */
export function subjectOf({ made, attributes }: ReintResult): Fid {
  return made ?? attributes.fid;
}

/** Of a change as it is in its slot. */
export function proofsOfChange(
  keys: KeyRing,
  by: ClientExport,
  payload: Payload,
  { xid, result, handle, uid }: SlotRow,
): Proofs {
  const { transno, time } = result;
  const facts = { transno, time, fid: subjectOf(result), handle };
  const receipt = keys.receipt(by.client, xid, payload, facts);
  by.lastReceipt = Math.max(by.lastReceipt, transno);
  if (handle === undefined) return { receipt, capability: undefined };
  const fid = leftOpen(payload.request as ReintRequest, result) ?? result.attributes.fid;
  const capability = keys.capability(by.client, { fid, handle, rights: 'write', uid });
  return { receipt, capability };
}

/** Of an open; clients that recover by their requests get a receipt of the request. */
export function proofsOfOpen(
  keys: KeyRing,
  by: ClientExport,
  asked: { readonly xid: Xid; readonly payload: Payload },
  open: HeldOpen,
  last: { readonly transno: number; readonly time: Receipt['time'] },
): Proofs {
  const capability = keys.capability(by.client, open);
  if (by.recovery === 'reconstruct') return { receipt: undefined, capability };
  const facts = { ...last, fid: open.fid, handle: open.handle };
  return { receipt: keys.receipt(by.client, asked.xid, asked.payload, facts), capability };
}
