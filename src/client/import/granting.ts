/** What an answer lets the client keep (rpc/grants.ts), less what the answer or a release takes out. */
import type { Fid } from '../../base/fid.js';
import { grantsOf } from '../../rpc/grants.js';
import type { Method, RequestOf, ResultOf } from '../../rpc/messages.js';
import type { RemoteResult } from '../../rpc/remote.js';
import type { Answer } from '../../rpc/session.js';
import type { ImportEvents } from '../import-events.js';
import type { Releases } from './releases.js';

export function tellGrants<M extends Method>(
  { xid, errno, result, uncached, exclusive }: Answer,
  method: M,
  request: RequestOf<M>,
  { events, releases }: { events: Pick<ImportEvents, 'granted' | 'told'>; releases: Releases },
): void {
  const keeps = (fid: Fid): boolean => !uncached.includes(fid) && !releases.covers(fid, xid);
  const entries =
    method === 'readdir' && result !== undefined && (request as RequestOf<'readdir'>).attributes
      ? (result as RemoteResult<'readdir'>).entries.map(({ fid }) => fid)
      : [];
  const granted = grantsOf(method, request, errno, result as ResultOf<M> | undefined, entries);
  const kept = granted.filter(keeps);
  const alone = exclusive !== undefined && keeps(exclusive) ? exclusive : undefined;
  if (kept.length > 0 || alone !== undefined) events.granted(kept, alone);
  events.told?.(method, request, errno, result as ResultOf<M> | undefined);
}
