/** As whom a caller of `.lustre/watch` is taken. */
import type { Caller } from '../../fuse/api.js';
import type { Watcher } from '../../rpc/messages.js';
import type { ClientContext } from '../context.js';
import { threadIdentity } from '../thread-identity.js';

/**
 * Undefined for somebody who may not have a watch. While only the privileged may, all see
 * the same and no more has to be known of them. With `user_watch` what is shown depends on
 * the caller, so everybody has to be known for sure: see {@link threadIdentity}.
 */
export function watcher(
  { owner, userWatch }: Pick<ClientContext, 'owner' | 'userWatch'>,
  caller: Caller,
): Watcher | undefined {
  const { uid, gid } = caller;
  const privileged = uid === 0 || uid === owner.uid;
  if (!userWatch) return privileged ? { uid, gid, groups: [], privileged } : undefined;
  const identity = threadIdentity(caller);
  return identity && { ...identity, privileged };
}
