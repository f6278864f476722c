/**
 * A request that another run of the server may have done, and whose answer nobody has: that it
 * was done before is then no reason to refuse it.
 */
import { Errno } from '../../base/errno.js';
import type { Method, RequestOf, ResultOf } from '../../rpc/messages.js';
import type { Payload } from '../../rpc/session.js';
import type { MetadataServer } from '../server.js';

/** What to answer in place of a refusal; the same where it is one in any case. */
export function tolerated<M extends Method>(
  server: Pick<MetadataServer, 'feeds' | 'replica'>,
  { method, request }: Payload<M>,
  errno: Errno | 0,
  result: ResultOf<M> | undefined,
): readonly [Errno | 0, ResultOf<M> | undefined] {
  if (method === 'feedCreate' && errno === Errno.EEXIST) {
    const { name } = request as RequestOf<'feedCreate'>;
    const { id } = server.feeds.named(name);
    const found: ResultOf<'feedCreate'> = { id, name };
    return [0, found as ResultOf<M>];
  }
  const removed = method === 'feedRemove' && errno === Errno.ENOENT;
  const promoted = method === 'replicaPromote' && errno === Errno.EINVAL && server.replica.promoted;
  return removed || promoted ? [0, undefined] : [errno, result];
}
