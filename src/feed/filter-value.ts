/** What a filter is, once it is understood. Its text, and what it means, are in filter.ts. */
import type { Fid } from '../base/fid.js';
import type { Glob } from './glob.js';
import { type AccessOp, type ChangeOp, isAccess } from './record.js';

/** What a filter can name. LOST passes always. */
export type FilterOp = ChangeOp | AccessOp;

export const CHANGE_OPS: readonly ChangeOp[] = [
  'create',
  'mkdir',
  'mknod',
  'symlink',
  'link',
  'unlink',
  'rmdir',
  'rename',
  'setattr',
  'setxattr',
  'removexattr',
  'write',
];
export const ACCESS_OPS: readonly AccessOp[] = ['open', 'close', 'denied', 'getxattr'];

/** Names for several operations. */
export const OP_GROUPS: Readonly<Record<string, readonly FilterOp[]>> = {
  changes: CHANGE_OPS,
  accesses: ACCESS_OPS,
};

/** One of each list is enough; a list is never empty. */
export interface Conditions {
  readonly ops?: ReadonlySet<FilterOp>;
  readonly uid?: ReadonlySet<number>;
  readonly gid?: ReadonlySet<number>;
  readonly name?: readonly Glob[];
}

/** Sets are in the order of the tables above, and of numbers, so that equal filters have equal texts. */
export interface Filter extends Conditions {
  readonly subtree?: Fid;
  readonly not?: Conditions;
}

/** That of a feed without one: every change and no access. */
export const EVERY_CHANGE: Filter = {};

/** Whether an operation is one that the filter asks for. */
export function asksFor({ ops, not }: Filter, op: FilterOp): boolean {
  if (not?.ops?.has(op) === true) return false;
  return ops === undefined ? !isAccess(op) : ops.has(op);
}

export function asksForAccesses(filter: Filter): boolean {
  return ACCESS_OPS.some((op) => asksFor(filter, op));
}
