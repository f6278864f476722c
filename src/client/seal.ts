/**
 * An ordinary user's watch shows a record if the user could see the place when the record
 * was made. Writes are recorded some time after they were made; so before a change after
 * which others may see a place, what was written there by then has to be recorded.
 */
import type { ClientContext } from './context.js';

/** Before a change of who may get where, or of what lies where. Costs nothing without such a watch. */
export function sealWrites({ opens, files }: Pick<ClientContext, 'opens' | 'files'>): void {
  if (opens.judged && files.anyDirty) files.sealAll();
}
