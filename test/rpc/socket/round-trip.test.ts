/** Every message leads back to itself, and is MessagePack to any other reader. */
import fc from 'fast-check';
import { unpack } from 'msgpackr';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Method } from '../../../src/rpc/messages.js';
import type { RemoteRequest } from '../../../src/rpc/remote.js';
import { decodeAnswer, encodeAnswer } from '../../../src/rpc/socket/answer.js';
import {
  clientMessages,
  type MessageCodec,
  serverMessages,
} from '../../../src/rpc/socket/messages.js';
import { METHOD_NAMES } from '../../../src/rpc/socket/methods/table.js';
import { decodePayload, encodePayload } from '../../../src/rpc/socket/payload.js';
import { scratchWriter } from '../../../src/rpc/socket/writer.js';
import { CALLS } from './support/calls.js';
import { answerTo, clientMessage, serverMessage } from './support/session.js';

function encoded<T>(codec: MessageCodec<T>, message: T): Buffer {
  const out = scratchWriter();
  codec.write(out, message);
  return Buffer.from(out.view());
}

for (const method of METHOD_NAMES) {
  test(`${method}: request and answer`, () => {
    const { request } = CALLS[method];
    fc.assert(
      fc.property(request as fc.Arbitrary<RemoteRequest<Method>>, (asked) => {
        const { bytes } = encodePayload(method, asked);
        const read = decodePayload(bytes);
        assert.is(read.method, method);
        assert.equal(read.request, asked);
        assert.is(read.bytes, bytes);
      }),
      { numRuns: 60 },
    );
    fc.assert(
      fc.property(answerTo(method), (answer) => {
        assert.equal(decodeAnswer(encodeAnswer(answer)), answer);
      }),
      { numRuns: 60 },
    );
  });
}

test('messages of a client', () => {
  fc.assert(
    fc.property(clientMessage, (message) => {
      const bytes = encoded(clientMessages, message);
      assert.equal(clientMessages.decode(bytes), message);
      assert.ok(Array.isArray(unpack(bytes)));
    }),
    { numRuns: 1_000 },
  );
});

test('messages of a server', () => {
  fc.assert(
    fc.property(serverMessage, (message) => {
      const bytes = encoded(serverMessages, message);
      assert.equal(serverMessages.decode(bytes), message);
      assert.ok(Array.isArray(unpack(bytes)));
    }),
    { numRuns: 1_000 },
  );
});

test("a payload's bytes are those that came, within a message too", () => {
  fc.assert(
    fc.property(clientMessage, (message) => {
      if (message.kind !== 'call' && message.kind !== 'replay') return;
      const read = clientMessages.decode(encoded(clientMessages, message));
      assert.ok(read.kind === 'call' || read.kind === 'replay');
      assert.ok(Buffer.from(message.payload.bytes).equals(read.payload.bytes));
    }),
    { numRuns: 500 },
  );
});

test.run();
