/**
 * Filters: which records a feed takes. As text a filter is one JSON object, all of whose
 * members are optional; a record has to meet every one that is there:
 *
 *     {"ops":["create","unlink"],"subtree":"[0x200000401:0x2:0x0]","name":"*.jpg"}
 *
 * | member    | value                                                                | absent      |
 * |-----------|----------------------------------------------------------------------|-------------|
 * | `ops`     | operations, or groups: `"changes"`, `"accesses"`                     | `"changes"` |
 * | `subtree` | FID of a directory: changes of it, in it and below it; also those of another name of a file that has one there | everywhere  |
 * | `uid`     | who made the change: numbers                                         | anybody     |
 * | `gid`     | the same, by the group                                               | anybody     |
 * | `name`    | patterns for the last component (glob.ts), text or `{"base64":"…"}`  | any         |
 * | `not`     | an object of `ops`, `uid`, `gid`, `name`: what these match goes out  | nothing     |
 *
 * `ops`, `uid`, `gid` and `name` are one value or a list; one of the list is enough.
 * How a record is judged is told in filter-match.ts.
 */

import { renderBytes } from '../base/byte-string.js';
import { formatFid } from '../base/fid.js';
import { type Conditions, type Filter, type FilterOp, OP_GROUPS } from './filter-value.js';

export { passes } from './filter-match.js';
export { parseFilter } from './filter-parse.js';
export { asksForAccesses, EVERY_CHANGE, type Filter } from './filter-value.js';

/** The one text of a filter, without a newline: parseFilter gives an equal filter. Empty: every change. */
export function formatFilter(filter: Filter): string {
  const { subtree, not } = filter;
  const members = conditionMembers(filter);
  if (subtree !== undefined) members.push(`"subtree":"${formatFid(subtree)}"`);
  if (not !== undefined) members.push(`"not":{${conditionMembers(not).join(',')}}`);
  return members.length === 0 ? '' : `{${members.join(',')}}`;
}

function conditionMembers({ ops, uid, gid, name }: Conditions): string[] {
  return [
    ...(ops === undefined ? [] : [`"ops":${oneOrList(opNames(ops).map((op) => `"${op}"`))}`]),
    ...(uid === undefined ? [] : [`"uid":${oneOrList([...uid].map(String))}`]),
    ...(gid === undefined ? [] : [`"gid":${oneOrList([...gid].map(String))}`]),
    ...(name === undefined
      ? []
      : [`"name":${oneOrList(name.map(({ text }) => renderBytes(text)))}`]),
  ];
}

function oneOrList(values: readonly string[]): string {
  const [only] = values;
  return values.length === 1 && only !== undefined ? only : `[${values.join(',')}]`;
}

/** A whole group by its name, the rest one by one. */
function opNames(ops: ReadonlySet<FilterOp>): string[] {
  return Object.entries(OP_GROUPS).flatMap(([group, members]) =>
    members.every((op) => ops.has(op)) ? [group] : members.filter((op) => ops.has(op)),
  );
}
