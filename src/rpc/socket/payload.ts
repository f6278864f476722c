/**
 * A request as bytes: the list of the method's number and the request. A receipt signs these
 * bytes, and they are what is sent again; so they are kept as they were made or came.
 */

import { MESSAGE_BYTES_MAX } from '../limits.js';
import type { Method } from '../messages.js';
import type { RemoteRequest } from '../remote.js';
import type { Payload } from '../session.js';
import type { Codec } from './codec.js';
import { methodCodec, methodOfNumber } from './methods/table.js';
import { Reader } from './reader.js';
import { WireError } from './wire-error.js';
import { scratchWriter } from './writer.js';

/** Bytes of a message that may be around a payload. */
const AROUND_BYTES = 4_096;
const PAYLOAD_BYTES_MAX = MESSAGE_BYTES_MAX - AROUND_BYTES;

const scratch = scratchWriter();

/** WireError if the request cannot be said, for example with a FID that is none. */
export function encodePayload<M extends Method>(method: M, request: RemoteRequest<M>): Payload<M> {
  const codec = methodCodec(method);
  scratch.truncate(0);
  scratch.array(2);
  scratch.uint(codec.number);
  codec.request.write(scratch, request);
  if (scratch.length > PAYLOAD_BYTES_MAX) throw new WireError('the request is too long');
  return { method, request, bytes: Buffer.from(scratch.view()) };
}

/** The inverse; `bytes` must stay as they are. WireError if they are no request. */
export function decodePayload(bytes: Uint8Array): Payload {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader = new Reader(buffer);
  reader.fields(2);
  const method = methodOfNumber(reader.uint(255));
  const request = methodCodec(method).request.read(reader);
  reader.finish();
  return { method, request, bytes };
}

/** Within a message: as bytes. */
export const payload: Codec<Payload> = {
  write: (out, value) => out.bytes(value.bytes),
  read: (from) => decodePayload(from.view(PAYLOAD_BYTES_MAX)),
};
