/**
 * An answer as bytes: its result is that of its method, so it has code of its own.
 */
import { BATCH_MAX, MESSAGE_BYTES_MAX } from '../limits.js';
import type { Method } from '../messages.js';
import type { Answer } from '../session.js';
import { type Codec, list } from './codec.js';
import { methodCodec, methodOfNumber } from './methods/table.js';
import { Reader } from './reader.js';
import { errno, fid, uint } from './scalars.js';
import { capability, receipt, xid } from './session-parts.js';
import { WireError } from './wire-error.js';
import { scratchWriter } from './writer.js';

const FIELDS = 9;
/** An answer can name every entry of a listing. */
const uncached = list(fid, 2 * BATCH_MAX);

export const answer: Codec<Omit<Answer, 'kind'>> = {
  write(out, value) {
    const codec = methodCodec(value.method);
    out.array(FIELDS);
    xid.write(out, value.xid);
    out.uint(codec.number);
    errno.write(out, value.errno);
    // Also a change that is only known to be made has no result.
    if (value.errno !== 0 || value.result === undefined) out.nil();
    else codec.result.write(out, value.result);
    uint.write(out, value.committed);
    if (value.receipt === undefined) out.nil();
    else receipt.write(out, value.receipt);
    if (value.capability === undefined) out.nil();
    else capability.write(out, value.capability);
    uncached.write(out, value.uncached);
    if (value.exclusive === undefined) out.nil();
    else fid.write(out, value.exclusive);
  },
  read(from) {
    from.fields(FIELDS);
    const of = xid.read(from);
    const method = methodOfNumber(from.uint(255));
    const failed = errno.read(from);
    const result = from.nil() ? undefined : readResult(from, method, failed);
    return {
      xid: of,
      method,
      errno: failed,
      result,
      committed: uint.read(from),
      receipt: from.nil() ? undefined : receipt.read(from),
      capability: from.nil() ? undefined : capability.read(from),
      uncached: uncached.read(from),
      exclusive: from.nil() ? undefined : fid.read(from),
    };
  },
};

function readResult(from: Reader, method: Method, failed: number): Answer['result'] {
  if (failed !== 0) from.fail('no result of a call that failed');
  return methodCodec(method).result.read(from);
}

const scratch = scratchWriter();

/** For whoever keeps an answer to give it again. WireError if it cannot be said. */
export function encodeAnswer(value: Answer): Buffer {
  scratch.truncate(0);
  answer.write(scratch, value);
  if (scratch.length > MESSAGE_BYTES_MAX) throw new WireError('the answer is too long');
  return Buffer.from(scratch.view());
}

/** WireError if it is none. */
export function decodeAnswer(bytes: Uint8Array): Answer {
  const reader = new Reader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const value = answer.read(reader);
  reader.finish();
  return { kind: 'answer', ...value };
}
