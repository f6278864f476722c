/**
 * Object files that a client made and never told the metadata of: they are garbage once the
 * client is gone. Whoever lives keeps its own list (objects/made-list.ts).
 */
import { removeUnrecorded } from '../../mds/recovery/unrecorded.js';
import type { MetadataServer } from '../../mds/server.js';
import type { ObjectStore } from '../../objects/object-store.js';

/**
 * Before anybody else may change what that client had: an object of the same name may be made
 * then. While a recovery runs the list stays, and is looked at at its end: what the others
 * bring back may have put data into these objects too.
 */
export function discardObjectsOf(list: string, objects: ObjectStore, server: MetadataServer): void {
  if (server.recovering) return;
  const { namespace, commit } = server;
  let found = 0;
  for (const made of objects.absorb((name) => name === list)) {
    if (removeUnrecorded(namespace, made)) found++;
  }
  if (found > 0) commit.note(found);
}
