/** What a rename means to a consumer that keeps one subtree. */
import type { RenameRecord } from './types.js';

/**
 * - `'in'`: the object came into the subtree. If it is a directory, what is below it is told
 *   by no record: list it.
 * - `'out'`: it left, with all that is below it. No record will tell of that any more.
 * - `'within'`: both places are inside.
 * - `'outside'`: neither is; of such renames a feed shows those of the subtree's own
 *   directory, and of files that have another name inside.
 */
export type Move = 'in' | 'out' | 'within' | 'outside';

/**
 * Where a rename leads. `isInside` tells of a directory, by its FID, whether it is the
 * subtree's own or below it: those that the consumer has listed, and then followed by the
 * records. With `exchanged`, that object moved the opposite way.
 */
export function moveOf(
  { parent, newParent }: Pick<RenameRecord, 'parent' | 'newParent'>,
  isInside: (directory: string) => boolean,
): Move {
  const from = isInside(parent);
  const to = isInside(newParent);
  if (from) return to ? 'within' : 'out';
  return to ? 'in' : 'outside';
}
