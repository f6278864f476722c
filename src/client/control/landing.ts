/**
 * Where the bytes of an answer go. The session's own buffer is free only until something else
 * is answered: for answers that come later each has room of its own.
 */
import type { DataReply } from '../../fuse/api.js';
import type { Connection } from '../../rpc/messages.js';

export interface Landing {
  readonly into: Uint8Array;
  /** Answers with the first `count` bytes. */
  give(count: number): void;
}

export function landing(mds: Connection, reply: DataReply, size: number): Landing {
  if (mds.direct === true) return { into: reply.room(size), give: (count) => reply.filled(count) };
  const into = new Uint8Array(size);
  return { into, give: (count) => reply.data(into.subarray(0, count)) };
}
