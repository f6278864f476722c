/** Table `client`: the clients of a server, and what each was answered last in its slots. */
import { SLOTS_MAX } from '../../rpc/limits.js';
import type { ClientId } from '../../rpc/session.js';
import type { InspectedEntry, Inspection } from '../../store/inspection.js';
import { CLIENT_KEY_BYTES, partsOfClientKey, SLOT_KEY_BYTES } from '../../store/keys.js';
import { decodeClient } from '../export/client-table.js';
import { readSlotRow } from '../export/slot-row.js';
import type { Findings } from './findings.js';
import type { Mend } from './mend.js';

export function checkClients(store: Inspection, findings: Findings): void {
  const known = new Set<string>();
  for (const entry of store.entries('client')) checkRow(entry, known, findings);
}

/** `known`: the clients so far; their own rows come before those of their slots. */
function checkRow({ key, value }: InspectedEntry, known: Set<string>, findings: Findings): void {
  const removal: Mend = { do: 'remove', table: 'client', key };
  if (key.length !== CLIENT_KEY_BYTES && key.length !== SLOT_KEY_BYTES) {
    const where = `client ${key.toString('hex')}`;
    findings.add('damaged-key', where, 'not a client, nor one of its slots', removal);
    return;
  }
  const { client, slot } = partsOfClientKey(key);
  if (slot === undefined) {
    findings.saw('clients');
    known.add(client);
    if (value === undefined || decodeClient(client as ClientId, value) === undefined) {
      const where = `client ${client}`;
      findings.add('damaged-value', where, 'its checksum or text is wrong', removal);
    }
    return;
  }
  const where = `slot ${slot} of client ${client}`;
  if (slot >= SLOTS_MAX) {
    findings.add('damaged-key', where, `there are ${SLOTS_MAX} slots`, removal);
  } else if (!known.has(client)) {
    findings.add('stray-value', where, 'belongs to no client', removal);
  } else if (value === undefined || readSlotRow(value) === undefined) {
    findings.add('damaged-value', where, 'its checksum or value is wrong', removal);
  }
}
