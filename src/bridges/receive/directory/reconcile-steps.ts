/** Does steps, and keeps the inode numbers of what was made. */
import { must } from '../../../base/assert.js';
import { type Phase, phasesOf } from './plan-phases.js';
import type { CopyTree } from './state-tree.js';
import type { Hands, Made, Step } from './steps.js';

export async function runPhase(
  hands: Hands,
  tree: CopyTree,
  { together, steps }: Phase,
): Promise<void> {
  if (steps.length === 0) return;
  const made = together ? await hands.together(steps) : await hands.inOrder(steps);
  for (const one of made) keep(tree, one);
}

/** In any order, so many at a time. */
export async function runTogether(
  hands: Hands,
  tree: CopyTree,
  steps: readonly Step[],
): Promise<void> {
  for (const phase of phasesOf(steps)) await runPhase(hands, tree, phase);
}

function keep(tree: CopyTree, { fid, inode }: Made): void {
  const object = must(tree.object(fid), 'an object that was made');
  if (object.inode !== inode) tree.put(fid, { ...object, inode });
}
