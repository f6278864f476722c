/**
 * What a client keeps of changes that are lost must go, also if it is not connected when that
 * is found out: it is told so until it has said that it did. `drop-all` has no answer; a recall
 * of nothing follows it, whose answer says that all before it is done. The client's row has a
 * note of it meanwhile, for a run of the server that no eviction of this one is known to.
 */
import type { ClientExport } from './client-export.js';

/** The number of that recall, which no other has. */
export const DROP_ALL_RECALL = Number.MAX_SAFE_INTEGER;

/** Nothing where the client has done it. */
export function tellDropAll(by: ClientExport): void {
  if (!by.isStale) return;
  by.send({ kind: 'drop-all' });
  by.send({ kind: 'recall', id: DROP_ALL_RECALL, fids: [], want: 'drop' });
}
