/** What a change made of the directories in which it changed names. */
import type { Fid } from '../../base/fid.js';
import type { Attributes, Reint, ReintResult } from '../../rpc/messages.js';

const NONE: readonly Fid[] = [];

function parentsOf(change: Reint): readonly Fid[] {
  switch (change.op) {
    case 'create':
    case 'symlink':
    case 'link':
    case 'unlink':
    case 'rmdir':
      return [change.parent];
    case 'rename':
      return change.parent === change.newParent
        ? [change.parent]
        : [change.parent, change.newParent];
    default:
      return NONE;
  }
}

/** The result with the directories as they are now: for an answer that is sent in the same tick. */
export function withParents(
  result: ReintResult,
  change: Reint,
  attributesOf: (fid: Fid) => Attributes | undefined,
): ReintResult {
  const parents = parentsOf(change)
    .map(attributesOf)
    .filter((found) => found !== undefined);
  return parents.length === 0 ? result : { ...result, parents };
}
