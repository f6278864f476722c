/**
 * Of which objects an answer tells what may be kept: a client that got it holds a lock on
 * each of them, unless the answer says otherwise, until the server recalls it. Both sides
 * compute it, so that no message has to carry it.
 *
 * The lock on an object covers its attributes, extended attributes, link target and pages;
 * that on a directory also its listing and which names are there and which are not.
 */
import { Errno } from '../base/errno.js';
import type { Fid } from '../base/fid.js';
import type { Method, RequestOf, ResultOf } from './messages.js';

/** `errno` and `result` as answered. The server knows a readdir's entries; a client gives them too. */
export function grantsOf<M extends Method>(
  method: M,
  request: RequestOf<M>,
  errno: Errno | 0,
  result: ResultOf<M> | undefined,
  entries: readonly Fid[] = [],
): readonly Fid[] {
  const asked = { method, request, result } as Asked;
  if (errno !== 0) {
    return errno === Errno.ENOENT && asked.method === 'lookup' ? [asked.request.parent] : [];
  }
  switch (asked.method) {
    case 'lookup':
      return asked.result === undefined ? [] : [asked.request.parent, asked.result.fid];
    case 'getattr':
    case 'readlink':
    case 'getxattr':
    case 'listxattr':
    case 'open':
    case 'contents':
    case 'lock':
      return [asked.request.fid];
    case 'readdir':
      return asked.request.attributes ? [asked.request.fid, ...entries] : [asked.request.fid];
    case 'reint':
      return reintGrants(asked.request, asked.result);
    default:
      return [];
  }
}

type Asked = {
  [M in Method]: { method: M; request: RequestOf<M>; result: ResultOf<M> | undefined };
}[Method];

function reintGrants(
  { change }: RequestOf<'reint'>,
  result: ResultOf<'reint'> | undefined,
): readonly Fid[] {
  if (result === undefined) return [];
  switch (change.op) {
    case 'create':
    case 'symlink':
    case 'link':
      return [change.parent, result.attributes.fid];
    case 'tmpfile':
    case 'setattr':
    case 'setxattr':
    case 'removexattr':
    case 'write':
      return [result.attributes.fid];
    // What the kernel keeps of these it keeps by locks that it had before.
    case 'unlink':
    case 'rmdir':
    case 'rename':
      return [];
  }
}
