/** What a request looks at and what it changes, as far as clients may keep it. */
import type { Fid } from '../../base/fid.js';
import type { FileName } from '../../base/name.js';
import type { Method, Reint, RequestOf } from '../../rpc/messages.js';

/** Which object has the name now. */
export type NameLookup = (parent: Fid, name: FileName) => Fid | undefined;

/** Objects whose attributes, contents, or names another client would see changed. */
export function changedBy(change: Reint, lookup: NameLookup): readonly Fid[] {
  switch (change.op) {
    case 'create':
    case 'symlink':
      return [change.parent];
    case 'tmpfile':
      return [];
    case 'link':
      return distinct(change.parent, change.fid);
    case 'unlink':
    case 'rmdir':
      return distinct(change.parent, lookup(change.parent, change.name));
    case 'rename':
      return distinct(
        change.parent,
        change.newParent,
        lookup(change.parent, change.name),
        lookup(change.newParent, change.newName),
      );
    case 'setattr':
    case 'setxattr':
    case 'removexattr':
    case 'write':
      return [change.fid];
  }
}

type Asked = { [M in Method]: { method: M; request: RequestOf<M> } }[Method];

/** Files whose attributes or contents the answer tells: what is not recorded of them must be first. */
export function lookedAtBy<M extends Method>(
  method: M,
  request: RequestOf<M>,
  lookup: NameLookup,
): readonly Fid[] {
  const asked = { method, request } as Asked;
  switch (asked.method) {
    case 'lookup':
      return distinct(lookup(asked.request.parent, asked.request.name));
    case 'getattr':
    case 'open':
    case 'contents':
    case 'getxattr':
    case 'listxattr':
      return [asked.request.fid];
    // Of a listing, attributes that are not recorded are not kept (CacheLocks.answered).
    default:
      return [];
  }
}

function distinct(...fids: readonly (Fid | undefined)[]): readonly Fid[] {
  return [...new Set(fids.filter((fid) => fid !== undefined))];
}
