/** A mutation that waits outlives the call that asked for it, and the buffer its bytes came in. */
import type { ReintRequest } from '../rpc/messages.js';

/** A copy that shares nothing. Values are copied by themselves: a clone of a view has all of its buffer. */
export function keptRequest(request: ReintRequest): ReintRequest {
  const { change } = request;
  if (change.op === 'setxattr') {
    const value = Uint8Array.from(change.value);
    return structuredClone({ ...request, change: { ...change, value } });
  }
  if (change.op === 'write' && change.contents !== undefined) {
    const contents = Uint8Array.from(change.contents);
    return structuredClone({ ...request, change: { ...change, contents } });
  }
  return structuredClone(request);
}
