/** A client's request as the methods take it: what is not the client's to say is the server's. */
import type { Method, ReintRequest, RequestOf } from '../../rpc/messages.js';

export function askedRequest<M extends Method>(
  method: M,
  request: RequestOf<M>,
  nid: string,
): RequestOf<M> {
  return withNid(withOneOpen(method, request), nid);
}

/** A tmpfile is open anyway: the one open that its answer tells of is all that the client closes. */
function withOneOpen<M extends Method>(method: M, request: RequestOf<M>): RequestOf<M> {
  if (method !== 'reint') return request;
  const asked = request as ReintRequest;
  if (asked.change.op !== 'tmpfile' || asked.keepsNameless !== true) return request;
  return { ...asked, keepsNameless: false } as RequestOf<M>;
}

/** Its author comes from where the server sees it come from. */
function withNid<R>(request: R, nid: string): R {
  if (typeof request !== 'object' || request === null || !('who' in request)) return request;
  const who = request.who as Partial<ReintRequest['who']>;
  return who.nid === undefined || who.nid === nid ? request : { ...request, who: { ...who, nid } };
}
