/** What a client asks of a server that started again, so that its consumers go on. */
import type { Errno } from '../../base/errno.js';
import type { Method, RequestOf, ResultOf } from '../../rpc/messages.js';

export interface Restore {
  readonly method: Method;
  readonly request: RequestOf<Method>;
  /** What is to be asked after that, if anything. */
  answered(errno: Errno | 0, result: ResultOf<Method> | undefined): Restore | undefined;
}

/** With the types of one method. */
export function restore<M extends Method>(
  method: M,
  request: RequestOf<M>,
  answered: (errno: Errno | 0, result: ResultOf<M> | undefined) => Restore | undefined = () =>
    undefined,
): Restore {
  return {
    method,
    request,
    answered: (errno, result) => answered(errno, result as ResultOf<M> | undefined),
  };
}
